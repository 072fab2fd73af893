"""The handler of discard jobs: the many chunks of a file that was cancelled or left its store, some at a time."""

import asyncio

from zhuli.store import jobs
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.store.knowledge import chunks


class Discarding:
    """Nobody waits for it, and two that delete the same do no harm."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def handle(self, job: Job) -> None:
        """Delete until nothing is left; another attempt goes on where this one ended."""
        while not await self._database.run(chunks.discard_some, int(job.key)):
            await asyncio.sleep(0)
        await self._database.run(jobs.finish, job.kind, job.key)

    async def give_up(self, job: Job, message: str) -> None:
        """The lease runs out, and another attempt is made."""

    async def stopped(self, keys: list[str]) -> list[str]:
        return []

    def interrupt(self, key: str) -> None:
        """Another worker has the job by now."""
