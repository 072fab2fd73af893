"""A transaction on PostgreSQL, with as few round trips as will do: each costs more than most statements.

It begins with the first statement that is more than a look (statement.only_looks): what only looks, as most requests do, sees
at READ COMMITTED the same outside of one. Notifications go along with COMMIT. Prepared statements go to asyncpg itself, others
through SQLAlchemy, which commits nothing here: its connections are set to AUTOCOMMIT.
"""

from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from zhuli.store.statement import only_looks

CHANNEL = "zhuli"


class Transaction:
    """Of a connection that has none. What it is left with an error in is rolled back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._adapter: Any = connection.connection.dbapi_connection
        self._begun = False

    def __enter__(self) -> Self:
        self._connection.info["transaction"] = self
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self._connection.invalidated:
            self._connection.info.pop("transaction", None)
            if self._begun:
                self._roll_back()

    def begin(self) -> None:
        """From now on statements are in the transaction."""
        if not self._begun:
            self._begun = True
            self._do(lambda driver: driver.execute("BEGIN"), "BEGIN")

    def fetch(self, sql: str, values: Sequence[Any], *, looks: bool) -> Sequence[Any]:
        """The rows that the statement gives. IntegrityError, or another of SQLAlchemy's DBAPIErrors."""
        if not looks:
            self.begin()
        rows: Sequence[Any] = self._do(lambda driver: driver.fetch(sql, *values), sql)
        return rows

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The statement with the values of each row, in one round trip."""
        self.begin()
        self._do(lambda driver: driver.executemany(sql, rows), sql)

    def commit(self, payloads: Sequence[str]) -> None:
        """Make it last, and tell others these payloads."""
        script = [f"NOTIFY {CHANNEL}, {_quoted(payload)}" for payload in payloads]
        if self._begun:
            script.append("COMMIT")
        if script:
            self._do(lambda driver: driver.execute("; ".join(script)), "COMMIT")
        self._begun = False

    def _roll_back(self) -> None:
        """A connection where that fails, or is stopped, is not used again."""
        try:
            self._adapter.run_async(lambda driver: driver.execute("ROLLBACK"))
        except BaseException as error:
            self._connection.invalidate(error)
            if not isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | OSError):
                raise

    def _do(self, work: Callable[[Any], Awaitable[Any]], sql: str) -> Any:
        try:
            return self._adapter.run_async(work)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            if self._adapter.driver_connection.is_closed():
                self._let_sqlalchemy_know()
            kind = IntegrityError if isinstance(error, asyncpg.IntegrityConstraintViolationError) else DBAPIError
            raise kind(sql, None, error) from error

    def _let_sqlalchemy_know(self) -> None:
        """That the connection is lost, and with it all that were made before: it raises a DBAPIError that says so."""
        self._begun = True
        self._connection.exec_driver_sql("SELECT 1")


def before_sqlalchemy(
    connection: Connection, cursor: object, sql: str, parameters: object, context: Any, many: bool
) -> None:
    """What SQLAlchemy executes itself is in the transaction, too, unless it only looks."""
    transaction = connection.info.get("transaction")
    if transaction is not None and not only_looks(context.compiled and context.compiled.statement):
        transaction.begin()


def is_outdated(error: BaseException) -> bool:
    """Whether what was prepared does not fit a table any more, which another process has changed."""
    return isinstance(getattr(error, "orig", None), asyncpg.InvalidCachedStatementError)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
