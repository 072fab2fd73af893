"""Make, list and revoke API keys, directly in the database; a running server notices within seconds."""

from zhuli.core.clock import SystemClock
from zhuli.operating.in_database import in_database
from zhuli.settings import Settings
from zhuli.store import projects


async def create(settings: Settings, project: str) -> str:
    """A new key that opens the project of this name, which is made if there is none."""
    async with in_database(settings) as database:
        _, secret = await database.run(projects.create_key, project, now=SystemClock().now())
        return secret


async def listed(settings: Settings) -> list[tuple[projects.ApiKey, str]]:
    """Every key with the name of its project."""
    async with in_database(settings) as database:
        return await database.run(projects.list_keys)


async def revoke(settings: Settings, key_id: str) -> None:
    """The key opens nothing any more."""
    async with in_database(settings) as database:
        await database.run(projects.revoke_key, key_id)
