"""Make, list, rotate and revoke API keys, directly in the database; a running server notices within seconds."""

from collections.abc import Collection

from zhuli.core.clock import SystemClock
from zhuli.operating.in_database import in_database
from zhuli.settings import Settings
from zhuli.store import projects
from zhuli.store.projects import Scope

DAY = 86_400.0


async def create(
    settings: Settings, project: str, *, name: str | None, scopes: Collection[Scope], days: float | None
) -> str:
    """A new key that opens the project of this name, which is made if there is none. days: until it expires."""
    now = SystemClock().now()
    expires_at = None if days is None else now + days * DAY
    async with in_database(settings) as database:
        _, secret = await database.run(
            projects.create_key, project, now=now, name=name, scopes=scopes, expires_at=expires_at
        )
        return secret


async def listed(settings: Settings) -> list[tuple[projects.ApiKey, str]]:
    """Every key with the name of its project."""
    async with in_database(settings) as database:
        return await database.run(projects.list_keys)


async def rotate(settings: Settings, key_id: str, *, grace_hours: float) -> str:
    """A new key in the place of this one, which opens for some hours more."""
    async with in_database(settings) as database:
        _, secret = await database.run(
            projects.rotate_key, key_id, now=SystemClock().now(), grace=grace_hours * DAY / 24
        )
        return secret


async def revoke(settings: Settings, key_id: str) -> int:
    """The key opens nothing any more; how many are left that do."""
    async with in_database(settings) as database:
        return await database.run(projects.revoke_key, key_id, now=SystemClock().now())
