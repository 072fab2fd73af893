"""Which of the engine's slots answers which request, so that a thread finds its prefix where it left it.

Left to itself the engine gives a new thread the slot whose prompt begins alike, and the thread that owned it reads its
history again. Here a thread keeps its slot until it has been idle for longest; what it loses then, the engine puts into
its prompt cache. Who comes when all are busy waits in line.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Slots:
    """`count` slots, numbered from 0."""

    def __init__(self, count: int) -> None:
        self._free = asyncio.Semaphore(count)
        self._idle: dict[int, str | None] = dict.fromkeys(range(count))
        """Idle slots and the key of who used them last, the one that has been idle for longest first."""

    @asynccontextmanager
    async def held(self, key: str | None) -> AsyncIterator[int]:
        """A slot for one answer."""
        async with self._free:
            slot = self._best(key)
            del self._idle[slot]
            try:
                yield slot
            finally:
                self._idle[slot] = key

    def _best(self, key: str | None) -> int:
        own = (slot for slot, user in self._idle.items() if key is not None and user == key)
        return next(own, next(iter(self._idle)))
