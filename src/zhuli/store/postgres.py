"""PostgreSQL: a pool of asyncpg connections, and hints to and from other processes through LISTEN and NOTIFY.

Some hints are lost while the listening connection is made anew: hints may be.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

import asyncpg
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine

from zhuli.core import full_disk
from zhuli.core.errors import Outage, Unavailable
from zhuli.core.hints import Hints
from zhuli.core.ids import new_id
from zhuli.core.outages import Outages
from zhuli.store.database import PENDING
from zhuli.store.kept_answers import has_written, keep
from zhuli.store.postgres_transaction import CHANNEL, Transaction, before_sqlalchemy, is_outdated

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)

_RETRIES = 5
_TRANSIENT = {"40001", "40P01"}
"""SQLSTATE of a serialization failure and of a deadlock: the transaction may simply be run again."""

_GOING = ("08", "57P0")
"""SQLSTATEs of lost connections, and of a server that stops, crashed or starts."""

_DISK_FULL = "53100"

_LISTEN_AGAIN_SECONDS = 1.0

_STATEMENTS = 1000
"""That a connection keeps prepared: more than there are."""


class PostgresDatabase:
    """Other processes may work on the same database; each publishes the hints of all."""

    shared = True

    def __init__(self, url: str, hints: Hints) -> None:
        self._hints = hints
        self.origin = new_id("process")
        self._listening: asyncio.Task[None] | None = None
        self._outages = Outages("The database")
        self._answered = False
        self.url = make_url(url).set(drivername="postgresql+asyncpg")
        self._engine = create_async_engine(
            self.url,
            pool_size=10,
            max_overflow=20,
            pool_pre_ping=False,
            isolation_level="AUTOCOMMIT",  # a Transaction begins and commits itself
            connect_args={"statement_cache_size": _STATEMENTS},
        )
        event.listen(self._engine.sync_engine, "before_cursor_execute", before_sqlalchemy)

    async def run(self, function: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(_RETRIES):
            try:
                result, pending = await self._once(lambda connection: function(connection, *args, **kwargs))
            except _Again as again:
                if attempt == _RETRIES - 1:
                    raise self._given_up(again.__cause__) from again
                await asyncio.sleep(0.01 * 4**attempt)
            else:
                self._answered = True
                self._outages.over()
                for topic, payload in pending:
                    self._hints.publish(topic, payload)
                return result
        raise AssertionError("unreachable")

    async def _once(self, call: Callable[[Connection], R]) -> tuple[R, list[tuple[str, Any]]]:
        progress = _Progress()
        try:
            async with self._engine.connect() as connection:
                progress.connected = True
                return await connection.run_sync(_in_transaction, call, self.origin, progress)
        except (DBAPIError, OSError, PoolTimeout) as error:
            if not progress.committing and _may_run_again(error):
                raise _Again from error
            if not progress.connected:
                raise self._away(f"The database lets nobody in: {_said(error)}.") from error
            if _is_lost(error):
                raise self._away(
                    "The connection to the database was lost while this was being kept. Look whether it was, then send it again."
                ) from error
            if full_disk.found_in(error) or _sqlstate(error) == _DISK_FULL:
                self._outages.note(_said(error))
                raise full_disk.full("The disk of the database") from error
            raise

    def _given_up(self, error: BaseException | None) -> Unavailable:
        """After several tries."""
        if _sqlstate(error) in _TRANSIENT:
            return Unavailable(f"The database does not take transactions: {_said(error)}.")
        return self._away(f"The database does not answer: {_said(error)}.")

    def _away(self, message: str) -> Outage:
        if self._answered:  # else a command has just begun, and ends with this message
            self._outages.note(message)
        return Outage(message, code="database_away")

    async def begin(self) -> None:
        self._listening = asyncio.create_task(self._listen())

    async def aclose(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        await self._engine.dispose()

    async def _listen(self) -> None:
        """Publish what other processes notify, until cancelled."""
        while True:
            try:
                await self._listen_once()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.debug("Listening to PostgreSQL broke off (%s); trying again", error)
            await asyncio.sleep(_LISTEN_AGAIN_SECONDS)

    async def _listen_once(self) -> None:
        address = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection: Any = await asyncpg.connect(address)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(CHANNEL, self._publish)
            await lost.wait()
        finally:
            await connection.close()

    def _publish(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        origin, _, topic = payload.partition(" ")
        if origin != self.origin:
            self._hints.publish(topic)


class _Again(Exception):
    """Nothing was committed, and the transaction may succeed when it is run again."""


def _may_run_again(error: BaseException) -> bool:
    """Whether `error` is a lost connection, a deadlock, a serialization failure, or a table that has changed meanwhile."""
    return _is_lost(error) or _sqlstate(error) in _TRANSIENT or is_outdated(error)


def _is_lost(error: BaseException) -> bool:
    """Whether the connection went, or the server is about to."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or str(_sqlstate(error)).startswith(_GOING)
    return isinstance(error, OSError)


def _sqlstate(error: BaseException | None) -> str | None:
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def _said(error: BaseException | None) -> str:
    """In one line, without SQLAlchemy's SQL."""
    return " ".join(str(getattr(error, "orig", error)).split()).rpartition(">: ")[2]


@dataclass(slots=True)
class _Progress:
    """How far a transaction came before it failed."""

    connected: bool = False
    committing: bool = False


def _in_transaction(
    connection: Connection, call: Callable[[Connection], R], origin: str, progress: _Progress
) -> tuple[R, list[tuple[str, Any]]]:
    """All of a transaction in one greenlet, for each switch to one costs as much as a statement.

    Other processes are told which topics have news: a payload is "origin topic".
    """
    connection.info.pop(PENDING, None)
    with Transaction(connection) as transaction:
        result = call(connection)
        keep(connection, result, wrote=lambda: has_written(connection))
        pending: list[tuple[str, Any]] = connection.info.pop(PENDING, [])
        progress.committing = True
        transaction.commit([f"{origin} {topic}" for topic in {topic for topic, _ in pending}])
    return result, pending
