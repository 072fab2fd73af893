"""Migrations make exactly the tables that queries are written against, on both databases, and can be taken back."""

import re
from hashlib import sha256
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
from zhuli.store import migrate, projects
from zhuli.store.database import Database
from zhuli.store.schema import metadata


@pytest.fixture
def database(empty_database: Database) -> Database:
    return empty_database


def config_for(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(zhuli.store.migrations.__path__[0])))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def differences(connection: Connection) -> list[object]:
    """What a next migration would have to do."""
    opts = {"compare_type": True, "compare_server_default": True, "include_name": _is_no_partition}
    context = MigrationContext.configure(connection, opts=opts)
    return list(compare_metadata(context, metadata))


def _is_no_partition(name: str | None, kind: str, _: object) -> bool:
    """Partitions are of their table, which is looked at."""
    return kind != "table" or re.fullmatch(r"opinion_(entries|items)_(\d+|rest)", name or "") is None


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


async def test_files_that_were_to_expire_before_the_column_came_expire(database: Database) -> None:
    await database.run(lambda connection: at_revision(connection, "0001"))
    bodies = ['{"id":"a","expires_at":1700003600}', '{"id":"b","expires_at":null}', '{"id":"c"}', '{"id":"\\u0000"}']
    await database.run(insert_files, bodies)
    await database.run(migrate.upgrade)
    assert await database.run(expiry) == [1_700_003_600, None, None, None]


async def test_keys_of_earlier_versions_still_open_everything(database: Database) -> None:
    await database.run(lambda connection: at_revision(connection, "0007"))
    await database.run(insert_key, "sk-old")
    await database.run(migrate.upgrade)
    key = await database.run(projects.key_of, "sk-old", now=2.0)
    assert key is not None and all(key.may(scope) for scope in projects.SCOPES)


async def test_taking_back_leaves_no_jobs_that_nobody_could_do(database: Database) -> None:
    await database.run(migrate.upgrade)
    await database.run(insert_jobs, {"ingest": f"vs_{'0' * 40}/file-{'0' * 40}", "run": "run_1"})
    await database.run(lambda connection: at_revision(connection, "0001", down=True))
    assert await database.run(kinds) == ["run"]


def at_revision(connection: Connection, revision: str, *, down: bool = False) -> None:
    migrate.current(connection)  # begins the transaction
    (command.downgrade if down else command.upgrade)(config_for(connection), revision)


def insert_files(connection: Connection, bodies: list[str]) -> None:
    statement = text("INSERT INTO files (id, project_id, body, purpose) VALUES (:id, 'p', :body, 'vision')")
    connection.execute(statement, [{"id": str(number), "body": body} for number, body in enumerate(bodies)])


def insert_key(connection: Connection, secret: str) -> None:
    statement = text(
        "INSERT INTO api_keys (id, project_id, hint, digest, created_at) VALUES ('k', 'p', 'h', :digest, 1)"
    )
    connection.execute(statement, {"digest": sha256(secret.encode()).digest()})


def expiry(connection: Connection) -> list[int | None]:
    return list(connection.execute(text("SELECT expires_at FROM files ORDER BY id")).scalars())


def insert_jobs(connection: Connection, keys: dict[str, str]) -> None:
    statement = text("INSERT INTO jobs (kind, key) VALUES (:kind, :key)")
    connection.execute(statement, [{"kind": kind, "key": key} for kind, key in keys.items()])


def kinds(connection: Connection) -> list[str]:
    return list(connection.execute(text("SELECT kind FROM jobs")).scalars())


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
