"""One process of reading_child, seen from the server: start it, ask it for a file's blocks, end it.

Which process reads what, and what happens after a failure, is the reader's part.
"""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import orjson

from zhuli.core import logs
from zhuli.core.errors import ServerFault, Unreadable
from zhuli.knowledge.retrieval.reading.reading_limits import Limits, too_long, too_much_memory
from zhuli.types.knowledge.document import Block

PASSED_ON = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
"""Of the server's environment: no keys and addresses where files from outside are read."""
ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}
START_SECONDS = 60.0
"""It takes 0.15 s where nothing else is going on."""
OUT_OF_MEMORY_SIGNALS = {4, 5, 6}
"""How libraries that are not written in Python end when memory runs out: SIGILL, SIGTRAP, SIGABRT."""

OUT_OF_TIME_SIGNALS = {24, 27}
"""SIGXCPU and SIGPROF, by which its limits of processor time end it."""

_log = logging.getLogger(__name__)


class Died(Exception):
    """The process ended while it read. `signal` is what ended it, or 0."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal

    @property
    def took_too_long(self) -> bool:
        """Whether it was out of processor time, which another try would not change."""
        return self.signal in OUT_OF_TIME_SIGNALS


class ReadingProcess:
    """A warm process. `files` is how many it has read; `usable` is False after anything but an orderly answer."""

    def __init__(self, process: Process) -> None:
        assert process.stdin and process.stdout
        self._process = process
        self._input = process.stdin
        self._output = process.stdout
        self.files = 0
        self.usable = True

    @classmethod
    async def start(cls, limits: Limits) -> Self:
        """Return when it can read."""
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-P",
                "-m",
                "zhuli.knowledge.retrieval.reading.reading_child",
                orjson.dumps(asdict(limits)).decode(),
            ),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=ENVIRONMENT | {name: os.environ[name] for name in PASSED_ON if name in os.environ},
        )
        started = cls(process)
        try:
            async with asyncio.timeout(START_SECONDS):
                await started._frame()
        except (Died, TimeoutError) as error:
            await started.aclose()
            raise ServerFault("The process that reads files does not start.") from error
        except BaseException:
            await started.aclose()
            raise
        return started

    async def read(self, path: Path, filename: str) -> list[Block]:
        """The file's blocks; Unreadable as the parser says it, Died when the process does not survive it."""
        self.usable = False
        self.files += 1
        self._input.write(orjson.dumps({"path": str(path), "filename": _sendable(filename)}) + b"\n")
        blocks: list[Block] = []
        while (frame := await self._frame())[0] == "blocks":
            blocks += [Block(*fields) for fields in frame[1]]
        self.usable = True
        if frame[0] == "failed":
            raise _unreadable(*frame[1:])
        return blocks

    async def _frame(self) -> list[Any]:
        try:
            length = int.from_bytes(await self._output.readexactly(4), "big")
            frame: list[Any] = orjson.loads(await self._output.readexactly(length))
        except asyncio.IncompleteReadError as error:
            code = await self._process.wait()
            raise Died(max(0, -code)) from error
        return frame

    async def aclose(self) -> None:
        """End it, whatever it is doing."""
        self.usable = False
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._output.read()  # wait() would never return while the pipe is held up by what nobody has read
        await self._process.wait()
        self._input.close()


def explain(died: Died, limits: Limits) -> Unreadable:
    """What to tell of a file that took its process down."""
    if died.took_too_long:
        return Unreadable(too_long(limits.seconds))
    if died.signal in OUT_OF_MEMORY_SIGNALS:
        return Unreadable(too_much_memory(limits.memory_bytes))
    how = f"signal {died.signal}" if died.signal else "without a word"
    return Unreadable(f"The process that read the file died ({how}). The file may be damaged.", code="server_error")


def _unreadable(code: Any, message: str, details: str) -> Unreadable:
    if details:
        _log.info("A parser stumbled over a file.", extra={"fields": {logs.DETAILS: details}})
    return Unreadable(message, code=code)


def _sendable(filename: str) -> str:
    """File names may hold halves of characters, which JSON has no form for."""
    return filename.encode(errors="replace").decode()
