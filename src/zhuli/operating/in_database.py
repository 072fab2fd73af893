"""The database for a command: brought up to date, opened beside a running server or without one, and closed behind it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from zhuli.core.clock import SystemClock
from zhuli.core.hints import Hints
from zhuli.settings import Settings
from zhuli.store import migrate, projects
from zhuli.store.database import Database
from zhuli.store.opening import open_database


@asynccontextmanager
async def in_database(settings: Settings) -> AsyncGenerator[Database, None]:
    """The database of the settings; made if there is none."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database, Hints())
    try:
        await database.run(migrate.upgrade)
        yield database
    finally:
        await database.aclose()


@asynccontextmanager
async def in_project(settings: Settings, name: str) -> AsyncGenerator[tuple[Database, str], None]:
    """The same, with the id of the project of this name; the default one is made if it is missing."""
    async with in_database(settings) as database:
        await database.run(projects.ensure_default, now=SystemClock().now())
        yield database, await database.run(projects.named, name)
