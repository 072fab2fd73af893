"""Reading files from outside: a small pool of child processes with limits, which may die without taking the server along.

Nothing starts before the first file. A process reads many files and is replaced after some of them, and after each that
it did not finish. How a file is read is the parsers' part, what it is retrieval.recognition's.
"""

import asyncio
from pathlib import Path

from zhuli.core.errors import Unreadable
from zhuli.knowledge.retrieval.reading.reading_limits import PATIENCE, Limits, too_long
from zhuli.knowledge.retrieval.reading.reading_process import Died, ReadingProcess, explain
from zhuli.types.knowledge.document import Block

FILES_A_PROCESS = 200
"""Then a new one, against memory that libraries don't give back. Starting one takes about 0.15 s."""


class Reader:
    """Blocks of files. Cheap to make; aclose() ends the processes."""

    def __init__(
        self,
        *,
        processes: int,
        seconds: float,
        memory_bytes: int,
        max_characters: int,
        enclosed_bytes: int = Limits.enclosed_bytes,
        ocr: str = "",
        ocr_languages: str = "",
    ) -> None:
        self._limits = Limits(seconds, memory_bytes, max_characters, enclosed_bytes, ocr, ocr_languages)
        self._turns = asyncio.Semaphore(processes)
        self._idle: list[ReadingProcess] = []
        self._closed = False

    async def read(self, path: Path, filename: str) -> list[Block]:
        """The file's text in reading order, at least one block; Unreadable says why there is none. `path` is never shown.

        A file that takes down a process which had read others before gets a second try in a fresh one.
        """
        async with self._turns:
            process = await self._process()
            try:
                return await self._read(process, path, filename)
            except Died as died:
                if process.files == 1 or died.took_too_long:
                    raise explain(died, self._limits) from died
            finally:
                await self._put_back(process)
            return await self._read_afresh(path, filename)

    async def aclose(self) -> None:
        """End every process; one that still reads ends with its file."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()

    async def _read_afresh(self, path: Path, filename: str) -> list[Block]:
        process = await ReadingProcess.start(self._limits)
        try:
            return await self._read(process, path, filename)
        except Died as died:
            raise explain(died, self._limits) from died
        finally:
            await self._put_back(process)

    async def _read(self, process: ReadingProcess, path: Path, filename: str) -> list[Block]:
        try:
            async with asyncio.timeout(PATIENCE * self._limits.seconds):
                return await process.read(path, filename)
        except TimeoutError as error:
            raise Unreadable(too_long(self._limits.seconds)) from error

    async def _process(self) -> ReadingProcess:
        return self._idle.pop() if self._idle else await ReadingProcess.start(self._limits)

    async def _put_back(self, process: ReadingProcess) -> None:
        if process.usable and not self._closed and process.files < FILES_A_PROCESS:
            self._idle.append(process)
        else:
            await process.aclose()
