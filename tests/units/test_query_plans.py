"""Every prepared statement finds its rows through an index on SQLite; only the queue, which is short, is read whole."""

import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.dialects import sqlite

from zhuli.store import jobs, runs, threads
from zhuli.store.schema import metadata
from zhuli.store.statement import Prepared

READ_WHOLE = {"_FREE", "_PROLONG", "_HELD"}

STATEMENTS = [
    pytest.param(statement, id=f"{module.__name__}.{name}")
    for module in (jobs, runs, threads)
    for name, statement in vars(module).items()
    if isinstance(statement, Prepared) and name not in READ_WHOLE
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


def test_the_sweep_reads_only_active_runs(database: sqlite3.Connection) -> None:
    sql = str(runs._OVERDUE._statement.compile(dialect=sqlite.dialect(paramstyle="named")))
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", {"now": 1, "most": 1, "param_1": 1})]
    assert "active_runs" in plan[0]
