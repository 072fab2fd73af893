"""The handler of jobs that delete the log of a data set that is gone."""

import asyncio

from zhuli.store import jobs
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.store.learning.dataset_deletion import clean_some


class LogDiscarding:
    """A job that breaks is taken up again when its lease has run out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def handle(self, job: Job) -> None:
        """Delete, some at a time, until nothing is left; the next attempt goes on where this one ended."""
        while not await self._database.run(clean_some, job.key):
            await asyncio.sleep(0.01)
        await self._database.run(jobs.finish, job.kind, job.key)

    async def give_up(self, job: Job, message: str) -> None:
        """Nobody waits for it: the lease runs out, and another attempt is made."""

    async def stopped(self, keys: list[str]) -> list[str]:
        return []

    def interrupt(self, key: str) -> None:
        """Another worker has the job by now; two that delete the same do no harm."""
