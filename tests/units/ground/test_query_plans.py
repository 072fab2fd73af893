"""Every prepared statement finds its rows through an index on SQLite."""

import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.dialects import sqlite

from zhuli.store import jobs
from zhuli.store.assistants import runs, threads
from zhuli.store.knowledge import (
    changes,
    chunks,
    file_batches,
    ingesting,
    leftovers,
    vector_store_files,
    vector_store_locks,
    vector_store_users,
    vector_stores,
)
from zhuli.store.schema import metadata
from zhuli.store.statement import Prepared
from zhuli.store.understanding import understandings

MODULES = (
    *(changes, chunks, file_batches, ingesting, jobs, leftovers, runs, threads, understandings),
    *(vector_store_files, vector_store_locks, vector_store_users, vector_stores),
)
STATEMENTS = [
    pytest.param(statement, id=f"{module.__name__}.{name}")
    for module in MODULES
    for name, statement in vars(module).items()
    if isinstance(statement, Prepared)
]


@pytest.fixture(scope="module")
def database() -> Iterator[Any]:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    connection = engine.raw_connection()
    yield connection.driver_connection
    connection.close()
    engine.dispose()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_table_is_read_whole(database: sqlite3.Connection, statement: Prepared) -> None:
    sql = str(statement._statement.compile(dialect=sqlite.dialect(paramstyle="named")))
    parameters = dict.fromkeys(re.findall(r":(\w+)", sql), 1)
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]
    assert not [step for step in plan if step.startswith("SCAN") and step != "SCAN CONSTANT ROW"]


@pytest.mark.parametrize(
    ("statement", "index"),
    [(vector_stores._COUNTED, "counts_of_vector_store"), (file_batches._COUNTED._statement, "counts_of_batch")],
    ids=["store", "batch"],
)
def test_files_are_counted_in_an_index_alone(database: sqlite3.Connection, statement: Any, index: str) -> None:
    """However long the rows of ten thousand files are."""
    sql = str(statement.compile(dialect=sqlite.dialect(paramstyle="named"))).replace("(__[POSTCOMPILE_ids])", "('vs')")
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", {"batch": "vsfb", "param_1": 0})]
    assert [step.partition("COVERING INDEX")[2].split()[0] for step in plan] == [index]


def test_the_sweep_reads_only_active_runs(database: sqlite3.Connection) -> None:
    sql = str(runs._OVERDUE._statement.compile(dialect=sqlite.dialect(paramstyle="named")))
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", {"now": 1, "most": 1, "param_1": 1})]
    assert "active_runs" in plan[0]
