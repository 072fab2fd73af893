"""The connection to SQLite or PostgreSQL, and the one way to use it: run a function in a transaction.

A store function is a plain function whose first argument is a SQLAlchemy Connection. On PostgreSQL it runs on an async
driver (each statement awaits); on SQLite it runs right here in the event loop. A transaction on SQLite takes a tenth of a
millisecond, and a thread would cost more than that in switches (docs/decisions/0003-sqlite-in-the-loop.md).

Hints that a function leaves with `hint()` are published when its transaction has been committed, and only then.
"""

import asyncio
import fcntl
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool

from zhuli.core.errors import ConfigurationError, Unavailable
from zhuli.core.hints import Hints
from zhuli.core.ids import new_id

P = ParamSpec("P")
R = TypeVar("R")

_PENDING = "zhuli.hints"
_RETRIES = 5
_TRANSIENT = {"40001", "40P01"}
"""SQLSTATE of a serialization failure and of a deadlock: the transaction may simply be run again."""


def hint(connection: Connection, topic: str, payload: Any = None) -> None:
    """Publish on `topic` once this transaction is committed."""
    connection.info.setdefault(_PENDING, []).append((topic, payload))


class Database(Protocol):
    """run() calls `function(connection, …)` in one transaction, and may call it again after a deadlock."""

    shared: bool
    """Whether other processes may use the same database at the same time."""

    async def run(
        self, function: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R: ...

    async def aclose(self) -> None: ...


def open_database(url: str, hints: Hints, *, durable: bool = False) -> Database:
    """The database at `url`; its tables are made by store.migrations."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteDatabase(parsed.database or ":memory:", hints, durable=durable)
    if parsed.get_backend_name() == "postgresql":
        return PostgresDatabase(url, hints)
    raise ConfigurationError(f"database_url must begin with sqlite:/// or postgresql://, not {parsed.drivername}.")


class SqliteDatabase:
    """One connection, used by one process. Readers and the writer take turns, each for a fraction of a millisecond."""

    shared = False

    def __init__(self, path: str, hints: Hints, *, durable: bool = False) -> None:
        self._hints = hints
        self._path = path
        self._engine = create_engine(
            f"sqlite:///{path}", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        event.listen(self._engine, "connect", _prepare_durable if durable else _prepare)
        self._connection = self._engine.connect()
        self._driver: Any = self._connection.connection.driver_connection
        self._connection.info["driver"] = self._driver
        self._checkpoints: asyncio.Task[None] | None = None
        self._claim: IO[str] | None = None

    async def run(self, function: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._checkpoints is None and self._path != ":memory:":
            self._checkpoints = asyncio.create_task(self._checkpoint_forever())
        connection = self._connection
        connection.info.pop(_PENDING, None)
        self._driver.execute("BEGIN IMMEDIATE")
        try:
            result = function(connection, *args, **kwargs)
        except BaseException:
            self._end(connection.rollback, "ROLLBACK")
            raise
        self._end(connection.commit, "COMMIT")
        for topic, payload in connection.info.pop(_PENDING, ()):
            self._hints.publish(topic, payload)
        return result

    def own(self) -> None:
        """Claim the database for this process until it ends; ConfigurationError if another one has it."""
        if self._path == ":memory:":
            return
        self._claim = open(f"{self._path}.lock", "w")  # noqa: SIM115 - held for as long as the process works
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(
                f"Another zhuli process works on {self._path}. One process owns a SQLite database; for more, use PostgreSQL."
            ) from error

    def _end(self, end: Callable[[], None], statement: str) -> None:
        """End the transaction: through SQLAlchemy if it took part in it, for it keeps books of its own."""
        if self._connection.in_transaction():
            end()
        else:
            self._driver.execute(statement)

    async def aclose(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.cancel()
            with suppress(asyncio.CancelledError):
                await self._checkpoints
        self._connection.close()
        self._engine.dispose()
        if self._claim is not None:
            self._claim.close()

    async def _checkpoint_forever(self) -> None:
        """Move the write-ahead log into the database on a thread, for that waits for the disk."""
        while True:
            await asyncio.sleep(1)
            await asyncio.to_thread(_checkpoint, self._path)


def _prepare(dbapi: Any, record: Any, *, synchronous: str = "NORMAL") -> None:
    dbapi.isolation_level = None
    cursor = dbapi.cursor()
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "busy_timeout=10000",
        "cache_size=-16000",
        "wal_autocheckpoint=20000",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_durable(dbapi: Any, record: Any) -> None:
    _prepare(dbapi, record, synchronous="FULL")


def _checkpoint(path: str) -> None:
    connection = sqlite3.connect(path, timeout=1)
    try:
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    finally:
        connection.close()


class PostgresDatabase:
    """A pool of asyncpg connections. Hints reach the other processes through NOTIFY."""

    shared = True

    def __init__(self, url: str, hints: Hints) -> None:
        self._hints = hints
        self.origin = new_id("process")
        self.url = make_url(url).set(drivername="postgresql+asyncpg")
        self._engine = create_async_engine(self.url, pool_size=10, max_overflow=20, pool_pre_ping=False)

    async def run(self, function: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(_RETRIES):
            try:
                result, pending = await self._once(lambda connection: function(connection, *args, **kwargs))
            except _Again as again:
                if attempt == _RETRIES - 1:
                    raise Unavailable(f"The database does not take transactions: {again.__cause__}") from again
                await asyncio.sleep(0.01 * 4**attempt)
            else:
                for topic, payload in pending:
                    self._hints.publish(topic, payload)
                return result
        raise AssertionError("unreachable")

    async def _once(self, call: Callable[[Connection], R]) -> tuple[R, list[tuple[str, Any]]]:
        committing = False
        try:
            async with self._engine.connect() as connection:
                async with connection.begin():
                    answer = await connection.run_sync(_call_and_notify, call, self.origin)
                    committing = True
                return answer
        except (DBAPIError, OSError) as error:
            if not committing and _may_run_again(error):
                raise _Again from error
            raise

    async def aclose(self) -> None:
        await self._engine.dispose()


class _Again(Exception):
    """Nothing was committed, and the transaction may succeed when it is run again."""


def _may_run_again(error: DBAPIError | OSError) -> bool:
    """Whether `error` is a lost connection, a deadlock or a serialization failure."""
    if isinstance(error, OSError):
        return True
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _TRANSIENT


CHANNEL = "zhuli"
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', :payload)")


def _call_and_notify(
    connection: Connection, call: Callable[[Connection], R], origin: str
) -> tuple[R, list[tuple[str, Any]]]:
    """Call, and tell other processes which topics have news: a payload is "origin topic"."""
    connection.info.pop(_PENDING, None)
    result = call(connection)
    pending: list[tuple[str, Any]] = connection.info.pop(_PENDING, [])
    for topic in {topic for topic, _ in pending}:
        connection.execute(_NOTIFY, {"payload": f"{origin} {topic}"})
    return result, pending
