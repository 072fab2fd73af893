"""Statements that are compiled once. On SQLite they go straight to the driver, which is five times cheaper.

SQLAlchemy's own execution costs about 0.1 ms of CPU a statement, more than SQLite needs to do what it says; a run has
about thirty. So a statement on the path of a run is a constant made by `prepared()`; what is rare, or built as it goes, is
executed by SQLAlchemy as ever. Both are in the same transaction.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
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
    """Call it with a connection and parameters, or a list of parameters for a row each."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._sqlite: _Compiled | None = None

    def __call__(self, connection: Connection, parameters: Parameters | Sequence[Parameters]) -> Rows:
        if connection.dialect.name == "sqlite":
            if self._sqlite is None:
                self._sqlite = _Compiled(self._statement)
            return self._sqlite.execute(connection, parameters)
        result = connection.execute(self._statement, parameters)
        return Rows(result.all() if result.returns_rows else ())


def prepared(statement: Statement) -> Prepared:
    """The statement, to be compiled when it is first executed."""
    return Prepared(statement)


class _Compiled:
    """A statement in SQLite's SQL."""

    def __init__(self, statement: Statement) -> None:
        compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
        self._sql = str(compiled)
        assert "POSTCOMPILE" not in self._sql, "a prepared statement can't have IN with a list"
        self._defaults = {name: value for name, value in compiled.params.items() if value is not None}
        columns = list(statement.selected_columns.keys()) if isinstance(statement, Select) else []
        self._row: Callable[..., Any] | None = namedtuple("Row", columns) if columns else None

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
