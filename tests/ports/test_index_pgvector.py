"""The index in PostgreSQL where it is many vectors, several processes, or a database that is not what it should be."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests.harness.postgres import Postgres
from tests.harness.sockets import free_port
from tests.ports.made_vectors import changes, clustered, recall, removals
from zhuli.core.errors import ConfigurationError, Unavailable
from zhuli.registry import find
from zhuli.testing.index_contract import Books

COUNT, FILES = 3_000, 150
FEW = 500
"""Rows that are still compared exactly: as if there were many more."""


def opened(url: str, **settings: Any) -> Any:
    return find("indexes", "pgvector")({"data_dir": "data", "database_url": url, **settings})


@pytest.fixture
def url(pgvector: Postgres) -> str:
    return pgvector.new_database()


@pytest_asyncio.fixture
async def index(url: str) -> AsyncIterator[Any]:
    index = opened(url, exact_rows=FEW)
    yield index
    await index.aclose()


async def test_the_nearest_of_many_are_found_through_an_index_of_the_store(index: Any, url: str) -> None:
    vectors = clustered(COUNT)
    await index.apply("vs_a", changes(vectors), FILES)
    assert await recall(index, "vs_a", vectors) == 1
    await index.settled()
    assert await _indexes(url) == {"vector_index_near_1": True}
    assert await recall(index, "vs_a", vectors) >= 0.98
    assert await recall(index, "vs_a", vectors, files=[7]) == 1
    assert await recall(index, "vs_a", vectors, files=range(1, FILES, 2)) >= 0.98


async def test_removed_files_are_not_found_and_never_cost_results(index: Any) -> None:
    vectors = clustered(COUNT)
    await index.apply("vs_a", changes(vectors), FILES)
    await index.settled()
    gone = list(range(1, FILES - 5))
    await index.apply("vs_a", removals(gone, after=FILES), FILES + len(gone))
    assert await recall(index, "vs_a", vectors, gone=gone) >= 0.98


async def test_a_dropped_store_leaves_no_index(index: Any, url: str) -> None:
    await index.apply("vs_a", changes(clustered(COUNT)), FILES)
    await index.settled()
    await index.drop("vs_a")
    assert await _indexes(url) == {}


async def test_an_index_that_was_interrupted_is_made_anew(index: Any, url: str) -> None:
    vectors = clustered(COUNT)
    await index.apply("vs_a", changes(vectors), FILES)
    await asyncio.sleep(0.05)
    await index.aclose()
    other = opened(url, exact_rows=FEW)
    assert await other.position("vs_a") == FILES
    await other.settled()
    assert await _indexes(url) == {"vector_index_near_1": True}
    assert await recall(other, "vs_a", vectors) >= 0.98
    await other.aclose()


async def test_processes_that_apply_the_same_changes_at_once_end_with_them_once(url: str) -> None:
    books, indexes = Books(1), [opened(url) for _ in range(3)]
    told = [books.story(number) for number in range(1, 40)]
    for end in range(5, len(told) + 1, 5):
        await asyncio.gather(
            *(index.apply("vs_a", told[: end - late], end - late) for late, index in enumerate(indexes))
        )
    await asyncio.gather(*(index.apply("vs_a", told, len(told)) for index in indexes))
    for index in indexes:
        assert await index.position("vs_a") == len(told)
        await books.check(index, "vs_a", most=100)
        await index.aclose()


async def test_a_lost_connection_is_made_again(index: Any, url: str) -> None:
    books = Books(2)
    await index.apply("vs_a", [books.add(1, 5)], 1)
    other = await asyncpg.connect(url)
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await other.close()
    await books.check(index, "vs_a", most=10)


async def test_it_is_available_where_the_extension_may_be_made(url: str) -> None:
    plugin = find("indexes", "pgvector")
    other = await asyncpg.connect(url)
    await other.execute("DROP ROLE IF EXISTS guest")
    await other.execute("CREATE ROLE guest LOGIN")
    guest = url.replace("zhuli@", "guest@")
    assert await plugin.available(url)
    assert not await plugin.available(guest)
    await other.execute("CREATE EXTENSION vector")
    await other.close()
    assert await plugin.available(guest)


async def test_a_database_that_does_not_answer_is_unavailable() -> None:
    index = opened(f"postgresql://zhuli@127.0.0.1:{free_port()}/zhuli")
    with pytest.raises(Unavailable, match="does not answer"):
        await index.position("vs_a")


async def test_another_database_than_postgresql_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="needs a PostgreSQL"):
        opened("sqlite:///zhuli.db")


async def _indexes(url: str) -> dict[str, bool]:
    """The HNSW indexes there are, and whether they are valid."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname LIKE 'vector_index_near%'"
    )
    await connection.close()
    return {row["relname"]: row["indisvalid"] for row in rows}
