"""Migrations make exactly the tables that queries are written against, on both databases, and can be taken back."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

import zhuli.store.migrations
from zhuli.core.errors import ConfigurationError
from zhuli.store import migrate
from zhuli.store.database import Database
from zhuli.store.schema import metadata


def config_for(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(zhuli.store.migrations.__path__[0])))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def differences(connection: Connection) -> list[object]:
    """What a next migration would have to do."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def indexes(connection: Connection) -> set[str]:
    looked_at = inspect(connection)
    return {str(index["name"]) for table in metadata.tables for index in looked_at.get_indexes(table)}


def downgrade(connection: Connection) -> None:
    migrate.current(connection)  # begins the transaction, which Alembic otherwise takes for its own
    command.downgrade(config_for(connection), "base")


async def test_an_empty_database_becomes_the_schema(database: Database) -> None:
    assert await database.run(migrate.lacking) == migrate.revisions()
    await database.run(migrate.upgrade)
    assert await database.run(differences) == []
    assert await database.run(migrate.lacking) == []
    assert await database.run(migrate.current) == migrate.newest()


async def test_partial_indexes_are_there_too(database: Database) -> None:
    """compare_metadata() does not look at their conditions, so the promise is tested that hangs on one."""
    await database.run(migrate.upgrade)
    assert {"one_active_run_per_thread", "active_runs"} <= await database.run(indexes)


async def test_upgrading_twice_changes_nothing(database: Database) -> None:
    await database.run(migrate.upgrade)
    await database.run(migrate.upgrade)
    assert await database.run(differences) == []


async def test_every_migration_can_be_taken_back_and_made_again(database: Database) -> None:
    await database.run(migrate.upgrade)
    await database.run(downgrade)
    assert await database.run(tables) == {"alembic_version"}
    await database.run(migrate.upgrade)
    assert await database.run(differences) == []


async def test_a_database_from_the_future_is_left_alone(database: Database) -> None:
    await database.run(migrate.upgrade)
    await database.run(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(ConfigurationError, match="revision 9999, which only a newer zhuli knows"):
        await database.run(migrate.upgrade)


def test_revisions_are_one_line_and_known_by_their_files() -> None:
    script = ScriptDirectory.from_config(config_for())
    in_order = [revision.revision for revision in script.walk_revisions()]
    assert list(reversed(in_order)) == migrate.revisions()
    assert script.get_heads() == [migrate.newest()]
