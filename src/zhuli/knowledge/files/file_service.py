"""Files: a row and a blob each, made and deleted together, whatever dies on the way."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy import Connection

from zhuli.core.clock import Clock
from zhuli.core.ids import new_id
from zhuli.ports import BlobStore
from zhuli.store.database import Database
from zhuli.store.knowledge import blobs as announced
from zhuli.store.knowledge import files
from zhuli.types.knowledge.file import File, file_of


class FileService:
    """Made once, by the composition root."""

    def __init__(self, database: Database, blobs: BlobStore, clock: Clock) -> None:
        self.database = database
        self.blobs = blobs
        self.clock = clock

    async def add(
        self,
        project: str,
        data: bytes | AsyncIterable[bytes],
        *,
        filename: str,
        purpose: str,
        lifetime: int | None = None,
    ) -> File:
        """A new file. lifetime: seconds after which it expires; None for what is usual for its purpose."""
        async with self.writing(new_id("file"), data) as (file_id, size):
            file = file_of(
                file_id, size, filename=filename, purpose=purpose, lifetime=lifetime, now=int(self.clock.now())
            )
            await self.database.run(files.insert, project, file)
        return file

    @asynccontextmanager
    async def writing(self, key: str, data: bytes | AsyncIterable[bytes]) -> AsyncIterator[tuple[str, int]]:
        """Write a blob, and give its key and size; what happens inside must keep it (store.blobs.keep).

        When that or the writing fails, nothing of the blob stays.
        """
        await self.database.run(announced.announce, key, now=self.clock.now())
        try:
            yield key, await self.blobs.write(key, data)
        except BaseException:
            # Also when this task is cancelled; and if it fails, the job is done when it is due.
            await asyncio.shield(self.database.run(announced.abandon, key))
            raise

    async def delete(self, project: str, file_id: str) -> None:
        """Delete the file, and take it out of every vector store; NotFound if there is none."""
        await self.database.run(files.delete, project, file_id)

    async def expire(self) -> None:
        """Delete the files that are past their expires_at."""
        await repeat(self.database, partial(files.expire, now=self.clock.now()))


async def repeat(database: Database, some: Callable[[Connection], int]) -> None:
    """Call a store function, a transaction each time, until it finds nothing more to do."""
    while await database.run(some):
        await asyncio.sleep(0)
