"""Keys as the database has them: enough to know one again, and not to have it."""

from sqlalchemy import select

from zhuli.store import migrate, projects
from zhuli.store.database import Database
from zhuli.store.schema import api_keys


async def test_of_a_key_only_its_hash_is_stored(database: Database) -> None:
    await database.run(migrate.upgrade)
    key, secret = await database.run(projects.create_key, "shop", now=1.0)
    (row,) = await database.run(lambda connection: list(connection.execute(select(api_keys))))
    assert not any(secret in str(value) or secret.encode() == value for value in row)
    assert len(row.digest) == 32
    assert await database.run(projects.key_of, secret, now=2.0) == key
