"""The handler of jobs that delete a blob: its row is gone, or never came to be."""

from zhuli.ports import BlobStore
from zhuli.store import jobs
from zhuli.store.database import Database
from zhuli.store.jobs import Job


class BlobDiscarding:
    """A blob store that does not answer is asked again when the job's lease has run out."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    async def handle(self, job: Job) -> None:
        await self._blobs.delete(job.key)
        await self._database.run(jobs.finish, job.kind, job.key)

    async def give_up(self, job: Job, message: str) -> None:
        """The lease runs out, and another attempt is made."""

    async def stopped(self, keys: list[str]) -> list[str]:
        return []

    def interrupt(self, key: str) -> None:
        """Another worker deletes it by now."""
