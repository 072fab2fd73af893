"""All rows of a database, as they are at one moment, out into files and in again: on SQLite and PostgreSQL alike.

A table is a file of JSON lines: the names of its columns, then a row a line, in the order of the primary key. Bytes are
{"base64": …}. Tables are read as the database has them, so that a copy of an older revision can be put back as well.
"""

import base64
import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import orjson
from sqlalchemy import Connection, MetaData, Table, create_engine, func, insert, inspect, make_url, select, text
from sqlalchemy.pool import NullPool

from zhuli.core.errors import ConfigurationError
from zhuli.store.schema import metadata

R = TypeVar("R")

NOT_ROWS = "alembic_version"

_BOOKS = ("projects", "followers")
"""What a server writes into a new database before anybody has asked it: the default project, and how far it has looked."""

_ROWS = 500
"""Rows that are read, or put in, at once."""


async def at_one_moment(url: str, function: Callable[[Connection], R]) -> R:
    """What `function` reads, in one transaction that sees no later change, and holds nobody up. `url` as in the settings."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _of_sqlite(parsed.database or "", function)
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(parsed.set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            return await connection.run_sync(function)
    finally:
        await engine.dispose()


def _of_sqlite(path: str, function: Callable[[Connection], R]) -> R:
    if not Path(path).exists():
        raise ConfigurationError(f"There is no database {path}.")

    def connect() -> sqlite3.Connection:
        # Another process writes: what it has committed is in its log, which only a reader of the same folder sees.
        return sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, isolation_level=None, timeout=30)

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")  # the first look fixes what all further ones see
            return function(connection)
    finally:
        engine.dispose()


def tables(connection: Connection) -> list[Table]:
    """The tables of zhuli that the database has, by name. Plugins' own (an index's) are none of them."""
    there = set(inspect(connection).get_table_names()) & {*metadata.tables, NOT_ROWS}
    reflected = MetaData()
    reflected.reflect(connection, only=sorted(there - {NOT_ROWS}))
    return [reflected.tables[name] for name in sorted(reflected.tables)]


def write_table(connection: Connection, table: Table, target: Path) -> int:
    """The table's rows into a file; how many there are."""
    rows = 0
    ordered = select(table).order_by(*table.primary_key.columns)
    with target.open("wb") as file:
        file.write(orjson.dumps([column.name for column in table.columns]) + b"\n")
        found = connection.execution_options(stream_results=True, yield_per=_ROWS).execute(ordered)
        for row in found:
            file.write(orjson.dumps([_shown(value) for value in row]) + b"\n")
            rows += 1
    return rows


def read_table(connection: Connection, table: Table, source: Path) -> int:
    """Put the rows of a file into a table that is empty; how many there were."""
    rows = 0
    with source.open("rb") as file:
        names = orjson.loads(file.readline())
        if missing := [name for name in names if name not in table.columns]:
            raise ConfigurationError(
                f"The table {table.name} has no column {missing[0]}: the copy is of another version."
            )
        for some in _in_pieces(file):
            connection.execute(insert(table), [dict(zip(names, map(_meant, line), strict=True)) for line in some])
            rows += len(some)
    return rows


def counters(connection: Connection, found: list[Table]) -> dict[str, int]:
    """The highest number that each table has given to a row, also to one that is deleted since."""
    given = {}
    for table in found:
        if (column := _numbered(table)) is None:
            continue
        highest = connection.execute(select(func.max(table.c[column]))).scalar() or 0
        given[table.name] = max(highest, _counted(connection, table.name, column))
    return given


def set_counters(connection: Connection, found: list[Table], given: dict[str, int]) -> None:
    """Go on behind these numbers."""
    for table in found:
        column, number = _numbered(table), given.get(table.name, 0)
        if column is None or not number:
            continue
        if connection.dialect.name == "postgresql":
            if name := _sequence(connection, table.name, column):
                connection.execute(text("SELECT setval(:name, :number)"), {"name": name, "number": number})
        elif _keeps_count(connection):
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
            connection.execute(
                text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)"),
                {"name": table.name, "number": number},
            )


def is_empty(connection: Connection) -> bool:
    """Whether nobody has worked on the database yet: there are no tables, or nothing but the default project in them."""
    return not any(
        connection.execute(select(func.count()).select_from(table)).scalar() or 0
        for table in tables(connection)
        if table.name not in _BOOKS
    )


def clear(connection: Connection) -> None:
    """Delete the rows that a new database has."""
    for table in tables(connection):
        connection.execute(table.delete())


def _numbered(table: Table) -> str | None:
    """The column by which its rows are numbered as they come."""
    keys = list(table.primary_key.columns)
    return keys[0].name if len(keys) == 1 and keys[0].name in ("seq", "number") else None


def _counted(connection: Connection, table: str, column: str) -> int:
    if connection.dialect.name == "postgresql":
        name = _sequence(connection, table, column)
        if name is None:
            return 0
        row = connection.execute(text(f"SELECT last_value, is_called FROM {name}")).one()
        return int(row.last_value) if row.is_called else 0
    if not _keeps_count(connection):
        return 0
    said = connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table}).scalar()
    return int(said or 0)


def _sequence(connection: Connection, table: str, column: str) -> str | None:
    asked = text("SELECT pg_get_serial_sequence(:table, :column)")
    found: str | None = connection.execute(asked, {"table": table, "column": column}).scalar()
    return found


def _keeps_count(connection: Connection) -> bool:
    return bool(connection.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'")).scalar())


def _in_pieces(lines: Iterator[bytes]) -> Iterator[list[list[Any]]]:
    while some := [orjson.loads(line) for line in islice(lines, _ROWS)]:
        yield some


def _shown(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(bytes(value)).decode()}
    return value


def _meant(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value
