"""What a child process writes on standard error: into our log, its last lines kept for errors.

To be made as soon as the process runs, or it stands still when the pipe is full.
"""

import asyncio
import logging
from collections import deque

LAST_WORDS = 8
"""Lines that an error quotes."""


class ChildLog:
    """name: begins each line in our log."""

    def __init__(self, stderr: asyncio.StreamReader, *, name: str) -> None:
        self._name = name
        self._lines: deque[str] = deque(maxlen=LAST_WORDS)
        self._reading = asyncio.create_task(self._read(stderr))

    async def last_words(self) -> str:
        """To be asked for when the process has ended; returns when all that it wrote has been read."""
        await self._reading
        return f"Its log ends: {' / '.join(self._lines)}" if self._lines else ""

    async def _read(self, stderr: asyncio.StreamReader) -> None:
        log = logging.getLogger(__name__)
        while line := await stderr.readline():
            self._lines.append(line.decode(errors="replace").strip())
            log.info("%s: %s", self._name, self._lines[-1])
