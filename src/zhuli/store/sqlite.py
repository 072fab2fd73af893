"""SQLite: one connection in the event loop of the one process that owns the file."""

import asyncio
import fcntl
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import StaticPool

from zhuli.core import full_disk
from zhuli.core.errors import ConfigurationError, Outage
from zhuli.core.hints import Hints
from zhuli.core.outages import Outages
from zhuli.store.database import PENDING
from zhuli.store.kept_answers import keep

P = ParamSpec("P")
R = TypeVar("R")

_DISK = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}

LONG_LOG = 16_000_000
"""Bytes of the write-ahead log beyond which it is made to begin anew."""

LAST_RESORT = 250_000
"""Pages, a gigabyte, at which a commit moves them itself, which takes seconds."""


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
        self._beginning_anew: asyncio.Task[None] | None = None
        self._claim: IO[str] | None = None
        self._outages = Outages("The database")

    async def run(self, function: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._checkpoints is None and self._path != ":memory:":
            self._checkpoints = asyncio.create_task(self._checkpoint_forever())
        while self._beginning_anew is not None:
            await asyncio.wait([self._beginning_anew])
        connection = self._connection
        connection.info.pop(PENDING, None)
        try:
            result = self._in_transaction(lambda: function(connection, *args, **kwargs))
        except (sqlite3.OperationalError, OperationalError) as error:
            raise self._outage(error) or error from error
        for topic, payload in connection.info.pop(PENDING, ()):
            self._hints.publish(topic, payload)
        return result

    def _in_transaction(self, call: Callable[[], R]) -> R:
        self._driver.execute("BEGIN IMMEDIATE")
        try:
            before = self._driver.total_changes
            result = call()
            wrote = self._driver.total_changes > before
            keep(self._connection, result, wrote=lambda: wrote)
            self._commit()
        except BaseException:
            self._roll_back()
            raise
        if wrote:
            self._outages.over()
        return result

    def _outage(self, error: sqlite3.OperationalError | OperationalError) -> Outage | None:
        """What this failure is, unless it is a mistake of ours."""
        cause = error.orig if isinstance(error, OperationalError) else error
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL or full_disk.found_in(error):
            found: Outage = full_disk.full("The disk of the database")
        elif code in _DISK:
            found = Outage(f"The disk of the database does not work, or is full: {cause}.", code="disk_error")
        elif code in _BUSY:
            found = Outage("Another process holds the database for long. Try again.", code="database_busy")
        else:
            return None
        self._outages.note(str(cause))
        return found

    async def begin(self) -> None:
        """Claim the database for this process until it ends; ConfigurationError if another one has it."""
        if self._path == ":memory:":
            return
        lock = f"{self._path}.lock"
        try:
            self._claim = open(lock, "w")  # noqa: ASYNC230, SIM115 - held while the process works
        except OSError as error:
            raise ConfigurationError(
                f"The lock {lock} can't be written: {error.strerror}. It must be a file."
            ) from error
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(
                f"Another zhuli process works on {self._path}, and a SQLite database has one. Stop it, or give this one "
                "another folder (--data-dir); for several processes use PostgreSQL."
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
        """Move the write-ahead log into the database on a thread, for that waits for the disk: a commit, in the loop, may not."""
        while True:
            await asyncio.sleep(1)
            if await asyncio.to_thread(_size_of_log, self._path) > LONG_LOG:
                await self._begin_log_anew()

    async def _begin_log_anew(self) -> None:
        """Whoever writes all the time always has something left in the log, which so grows and grows.

        What came during the first pass is little. During the last one nobody may write: who wants to waits, and not the loop.
        """
        reader = await asyncio.to_thread(_move_most, self._path)
        self._beginning_anew = asyncio.create_task(asyncio.to_thread(_begin_anew, self._path, reader))
        try:
            await asyncio.wait([self._beginning_anew])
        finally:
            self._beginning_anew = None


def _prepare(dbapi: Any, record: Any, *, synchronous: str = "NORMAL") -> None:
    dbapi.isolation_level = None
    cursor = dbapi.cursor()
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "busy_timeout=10000",
        "cache_size=-16000",
        f"wal_autocheckpoint={LAST_RESORT}",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_durable(dbapi: Any, record: Any) -> None:
    _prepare(dbapi, record, synchronous="FULL")


def _size_of_log(path: str) -> int:
    try:
        return Path(f"{path}-wal").stat().st_size
    except OSError:
        return 0


def _move_most(path: str) -> sqlite3.Connection:
    """What is in the log, while others write.

    Who is given back reads what there was until it is closed, so that nobody can begin the log anew: that waits for the
    disk, too, and the first who writes into a log of which all was moved does so.
    """
    reader = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
    with suppress(sqlite3.OperationalError):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        _execute(path, "PRAGMA wal_checkpoint(PASSIVE)")
    return reader


def _begin_anew(path: str, reader: sqlite3.Connection) -> None:
    """Empty the log, and be the first who writes into it."""
    reader.close()
    _execute(path, "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA user_version = 0")


def _execute(path: str, *statements: str) -> None:
    """Another time, if it can't be now."""
    connection = sqlite3.connect(path, timeout=1, isolation_level=None)
    try:
        with suppress(sqlite3.OperationalError):
            for statement in statements:
                connection.execute(statement).fetchall()
    finally:
        connection.close()
