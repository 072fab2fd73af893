"""What was understood of a thread's messages: a row for each, in order, and which messages wait to be understood.

Within a run the rows are the fold of its log (store/assistants/runs); a state that a client gives is a row without a message. The
dialogue's state is folded from them elsewhere.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel
from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from zhuli.store import collections
from zhuli.store.message_text import text_of
from zhuli.store.schema import messages, understandings
from zhuli.store.statement import prepared
from zhuli.types.understanding.understanding import MessageUnderstanding, StateChange, Understanding

MOST_UNANSWERED = 32
"""Messages behind the last reply that are looked at; of a thread that was filled by an import only the newest."""


class Recorded(BaseModel):
    """What of an understanding counts for the dialogue's state."""

    domain: str
    changes: list[StateChange]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A user's message that nobody has replied to. understanding: None until it is understood."""

    message_id: str
    text: str
    understanding: Understanding | None


_ROW = ("id", "project_id", "thread_id", "message_id", "run_id", "body")
_ADD = prepared(insert(understandings).values({name: bindparam(name) for name in _ROW}))


def add(connection: Connection, project: str, thread_id: str, understanding: Understanding) -> None:
    """Add what was understood, or given."""
    body = understanding.model_copy(update={"state": None}).model_dump_json()
    row = (understanding.id, project, thread_id, understanding.message_id, understanding.run_id, body)
    _ADD(connection, dict(zip(_ROW, row, strict=True)))


_MESSAGE = prepared(select(messages.c.body).where(messages.c.id == bindparam("message")).with_for_update())
_SHOW = prepared(update(messages).where(messages.c.id == bindparam("message")).values(body=bindparam("new_body")))


def add_to_message(
    connection: Connection, project: str, thread_id: str, understanding: Understanding, *, shown: bool
) -> None:
    """Add what was understood of a message, if that is still there; an earlier understanding of it goes.

    shown: the message carries it.
    """
    body = _MESSAGE(connection, {"message": understanding.message_id}).scalar()
    if body is None:
        return
    _FORGET(connection, {"message": understanding.message_id})
    add(connection, project, thread_id, understanding)
    if shown:
        of_it = MessageUnderstanding(
            id=understanding.id,
            intent=understanding.intent,
            entities=understanding.entities,
            slots=understanding.slots,
        )
        message = {**orjson.loads(body), "understanding": of_it.model_dump(mode="json")}
        _SHOW(connection, {"message": understanding.message_id, "new_body": orjson.dumps(message).decode()})


def get(connection: Connection, project: str, understanding_id: str) -> Understanding:
    """What was understood of a message, by its id; NotFound, also where it is another project's or has gone with its message."""
    with collections.named_by("understanding"):
        return collections.get(connection, understandings, Understanding, project, understanding_id)


_BODIES = prepared(
    select(understandings.c.body)
    .where(understandings.c.thread_id == bindparam("thread"))
    .order_by(understandings.c.seq)
)


def of_thread(connection: Connection, thread_id: str) -> list[Understanding]:
    """All of the thread's, in order."""
    return [Understanding.model_validate_json(body) for body in _BODIES(connection, {"thread": thread_id}).scalars()]


def recorded(connection: Connection, thread_id: str) -> list[Recorded]:
    """What of the thread's understandings makes its state, in order."""
    return [Recorded.model_validate_json(body) for body in _BODIES(connection, {"thread": thread_id}).scalars()]


_NEWEST = prepared(
    select(
        messages.c.id,
        messages.c.run_id,
        messages.c.status,
        messages.c.body,
        understandings.c.body.label("understood"),
    )
    .outerjoin(understandings, understandings.c.message_id == messages.c.id)
    .where(
        messages.c.thread_id == bindparam("thread"),
        or_(messages.c.status == "completed", messages.c.status == "incomplete"),
        func.coalesce(messages.c.run_id, "") != bindparam("run"),
    )
    .order_by(messages.c.seq.desc())
    .limit(bindparam("most"))
)


def unanswered(connection: Connection, thread_id: str, run_id: str) -> list[Unanswered]:
    """The user's messages behind the last reply, oldest first. run_id: the run that is to reply; what it began is none."""
    found: list[Unanswered] = []
    for row in _NEWEST(connection, {"thread": thread_id, "run": run_id, "most": MOST_UNANSWERED}):
        body = orjson.loads(row.body)
        if body["role"] == "user":
            known = None if row.understood is None else Understanding.model_validate_json(row.understood)
            found.append(Unanswered(row.id, text_of(body["content"]), known))
        elif not _broke_off(body):
            break
    return found[::-1]


def _broke_off(message: dict[str, Any]) -> bool:
    """What a failed run began to say is no reply, and no model reads it either."""
    details = message["incomplete_details"]
    return details is not None and details["reason"] == "run_failed"


_FORGET = prepared(delete(understandings).where(understandings.c.message_id == bindparam("message")))


def forget(connection: Connection, message_id: str) -> None:
    """The message was changed or deleted, and what was understood of it with it."""
    _FORGET(connection, {"message": message_id})
