"""Brings an index up to a store's last change: reads the log from where the index stands, and hands on what it says.

One path for everything: new files, a restart, a process killed in between, a new replica, an index that was thrown away.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol
from weakref import WeakValueDictionary

from zhuli.knowledge.retrieval.ingesting.embedding import floats
from zhuli.store.database import Database
from zhuli.store.knowledge import changes, chunks
from zhuli.store.knowledge.changes import Change
from zhuli.types.knowledge.vectors import IndexChange, IndexedChunk

_CHANGES = 200
"""Changes that are read at once."""

_CHUNKS = 4_000
"""So many chunks are enough to hand on; a single file may have more. About 20 MB."""

_ROWS = 100
"""Chunks that one transaction reads: a millisecond on SQLite."""


class Copy(Protocol):
    """What follows a log: a vector index or the index of words (see ports.VectorIndex)."""

    async def position(self, store: str) -> int:
        """The number of the last change that the copy has of the store; 0 for none."""

    async def apply(self, store: str, changes: Sequence[IndexChange], position: int) -> None:
        """Take in changes, oldest first; afterwards position() is `position`."""

    async def drop(self, store: str) -> None:
        """Forget the store."""


class Follower:
    """Of one index, for all stores. Several calls for a store take turns, and the later ones find it done."""

    def __init__(self, database: Database, index: Copy) -> None:
        self._database = database
        self._index = index
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def catch_up(self, store: str, number: int) -> None:
        """Afterwards the index has every change of the store up to `number`, unless the store is gone."""
        if await self._index.position(store) >= number:
            return
        async with self._lock(store):
            position = await self._index.position(store)
            while position < number:
                log = await self._database.run(changes.after, store, position, most=_CHANGES)
                if not log:
                    return
                position = await self._hand_on(store, log)

    async def forget(self, store: str) -> None:
        """Drop what the index keeps of a store whose log is gone: who catches up after this finds nothing to hand on."""
        async with self._lock(store):
            await self._index.drop(store)

    def _lock(self, store: str) -> asyncio.Lock:
        return self._locks.setdefault(store, asyncio.Lock())

    async def _hand_on(self, store: str, log: Sequence[Change]) -> int:
        """Hand on changes from the log's beginning, as many as fit into memory; the number of the last."""
        taken: list[IndexChange] = []
        loaded = 0
        for change in log:
            position = change.number
            if change.kind == "removed":
                taken.append(IndexChange(change.number, change.file, None))
            elif change.kind == "added":
                taken.append(IndexChange(change.number, change.file, found := await self._chunks(change.file)))
                loaded += len(found)
            if loaded >= _CHUNKS:
                break
        await self._index.apply(store, taken, position)
        return position

    async def _chunks(self, file: int) -> list[IndexedChunk]:
        """All chunks of the file; none or only some if it is being removed, which the log says later."""
        found: list[IndexedChunk] = []
        last = -1
        while rows := await self._database.run(chunks.of_file, file, after=last, most=_ROWS):
            vectors = floats([row.vector for row in rows])
            found += [
                IndexedChunk(row.seq, row.text, row.section, vector) for row, vector in zip(rows, vectors, strict=True)
            ]
            last = rows[-1].ordinal
            if len(rows) < _ROWS:
                break
        return found
