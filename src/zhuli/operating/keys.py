"""Make, list and revoke API keys, directly in the database; a running server notices within seconds."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from zhuli.core.clock import SystemClock
from zhuli.core.hints import Hints
from zhuli.settings import Settings
from zhuli.store import migrate, projects
from zhuli.store.database import open_database

P = ParamSpec("P")
R = TypeVar("R")


async def create(settings: Settings, project: str) -> str:
    """A new key that opens the project of this name, which is made if there is none."""
    _, secret = await _in_database(settings, projects.create_key, project, now=SystemClock().now())
    return secret


async def listed(settings: Settings) -> list[tuple[projects.ApiKey, str]]:
    """Every key with the name of its project."""
    return await _in_database(settings, projects.list_keys)


async def revoke(settings: Settings, key_id: str) -> None:
    """The key opens nothing any more."""
    await _in_database(settings, projects.revoke_key, key_id)


async def _in_database(
    settings: Settings, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
) -> R:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database, Hints())
    try:
        await database.run(migrate.upgrade)
        return await database.run(function, *args, **kwargs)
    finally:
        await database.aclose()
