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

from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import StaticPool

from zhuli.core.errors import ConfigurationError
from zhuli.core.hints import Hints

P = ParamSpec("P")
R = TypeVar("R")

PENDING = "zhuli.hints"
"""Where a connection keeps the hints of its transaction."""


def hint(connection: Connection, topic: str, payload: Any = None) -> None:
    """Publish on `topic` once this transaction is committed."""
    connection.info.setdefault(PENDING, []).append((topic, payload))


class Database(Protocol):
    """run() calls `function(connection, …)` in one transaction, and may call it again after a deadlock."""

    shared: bool
    """Whether other processes may use the same database at the same time."""

    async def run(
        self, function: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R: ...

    async def begin(self) -> None:
        """Make ready to work: to be called once by a process that serves or works, not by one that only looks."""

    async def aclose(self) -> None: ...


def open_database(url: str, hints: Hints, *, durable: bool = False) -> Database:
    """The database at `url`; its tables are made by store.migrations."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed.database or ":memory:", hints, durable=durable)
    if parsed.get_backend_name() == "postgresql":
        return _open_postgres(url, hints)
    raise ConfigurationError(f"database_url must begin with sqlite:/// or postgresql://, not {parsed.drivername}.")


def _open_sqlite(path: str, hints: Hints, *, durable: bool) -> "SqliteDatabase":
    try:
        return SqliteDatabase(path, hints, durable=durable)
    except OperationalError as error:
        raise ConfigurationError(f"The SQLite database {path} can't be opened: {error.orig}.") from error


def _open_postgres(url: str, hints: Hints) -> Database:
    try:
        from zhuli.store.postgres import PostgresDatabase  # loads a driver that a server on SQLite does without

        return PostgresDatabase(url, hints)
    except ModuleNotFoundError as error:
        raise ConfigurationError("PostgreSQL needs the extra 'postgres': pip install 'zhuli[postgres]'.") from error


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
        connection.info.pop(PENDING, None)
        self._driver.execute("BEGIN IMMEDIATE")
        try:
            result = function(connection, *args, **kwargs)
            self._commit()
        except BaseException:
            self._roll_back()
            raise
        for topic, payload in connection.info.pop(PENDING, ()):
            self._hints.publish(topic, payload)
        return result

    async def begin(self) -> None:
        """Claim the database for this process until it ends; ConfigurationError if another one has it."""
        if self._path == ":memory:":
            return
        self._claim = open(f"{self._path}.lock", "w")  # noqa: ASYNC230, SIM115 - held while the process works
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(
                f"Another zhuli process works on {self._path}. One process owns a SQLite database; for more, use PostgreSQL."
            ) from error

    def _commit(self) -> None:
        """Through SQLAlchemy if it took part in the transaction, for it keeps books of its own."""
        if self._connection.in_transaction():
            self._connection.commit()
        else:
            self._driver.execute("COMMIT")

    def _roll_back(self) -> None:
        """Also after a commit that failed, on a full disk say: SQLite is still in the transaction then."""
        self._connection.rollback()
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK")

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
