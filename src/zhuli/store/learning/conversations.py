"""Conversations and understandings of a project, read to learn from them. Nothing is written here."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select

from zhuli.store.schema import messages, threads, understandings
from zhuli.types.understanding.understanding import Understanding

MOST_MESSAGES = 1_000
"""Of a thread, the first."""

_AT_ONCE = 500


def newest_threads(connection: Connection, project: str, *, most: int) -> list[str]:
    """Ids of the project's threads, newest first."""
    query = select(threads.c.id).where(threads.c.project_id == project).order_by(threads.c.seq.desc())
    return list(connection.execute(query.limit(most)).scalars())


def user_of(connection: Connection, project: str, thread_id: str) -> str | None:
    """The end user that the thread's metadata name as `user`; KeyError for a thread that is not there."""
    body = connection.execute(
        select(threads.c.body).where(threads.c.id == thread_id, threads.c.project_id == project)
    ).scalar()
    if body is None:
        raise KeyError(thread_id)
    user = (orjson.loads(body).get("metadata") or {}).get("user")
    return user if isinstance(user, str) and user else None


def turns(connection: Connection, project: str, thread_id: str, *, before: str | None = None) -> list[dict[str, str]]:
    """What was said in the thread, in order, as {"role", "content"}; before: up to this message, without it."""
    query = select(messages.c.id, messages.c.body).where(
        messages.c.thread_id == thread_id, messages.c.project_id == project, messages.c.status == "completed"
    )
    found: list[dict[str, str]] = []
    for row in connection.execute(query.order_by(messages.c.seq).limit(MOST_MESSAGES)):
        if row.id == before:
            break
        body = orjson.loads(row.body)
        if text := _text(body["content"]):
            found.append({"role": body["role"], "content": text})
    return found


def understood(
    connection: Connection, project: str, *, before: int | None, most: int
) -> tuple[list[Understanding], int | None]:
    """Understandings of messages, newest first, and where the next piece begins; None behind the last one."""
    table = understandings.c
    query = select(table.seq, table.body).where(table.project_id == project, table.message_id.is_not(None))
    if before is not None:
        query = query.where(table.seq < before)
    rows = connection.execute(query.order_by(table.seq.desc()).limit(most)).all()
    found = [Understanding.model_validate_json(row.body) for row in rows]
    return found, (rows[-1].seq if len(rows) == most else None)


def _text(content: Sequence[dict[str, Any]]) -> str:
    return "\n".join(block["text"]["value"] for block in content if block["type"] == "text")
