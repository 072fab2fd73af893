"""What runs and understandings show of people's contentment, read by a follower, which keeps how far it has looked.

A position may be lost or go back: who finds the same a second time gives it the same key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select

from zhuli.store.message_text import text_of
from zhuli.store.schema import followers, messages, runs, understandings
from zhuli.types.understanding.understanding import Understanding

_LOOKED_AT = 12
"""Messages of a thread, the newest."""


@dataclass(frozen=True, slots=True)
class EndedRun:
    """seconds since 1970."""

    project: str
    id: str
    thread_id: str
    status: str
    ended_at: float


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a thread."""

    id: str
    role: str
    text: str
    created_at: int


def position(connection: Connection, name: str) -> float | None:
    """How far the follower has looked; None for one that never has."""
    found = connection.execute(select(followers.c.position).where(followers.c.name == name)).scalar()
    return None if found is None else float(found)


def keep_position(connection: Connection, name: str, at: float) -> None:
    """It has looked as far as this."""
    connection.execute(delete(followers).where(followers.c.name == name))
    connection.execute(insert(followers), {"name": name, "position": at})


def ended_runs(connection: Connection, *, after: float, most: int) -> list[EndedRun]:
    """Runs that ended then or later, in the order of their ends."""
    query = select(runs.c.project_id, runs.c.id, runs.c.thread_id, runs.c.status, runs.c.ended_at)
    query = query.where(runs.c.ended_at >= after).order_by(runs.c.ended_at).limit(most)
    return [EndedRun(*row) for row in connection.execute(query)]


def newest_messages(connection: Connection, thread_id: str) -> list[Said]:
    """The thread's last messages, oldest first."""
    query = select(messages.c.body).where(messages.c.thread_id == thread_id).order_by(messages.c.seq.desc())
    bodies = list(connection.execute(query.limit(_LOOKED_AT)).scalars())
    return [_said(orjson.loads(body)) for body in reversed(bodies)]


def _said(body: dict[str, Any]) -> Said:
    return Said(body["id"], body["role"], text_of(body["content"]), body["created_at"])


def understood(connection: Connection, *, after: int, most: int) -> Sequence[tuple[int, str, Understanding]]:
    """Understandings behind this place, in order: place, project, understanding."""
    table = understandings.c
    query = select(table.seq, table.project_id, table.body).where(table.seq > after, table.message_id.is_not(None))
    rows = connection.execute(query.order_by(table.seq).limit(most))
    return [(row.seq, row.project_id, Understanding.model_validate_json(row.body)) for row in rows]


def was_answered(connection: Connection, thread_id: str, seq: int) -> bool:
    """Whether something was understood in the thread behind this place."""
    table = understandings.c
    query = select(table.seq).where(table.thread_id == thread_id, table.seq > seq).limit(1)
    return connection.execute(query).scalar() is not None
