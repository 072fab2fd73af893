"""The one way to use the database: run a function in a transaction. sqlite and postgres do it, opening chooses.

A store function is a plain function whose first argument is a SQLAlchemy Connection. On PostgreSQL it runs on an async
driver (each statement awaits); on SQLite it runs right here in the event loop. A transaction on SQLite takes a tenth of a
millisecond, and a thread would cost more than that in switches (docs/decisions/0003-sqlite-in-the-loop.md).

What a function gives is kept in the same transaction when it answers a request with an Idempotency-Key (kept_answers).

Hints that a function leaves with `hint()` are published when its transaction has been committed, and only then.
"""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

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
