"""The near end of the training child: started on a tuning's folder, asked to stop, followed to its end.

The child holds the folder's lock, which it inherits, for as long as it lives: one that outlives its server for a moment
keeps the next one waiting. It ends when its standard input closes, that is, at the latest with the process that made it.
"""

import asyncio
import fcntl
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Literal, Self

from pydantic import ValidationError

from zhuli.types.learning.tuning import EVENTS, TuningEvent

PROGRAM: Sequence[str] = (sys.executable, "-m", "zhuli.learning.training.child")

LOG = "child.log"
_LOCK = "lock"
_LOCK_SECONDS = 0.2
_NICENESS = 5
"""Requests are answered on the same cores: training takes what they leave."""

_READ = 4 * 1024 * 1024
"""Bytes of events.jsonl that are read at once."""

Request = Literal["cancel", "pause"]


class FolderLock:
    """A tuning's folder, which one process works in at a time."""

    def __init__(self, file: IO[Any]) -> None:
        self.file = file

    @classmethod
    async def take(cls, folder: Path) -> Self:
        """Wait until nobody works there; the folder must exist."""
        file = (folder / _LOCK).open("a")
        try:
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return cls(file)
                await asyncio.sleep(_LOCK_SECONDS)
        except BaseException:
            file.close()
            raise

    def release(self) -> None:
        """Let go of it; a child that still lives keeps it."""
        self.file.close()


class ChildProcess:
    """One attempt of one phase. `code` is the exit status once it has ended, negative for a signal."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        self._process = process
        self._input = process.stdin
        self._asked: set[Request] = set()

    @classmethod
    async def start(cls, program: Sequence[str], phase: str, folder: Path, lock: FolderLock) -> Self:
        """phase: check or tune. What it prints goes to child.log in the folder."""
        with (folder / LOG).open("ab") as log:
            # A session of its own: an interrupt in the terminal is for the server, which stops it in its own way.
            process = await asyncio.create_subprocess_exec(
                *(*program, phase, str(folder)),
                stdin=PIPE,
                stdout=DEVNULL,
                stderr=log,
                start_new_session=True,
                pass_fds=[lock.file.fileno()],
            )
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        return cls(process)

    @property
    def pid(self) -> int:
        """Of the child's process."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    def ask(self, request: Request) -> None:
        """Say it once; a child that has ended hears nothing."""
        if request not in self._asked and self.code is None:
            self._asked.add(request)
            self._input.write(f"{request}\n".encode())

    async def wait(self, seconds: float) -> bool:
        """Whether it has ended by then."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._process.wait()
        return self.code is not None

    async def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


class Tail:
    """What has come to events.jsonl since it was last asked."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / EVENTS
        self._at = 0

    def read(self) -> list[TuningEvent]:
        """Whole lines only: the last one may be in the making, or torn."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read(_READ)
                while b"\n" not in data and (more := file.read(_READ)):  # a report may be long
                    data += more
        except FileNotFoundError:
            return []
        end = data.rfind(b"\n") + 1
        self._at += end
        return [event for line in data[:end].splitlines() if (event := _parsed(line)) is not None]


def _parsed(line: bytes) -> TuningEvent | None:
    try:
        return TuningEvent.model_validate_json(line)
    except ValidationError:
        return None
