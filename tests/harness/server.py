"""A real server process on a real socket, which goes on from where an operator's has imported everything (see warm).

Nothing of the server is imported here: tests see what its users see.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from tests.harness import warm
from tests.harness.sockets import free_port
from tests.harness.waiting import eventually

SCRIPT = Path(__file__).parent.parent / "scripts" / "standard.json"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
GRACE = 1.0
"""Seconds that runs get when a server is stopped: most that still go on then are made to stall for ever."""

UNDERSTANDER = "zhuli.testing.scripted_understander:Plugin"
"""Domains of tests that need no model name it as their understander."""

Table = Mapping[str, Any]


class Server:
    """`models` and `aliases` are further ones, beside the scripted model "script" that gpt-4o and gpt-4o-mini mean.

    `embedder` is the default one: "hashed", which has no model to load, "e5-small", "minilm", or one of `embedders`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str | None = None,
        script: Path = SCRIPT,
        models: Mapping[str, Table] | None = None,
        aliases: Mapping[str, str | Table] | None = None,
        embedder: str = "hashed",
        embedders: Mapping[str, Table] | None = None,
        bases: Mapping[str, Table] | None = None,
        settings: Table | None = None,
    ) -> None:
        self.folder = folder
        self.host = "127.0.0.1"
        """The address that it listens on, from its next start on; it is always asked at this machine's own."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.base_url = f"{self.url}/v1"
        self._database_url = database_url
        self._process: warm.Process | None = None
        self._mark = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "server.log"
        self._record = folder / "requests.jsonl"
        self._write_models(script, models or {}, aliases or {}, embedder, embedders or {}, bases or {})
        self._write_config(settings or {})

    @property
    def database_url(self) -> str:
        return self._database_url or f"sqlite:///{self.folder / 'zhuli.db'}"

    @property
    def runs(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Of the process that serves; None while there is none."""
        return None if self._process is None else self._process.pid

    @property
    def has_died(self) -> bool:
        """Whether its process has ended without being asked to."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Return when it can serve."""
        with self._log.open("ab") as log:
            self._process = warm.start(
                self._at("serve", "--host", self.host, "--port", str(self.port)),
                env=environment(),
                output=log,
                errors=log,
                new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                code = self._process.poll()
                self.kill9()
                raise StartFailed(f"The server did not start (exit code {code}). Its log:\n{self.log()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to stop, as an init system would; one that does not is a failure."""
        self.ask_to_stop()
        self.wait_for_end()

    def ask_to_stop(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def wait_for_end(self) -> None:
        """Of a server that was asked to stop."""
        if self._process is None:
            return
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise RuntimeError(f"The server did not stop on SIGTERM. Its log:\n{self.log()}") from None
        self._process = None

    def kill9(self) -> None:
        """End it and its children between two instructions."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Start it again on the same data and the same port; stop it first if it still runs."""
        self.stop()
        self.start()

    def cli(self, *arguments: str) -> str:
        """Run a command of `zhuli` on this server's data, and give its output."""
        done = warm.run(self._at(*arguments), env=environment())
        if done.returncode:
            raise RuntimeError(f"zhuli {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def new_key(self, project: str) -> str:
        return self.cli("keys", "create", "--project", project).split()[-1]

    def requests(self, cache_key: str | None = None) -> list[dict[str, Any]]:
        """What the scripted model was asked, oldest first; with a thread's id as `cache_key`, by that thread's runs."""
        if not self._record.exists():
            return []
        asked = [json.loads(line) for line in self._record.read_text().splitlines()]
        return [request for request in asked if cache_key in (None, request.get("cache_key"))]

    def mark_log(self) -> None:
        """log() begins here from now on."""
        self._mark = self._log.stat().st_size if self._log.exists() else 0

    def log(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._mark)
            return log.read().decode(errors="replace")

    def lines_with(self, *parts: str) -> list[str]:
        """The lines of the log that have all these parts, as soon as there are any: a request's comes after its response."""

        def found() -> list[str]:
            return [line for line in self.log().splitlines() if all(part in line for part in parts)]

        eventually(found)
        return found()

    def _ready(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/readyz", timeout=5, verify=False).status_code == 200
        except httpx2.TransportError:
            return False

    def _at(self, *arguments: str) -> list[str]:
        return [*arguments, "--data-dir", str(self.folder), "--config", str(self.folder / "config.toml")]

    def _write_models(
        self,
        script: Path,
        models: Mapping[str, Table],
        aliases: Mapping[str, str | Table],
        embedder: str,
        embedders: Mapping[str, Table],
        bases: Mapping[str, Table],
    ) -> None:
        scripted = {"backend": "scripted", "script": str(script), "record": str(self._record)}
        document = {
            "default": "script",
            "default_embedder": embedder,
            "models": {"script": scripted, **models},
            "embedders": {"hashed": {"plugin": "hashed"}, **embedders},
            "bases": bases,
            "aliases": {"gpt-4o": "script", "gpt-4o-mini": "script", **aliases},
        }
        (self.folder / "models.toml").write_text(to_toml(document))

    def _write_config(self, settings: Table) -> None:
        ours: dict[str, Any] = {"understander_plugins": [UNDERSTANDER], "drain_seconds": 0, "grace_seconds": GRACE}
        if self._database_url:
            ours["database_url"] = self._database_url
        (self.folder / "config.toml").write_text(to_toml({**ours, **settings}))


class StartFailed(Exception):
    """A server process ended, or was not ready in time."""


def to_toml(table: Table, name: str = "") -> str:
    """TOML of strings, numbers, booleans, lists of them and tables; JSON writes those scalars the same way."""
    scalars = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"[{name}]"] if name else []
    lines += [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in scalars.items()]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines.append(to_toml(value, f"{name}.{json.dumps(key)}" if name else json.dumps(key)))
    return "\n".join(lines) + "\n"


def environment() -> dict[str, str]:
    """Without the settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZHULI_", "OPENAI_"))}
    return {**kept, "ZHULI_FIRST_MODEL": "packaged"}
