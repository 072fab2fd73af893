"""Bring the database up to date by hand. A server does the same when it starts; this is for doing it at a time of one's own."""

from pathlib import Path

from sqlalchemy import make_url

from zhuli.core.hints import Hints
from zhuli.settings import Settings
from zhuli.store import migrate
from zhuli.store.opening import open_database


async def apply(settings: Settings) -> list[str]:
    """Apply the revisions that the database lacks, and name them."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database, Hints())
    try:
        lacking = await database.run(migrate.lacking)
        await database.run(migrate.upgrade)
        return lacking
    finally:
        await database.aclose()


async def lacking(settings: Settings) -> list[str]:
    """The revisions that the database lacks, oldest first. Makes no database where there is none."""
    if _is_yet_to_be_made(settings):
        return migrate.revisions()
    database = open_database(settings.database, Hints())
    try:
        return await database.run(migrate.lacking)
    finally:
        await database.aclose()


def _is_yet_to_be_made(settings: Settings) -> bool:
    """Whether the first start will make the database. One that is elsewhere and not there says so itself when it is asked."""
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite" or not url.database:
        return False
    path = Path(url.database)
    return not path.exists() and (path.parent.exists() or path.parent == settings.data_dir.resolve())
