"""Several processes that serve one address: started, replaced when they die, and ended together. PostgreSQL only.

The parent binds and forks, and does nothing else: it has no loop, no threads and no database. Its children take connections from
one queue, that of the sockets which they share, so that none that waits is lost with a child that dies.
"""

import logging
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from zhuli.core.errors import ConfigurationError
from zhuli.settings import Settings

log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_SHORT_LIFE, _PAUSE = 5.0, 1.0
"""Seconds: a child that ends so soon after its start is replaced only after a pause."""

_WAITING = 2048
"""Connections that wait to be taken, as many as uvicorn lets wait."""


@dataclass(frozen=True, slots=True)
class Place:
    """One of the processes, as it sees itself. number: from 1; a child that takes the place of another has its number.

    folder: where processes find each other's metrics. ready: where the first one says that it serves.
    """

    number: int
    count: int
    sockets: Sequence[socket.socket]
    folder: Path
    parent: int
    ready: int | None = None

    @property
    def orphaned(self) -> bool:
        """Whether the parent is gone, which ends this process too."""
        return os.getppid() != self.parent

    def started(self) -> None:
        """This process serves."""
        if self.ready is not None:
            with suppress(OSError):  # told once
                os.write(self.ready, b".")
                os.close(self.ready)


def check(settings: Settings) -> None:
    """ConfigurationError where the database is one process's own."""
    if not settings.database.startswith("postgres"):
        raise ConfigurationError(
            f"{settings.processes} processes need a database that they can share: set ZHULI_DATABASE_URL to postgresql://…, "
            "or serve with one process. A SQLite database has one."
        )


def place_in(settings: Settings, sockets: Sequence[socket.socket]) -> Place:
    """Fork `settings.processes` children; returns in each of them, and never in the parent, which ends when they have.

    Raises SystemExit in the parent: 0 after SIGINT or SIGTERM, else what the first child ended with if it could not start.
    """
    children = _Children(settings.processes, sockets, Path(tempfile.mkdtemp(prefix="zhuli-")))
    return children.run()


class _Children:
    def __init__(self, count: int, sockets: Sequence[socket.socket], folder: Path) -> None:
        self._count = count
        self._sockets = sockets
        self._folder = folder
        self._living: dict[int, tuple[int, float]] = {}
        self._parent = os.getpid()
        self._stopping = False

    def run(self) -> Place:
        for one in _SIGNALS:
            signal.signal(one, self._pass_on)
        if (place := self._first()) is not None:
            return place
        for number in range(2, self._count + 1):
            if (place := self._fork(number)) is not None:
                return place
        while self._living:
            if (place := self._replace(*os.waitpid(-1, 0))) is not None:
                return place
        shutil.rmtree(self._folder, ignore_errors=True)
        raise SystemExit(0)

    def _first(self) -> Place | None:
        """Alone, until it serves: what is wrong with the settings is said once, and one process brings the schema up to date."""
        reading, writing = os.pipe()
        if (place := self._fork(1, ready=writing)) is not None:
            os.close(reading)
            return place
        os.close(writing)
        started = os.read(reading, 1)
        os.close(reading)
        if not started:
            _, status = os.waitpid(-1, 0)
            shutil.rmtree(self._folder, ignore_errors=True)
            raise SystemExit(max(0, os.waitstatus_to_exitcode(status)) or (0 if self._stopping else 1))
        return None

    def _replace(self, pid: int, status: int) -> Place | None:
        number, began = self._living.pop(pid, (0, 0.0))
        if not number or self._stopping:
            return None
        log.error("Process %d of %d has ended (%s); another takes its place", number, self._count, _how(status))
        if time.monotonic() - began < _SHORT_LIFE:
            time.sleep(_PAUSE)
        return None if self._stopping else self._fork(number)

    def _fork(self, number: int, *, ready: int | None = None) -> Place | None:
        """None in the parent."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            if self._stopping:
                return None
            if (pid := os.fork()) != 0:
                self._living[pid] = (number, time.monotonic())
                return None
            for one in _SIGNALS:
                signal.signal(one, signal.SIG_DFL)
            return Place(number, self._count, self._sockets, self._folder, self._parent, ready)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        """Children end by SIGTERM alone: a terminal sends SIGINT to them as well, and a second signal would break off answers."""
        self._stopping = True
        for pid in self._living:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"exit code {code}"
