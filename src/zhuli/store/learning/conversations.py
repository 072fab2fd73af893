"""Conversations and understandings of a project, read to learn from them. Nothing is written here."""

import orjson
from sqlalchemy import Connection, select

from zhuli.store.message_text import text_of
from zhuli.store.schema import messages, threads, understandings
from zhuli.types.understanding.understanding import Understanding

MOST_MESSAGES = 1_000
"""Of a thread, the first."""


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


def said(connection: Connection, project: str, thread_id: str, *, before: str | None = None) -> list[dict[str, str]]:
    """The completed messages of the thread that have text, in order, as {"id", "role", "content"}.

    before: up to this message, without it.
    """
    query = select(messages.c.id, messages.c.body).where(
        messages.c.thread_id == thread_id, messages.c.project_id == project, messages.c.status == "completed"
    )
    found: list[dict[str, str]] = []
    for row in connection.execute(query.order_by(messages.c.seq).limit(MOST_MESSAGES)):
        if row.id == before:
            break
        body = orjson.loads(row.body)
        if text := text_of(body["content"]):
            found.append({"id": row.id, "role": body["role"], "content": text})
    return found


def turns(connection: Connection, project: str, thread_id: str, *, before: str | None = None) -> list[dict[str, str]]:
    """The same as a model is told it: {"role", "content"}."""
    messages_of = said(connection, project, thread_id, before=before)
    return [{"role": one["role"], "content": one["content"]} for one in messages_of]


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
