"""The handler of clean-up jobs: what deleted vector stores leave behind in the database and in indexes."""

import asyncio
from collections.abc import Awaitable, Callable

from zhuli.store import jobs
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.store.knowledge.leftovers import clean_some


class CleanUp:
    """forget: drops what indexes keep of a store. A job that breaks is taken up again when its lease has run out."""

    def __init__(self, database: Database, forget: Callable[[str], Awaitable[None]]) -> None:
        self._database = database
        self._forget = forget

    async def handle(self, job: Job) -> None:
        """Delete, some at a time, until nothing is left; the next attempt goes on where this one ended."""
        while not await self._database.run(clean_some, job.key):
            await asyncio.sleep(0)
        await self._forget(job.key)  # last, for a search that was under way may follow the log while there is one
        await self._database.run(jobs.finish, job.kind, job.key)

    async def give_up(self, job: Job, message: str) -> None:
        """Nobody waits for it: the lease runs out, and another attempt is made."""

    async def stopped(self, keys: list[str]) -> list[str]:
        return []

    def interrupt(self, key: str) -> None:
        """Another worker has the job by now; two that delete the same do no harm."""
