"""What a deleted thread leaves behind: its messages, steps and understandings, and the logs of its runs.

None of it can be reached any more. It is deleted in small transactions, for one of SQLite stops everything else meanwhile.
"""

from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, select

from zhuli.store.schema import messages, run_events, run_steps, understandings
from zhuli.store.statement import prepared

CLEAN_UP = "clean_up_thread"
"""The kind of job that deletes it; its key is the id of the thread, or of a run of it."""

MOST = 200
"""Rows of a table in one transaction: some milliseconds on SQLite."""


def clean_some(connection: Connection, key: str) -> bool:
    """Delete some of what a thread or run of this id left; whether nothing is left."""
    return all(_cleaned(connection, key, *one) for one in _LEFT)


def _cleaned(connection: Connection, key: str, some: Any, table: Table, owner: Any, number: Any) -> bool:
    numbers = some(connection, {"owner": key, "most": MOST}).scalars()
    if numbers:
        connection.execute(delete(table).where(owner == key, number <= numbers[-1]))
    return len(numbers) < MOST


def _left(table: Table, owner: Any, number: Any) -> Any:
    some = select(number).where(owner == bindparam("owner")).order_by(number).limit(bindparam("most"))
    return prepared(some), table, owner, number


_LEFT = (
    _left(run_events, run_events.c.run_id, run_events.c.sequence),
    *(_left(table, table.c.thread_id, table.c.seq) for table in (messages, run_steps, understandings)),
)
