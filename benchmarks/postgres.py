"""A PostgreSQL of one's own for as long as a benchmark runs: a fresh cluster on 127.0.0.1, with its default settings.

It needs PostgreSQL's programs on the machine and is not hardened: trust on the loopback, gone at the end.
"""

import glob
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import free_port

USER = "postgres"


class Cluster:
    """A fresh cluster in a folder, which is made and must not exist yet; stopped until start() is called."""

    def __init__(self, folder: Path) -> None:
        self._programs = _programs()
        self._folder = folder
        port = free_port()
        self._options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder}"
        self.url = f"postgresql://{USER}@127.0.0.1:{port}/{USER}"
        _make_folder(folder)
        _run(self._programs / "initdb", "--pgdata", folder, "--username", USER, "--auth", "trust", "--encoding", "UTF8")

    def start(self) -> None:
        """Returns once it takes connections."""
        self._control("--options", self._options, "--log", self._folder / "log", "--wait", "start")

    def stop(self, mode: str = "fast") -> None:
        """fast: whoever is connected is cut off; immediate: as if it had crashed."""
        self._control("--mode", mode, "--wait", "stop")

    def _control(self, *arguments: str | Path) -> None:
        _run(self._programs / "pg_ctl", "--pgdata", self._folder, *arguments)


@contextmanager
def started(folder: Path) -> Iterator[str]:
    """Its URL, until the block ends. The folder is made and must not exist yet."""
    cluster = Cluster(folder)
    cluster.start()
    try:
        yield cluster.url
    finally:
        cluster.stop()


def _programs() -> Path:
    found = shutil.which("initdb") or next(
        iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), reverse=True)), None
    )
    if found is None:
        raise RuntimeError("PostgreSQL is not installed: no initdb on PATH or under /usr/lib/postgresql.")
    return Path(found).parent


def _make_folder(folder: Path) -> None:
    """PostgreSQL refuses to run as root, so root gives the folder to the user that its package made."""
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        account = pwd.getpwnam(USER)
        os.chown(folder, account.pw_uid, account.pw_gid)
        folder.parent.chmod(0o755)


def _run(*command: str | Path) -> None:
    user = USER if os.geteuid() == 0 else None
    result = subprocess.run(
        [str(part) for part in command], user=user, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/"
    )
    if result.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {result.stderr.decode(errors='replace')}")
