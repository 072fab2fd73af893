"""Bring a database to the schema that this version needs, and say which it has.

Alembic does the work. It is loaded only when there is some, for that takes as long as the rest of a server's start.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from zhuli.core.errors import ConfigurationError

_LOCK = 0x7A68756C69
"""Key of the PostgreSQL advisory lock that lets one process migrate while the others wait; the letters of the name."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Apply every revision that the database lacks, or those up to `revision`, within this transaction."""
    if not lacking(connection):
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def lacking(connection: Connection) -> list[str]:
    """The revisions that the database does not have yet, oldest first; all of them for an empty one."""
    have = current(connection)
    known = revisions()
    if have is not None and have not in known:
        raise ConfigurationError(
            f"The database is at revision {have}, which only a newer zhuli knows; this one has {known[-1]}."
        )
    return known if have is None else known[known.index(have) + 1 :]


def current(connection: Connection) -> str | None:
    """The revision that the database has; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def newest() -> str:
    """The revision that this version of zhuli needs."""
    return revisions()[-1]


@cache
def revisions() -> list[str]:
    """Every revision, oldest first. They are one line, and their files are named REVISION_what_it_does.py."""
    files = (_MIGRATIONS / "versions").glob("[0-9]*_*.py")
    return sorted(file.name.partition("_")[0] for file in files)
