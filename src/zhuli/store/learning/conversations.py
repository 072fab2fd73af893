"""Conversations and understandings of a project, read to learn from them. Nothing is written here."""

from collections.abc import Mapping

import orjson
from sqlalchemy import Connection, select

from zhuli.store.collections import NOWHERE
from zhuli.store.message_text import text_of
from zhuli.store.schema import messages, threads, understandings
from zhuli.types.understanding.understanding import Understanding

MOST_MESSAGES = 1_000
"""Of a thread, the first."""

EVAL_MARK = "eval_run"
"""In the metadata of threads on which evals ask assistants: they are nobody's conversations, and nothing is learned of them."""

_AT_ONCE = 500


def newest_threads(
    connection: Connection, project: str, *, most: int, metadata: Mapping[str, str] = NOWHERE
) -> list[str]:
    """Ids of the project's threads with all of this metadata, newest first, without those of evals."""
    found: list[str] = []
    query = select(threads.c.seq, threads.c.id, threads.c.body).where(threads.c.project_id == project)
    query = query.order_by(threads.c.seq.desc()).limit(_AT_ONCE)
    rows = connection.execute(query).all()
    while rows and len(found) < most:
        for row in rows:
            has = orjson.loads(row.body).get("metadata") or {}
            if EVAL_MARK not in has and all(has.get(key) == value for key, value in metadata.items()):
                found.append(row.id)
        rows = connection.execute(query.where(threads.c.seq < rows[-1].seq)).all()
    return found[:most]


def is_of_eval(connection: Connection, thread_id: str) -> bool:
    """Whether an eval made the thread, to ask an assistant on it."""
    body = connection.execute(select(threads.c.body).where(threads.c.id == thread_id)).scalar()
    return body is not None and EVAL_MARK in (orjson.loads(body).get("metadata") or {})


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
    """Understandings of messages, newest first, without those on evals' threads; and where the next piece begins.

    That is None behind the last one.
    """
    table = understandings.c
    query = (
        select(table.seq, table.body, threads.c.body.label("thread"))
        .join_from(understandings, threads, threads.c.id == table.thread_id, isouter=True)
        .where(table.project_id == project, table.message_id.is_not(None))
    )
    if before is not None:
        query = query.where(table.seq < before)
    rows = connection.execute(query.order_by(table.seq.desc()).limit(most)).all()
    of_people = [row for row in rows if EVAL_MARK not in (orjson.loads(row.thread or "{}").get("metadata") or {})]
    found = [Understanding.model_validate_json(row.body) for row in of_people]
    return found, (rows[-1].seq if len(rows) == most else None)
