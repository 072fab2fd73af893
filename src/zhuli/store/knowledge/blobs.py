"""Which blobs are to be deleted: a job each. Rows and bytes are in two places, and a process may die between them.

A blob is announced before it is written: its job is due much later, and is dropped in the transaction that inserts the
row whose bytes it has. The transaction that deletes such a row makes the job again, due at once.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from zhuli.core.errors import Unavailable
from zhuli.store.database import hint
from zhuli.store.jobs import topic
from zhuli.store.schema import jobs

DISCARD = "discard_blob"

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

WRITING_SECONDS = 6 * 3600.0
"""Nothing takes this long to write; what was announced before and is still not kept was abandoned."""


def announce(connection: Connection, key: str, *, now: float) -> None:
    """A blob is going to be written under this key."""
    _insert(connection, [key], now + WRITING_SECONDS)


def keep(connection: Connection, key: str) -> None:
    """The announced blob is written and belongs to a row; Unavailable if it was given up for abandoned by then."""
    announced = delete(jobs).where(jobs.c.kind == DISCARD, jobs.c.key == key, jobs.c.worker.is_(None))
    if connection.execute(announced).rowcount == 0:
        raise Unavailable("Writing the file took too long. Please try again.")


def abandon(connection: Connection, key: str) -> None:
    """Have an announced blob deleted soon, unless it is kept: a commit may have succeeded that seemed to fail."""
    due = update(jobs).where(jobs.c.kind == DISCARD, jobs.c.key == key, jobs.c.worker.is_(None)).values(lease_until=0.0)
    connection.execute(due)
    hint(connection, topic(DISCARD))


def discard(connection: Connection, keys: Sequence[str]) -> None:
    """Have these blobs deleted soon: nothing needs them any more."""
    if keys:
        _insert(connection, keys, 0.0)
        hint(connection, topic(DISCARD))


def _insert(connection: Connection, keys: Sequence[str], due: float) -> None:
    insert = _INSERT[connection.dialect.name](jobs)
    due_now = insert.on_conflict_do_update(
        index_elements=["kind", "key"], set_={"lease_until": insert.excluded.lease_until}
    )
    connection.execute(due_now, [{"kind": DISCARD, "key": key, "lease_until": due} for key in keys])
