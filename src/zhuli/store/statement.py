"""Statements that are compiled once. They go straight to the driver, which is five times cheaper on SQLite, three on PostgreSQL.

SQLAlchemy's own execution costs about 0.1 ms of CPU a statement, more than a database needs to do what it says; a run has
about thirty. So a statement on the path of a run is a constant made by `prepared()`; what is rare, or built as it goes, is
executed by SQLAlchemy as ever. Both are in the same transaction.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import Delete, Insert, Select, Update

Statement = Select[Any] | Insert | Update | Delete
Parameters = Mapping[str, Any]


class Rows:
    """What a query gave; of other statements there are none. Rows have their columns as attributes."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        return list(self._rows)

    def first(self) -> Any | None:
        return next(iter(self._rows), None)

    def scalar(self) -> Any | None:
        """The first column of the first row; None without a row."""
        row = self.first()
        return None if row is None else row[0]

    def scalars(self) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self._rows]


class Prepared:
    """Call it with a connection and parameters, or a list of parameters for a row each, which give no rows."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._compiled: dict[str, _OnSqlite | _OnPostgres] = {}

    def __call__(self, connection: Connection, parameters: Parameters | Sequence[Parameters]) -> Rows:
        compiled = self._compiled.get(connection.dialect.name)
        if compiled is None:
            kind = _OnSqlite if connection.dialect.name == "sqlite" else _OnPostgres
            compiled = self._compiled[connection.dialect.name] = kind(self._statement, connection.dialect)
        return compiled.execute(connection, parameters)


def prepared(statement: Statement) -> Prepared:
    """The statement, to be compiled when it is first executed."""
    return Prepared(statement)


def only_looks(statement: Any) -> bool:
    """Whether it is a query that locks nothing, so that it is the same in a transaction and by itself (READ COMMITTED)."""
    return isinstance(statement, Select) and statement._for_update_arg is None


def _row_of(statement: Statement) -> Callable[..., Any] | None:
    """What makes a row of what the statement gives; None where that is nothing."""
    columns = list(map(str, statement.exported_columns.keys()))
    return namedtuple("Row", columns, rename=True) if columns else None


class _OnSqlite:
    """A statement in SQLite's SQL."""

    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
        self._sql = str(compiled)
        assert "POSTCOMPILE" not in self._sql, "a prepared statement can't have IN with a list"
        self._defaults = {name: value for name, value in compiled.params.items() if value is not None}
        self._row = _row_of(statement)

    def execute(self, connection: Connection, parameters: Parameters | Sequence[Parameters]) -> Rows:
        try:
            return self._execute(connection.info["driver"], parameters)
        except sqlite3.IntegrityError as error:
            raise IntegrityError(self._sql, parameters, error) from error

    def _execute(self, driver: Any, parameters: Parameters | Sequence[Parameters]) -> Rows:
        if not isinstance(parameters, Mapping):
            given = [{**self._defaults, **row} for row in parameters] if self._defaults else parameters
            driver.executemany(self._sql, given)
            return Rows(())
        cursor = driver.execute(self._sql, {**self._defaults, **parameters} if self._defaults else parameters)
        return Rows(() if self._row is None else [self._row(*row) for row in cursor])


class _OnPostgres:
    """A statement in PostgreSQL's SQL, with numbers for parameters; it is executed by the transaction (store.postgres)."""

    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        inline = statement.inline() if isinstance(statement, Insert) else statement
        compiled: Any = inline.compile(dialect=dialect)
        self._sql = str(compiled)
        assert "POSTCOMPILE" not in self._sql, "a prepared statement can't have IN with a list"
        self._names: list[str] = compiled.positiontup or []
        self._defaults = dict(compiled.params)
        self._looks = only_looks(statement)
        self._row = _row_of(statement)

    def execute(self, connection: Connection, parameters: Parameters | Sequence[Parameters]) -> Rows:
        transaction = connection.info["transaction"]
        if not isinstance(parameters, Mapping):
            transaction.execute_many(self._sql, [self._values(row) for row in parameters])
            return Rows(())
        found = transaction.fetch(self._sql, self._values(parameters), looks=self._looks)
        return Rows(() if self._row is None else [self._row(*row) for row in found])

    def _values(self, parameters: Parameters) -> list[Any]:
        given = {**self._defaults, **parameters}
        return [given[name] for name in self._names]
