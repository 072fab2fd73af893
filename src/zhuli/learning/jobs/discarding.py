"""The handler of jobs that delete a folder: of a cancelled tuning, or of a model that was deleted."""

from pathlib import Path

from zhuli.learning.jobs import folders
from zhuli.store import jobs
from zhuli.store.database import Database
from zhuli.store.jobs import Job


class FolderDiscarding:
    """A folder on another machine is not there, and that is no error."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        self._database = database
        self._data_dir = data_dir.resolve()

    async def handle(self, job: Job) -> None:
        await folders.remove(self._data_dir / job.key)
        await self._database.run(jobs.finish, job.kind, job.key)

    async def give_up(self, job: Job, message: str) -> None:
        """The lease runs out, and another attempt is made."""

    async def stopped(self, keys: list[str]) -> list[str]:
        return []

    def interrupt(self, key: str) -> None:
        """Another worker deletes it by now."""
