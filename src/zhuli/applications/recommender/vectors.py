"""Vectors of items' texts, made by the recommender's embedder in pieces; what is made is kept, so that a new attempt goes on."""

import asyncio
import struct

from zhuli.core.errors import ServerFault
from zhuli.models.catalog import Catalog
from zhuli.store import jobs
from zhuli.store.applications import recommender as store
from zhuli.store.database import Database
from zhuli.store.jobs import Job

_AT_ONCE = 64


class ItemVectors:
    """The handler of jobs that make them."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog

    async def handle(self, job: Job) -> None:
        found = await self._database.run(store.by_id, job.key)
        if found is not None:
            await self.make(job.key, found[1].embedder)
        await self._database.run(store.end_vectors, job)

    async def give_up(self, job: Job, message: str) -> None:
        """Items without vectors are found by what is done with them; the next change of an item tries again."""
        await self._database.run(jobs.finish, job.kind, job.key)

    async def stopped(self, keys: list[str]) -> list[str]:
        return []

    def interrupt(self, key: str) -> None:
        """Nobody ends these before they are done."""

    async def make(self, recommender: str, embedder: str) -> None:
        """Of all items that have none."""
        entry = self._catalog.resolve_embedder(embedder)
        if entry is None:
            raise ServerFault(f"The embedder '{embedder}' of the recommender is not in the models file any more.")
        while items := await self._database.run(store.without_vector, recommender, most=_AT_ONCE):
            vectors = await entry.embedder.embed([text or " " for _, text in items], "passage")
            halves = halved(vectors.data, vectors.dimensions)
            made = [(seq, half) for (seq, _), half in zip(items, halves, strict=True)]
            await self._database.run(store.put_vectors, recommender, made)
            await asyncio.sleep(0)


def halved(data: bytes, dimensions: int) -> list[bytes]:
    """Rows of float32 as rows of half floats, all little-endian."""
    wide = dimensions * 4
    pack = struct.Struct(f"<{dimensions}e").pack
    unpack = struct.Struct(f"<{dimensions}f").unpack
    return [pack(*unpack(data[start : start + wide])) for start in range(0, len(data), wide)]
