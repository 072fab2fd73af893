"""Stands between an app and its database: sees every transaction that writes, and acts at a chosen one.

So a process can die just before or just after a commit, and a command can come between two of them. Heartbeats do not
count, for they come when they like.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection

from zhuli.core.errors import InvalidRequest
from zhuli.store import jobs
from zhuli.store.database import Database
from zhuli.testing.app import AppInMemory
from zhuli.types.assistants.run import Run

UNCOUNTED = (jobs.heartbeat, jobs.claim)
CHORES = (
    "zhuli.learning.feedback",
    "zhuli.learning.retuning",
    "zhuli.store.learning.signs",
    "zhuli.store.learning.feedback",
    "zhuli.store.learning.retuning",
    "zhuli.store.learning.served",
    "zhuli.store.learning.predictions",
    "zhuli.store.applications.opinion_alerts",
    "zhuli.store.limits",
    "zhuli.store.retention",
    "zhuli.store.usage",
)
"""Where those are that a worker's chores do: they come when they like, too."""


class Died(Exception):
    """The process is dead; nothing that it does reaches the database any more."""


class Transactions:
    """Of one database, from now on. `count` is how many have written and were committed."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        self.dead = False
        self._die_before: int | None = None
        self._die_after: int | None = None
        self._between: dict[int, Callable[[], Awaitable[object]]] = {}
        self._run: Any = database.run
        database.run = self._watched  # type: ignore[method-assign]

    def die_before(self, number: int) -> None:
        """Die with transaction `number` (from 1) done, but not committed."""
        self._die_before = number

    def die_after(self, number: int) -> None:
        """Die with transaction `number` committed, before anybody knows."""
        self._die_after = number

    def behind(self, number: int, act: Callable[[], Awaitable[object]]) -> None:
        """Do something when the next `number` have been committed, before who wrote the last goes on; it may be refused."""
        self._between[self.count + number] = act

    @property
    def waiting(self) -> bool:
        """Whether there were not as many transactions as behind() was told."""
        return bool(self._between)

    async def _watched(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if self.dead:
            raise Died
        wrote = False

        def call(connection: Connection, *args: Any, **kwargs: Any) -> Any:
            nonlocal wrote
            before = _writes(connection)
            result = function(connection, *args, **kwargs)
            wrote = _writes(connection) != before and _counts(function)
            if wrote and self.count + 1 == self._die_before:
                self.dead = True
                raise Died
            return result

        result = await self._run(call, *args, **kwargs)
        if wrote:
            await self._committed()
        return result

    async def _committed(self) -> None:
        self.count += 1
        if self.count == self._die_after:
            self.dead = True
            raise Died
        if act := self._between.pop(self.count, None):
            with suppress(InvalidRequest):
                await act()


async def cancel_and_die(app: AppInMemory, run: Run) -> Transactions:
    """Begin to cancel a run that a worker executes, and die before anybody acts on it."""
    transactions = Transactions(app.app.database)
    transactions.die_after(1)
    with suppress(Died):
        await app.cancel(run)
    return transactions


def _counts(function: Callable[..., Any]) -> bool:
    return function not in UNCOUNTED and not str(getattr(function, "__module__", "")).startswith(CHORES)


def _writes(connection: Connection) -> Any:
    """Something that changes when the transaction writes."""
    if connection.dialect.name == "postgresql":
        return connection.exec_driver_sql("SELECT pg_current_xact_id_if_assigned()::text").scalar()
    return connection.info["driver"].total_changes
