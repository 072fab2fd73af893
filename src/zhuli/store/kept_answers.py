"""Answers to POSTs with an Idempotency-Key, so that asking again gives the same answer and does nothing a second time.

The answer is kept in the transaction that makes what it describes: Database.run() calls keep() before it commits. So there is
either the effect with its answer or neither, whenever a process dies. What nobody answered belongs, after a lease, to whoever
asks again; the request that had it can't commit any more, for keep() looks whose it is.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from zhuli.core.errors import Conflict, InvalidRequest
from zhuli.store.schema import kept_answers

LIFETIME_SECONDS = 24 * 3600
"""For which answers are kept."""

LEASE_SECONDS = 10.0
"""After which a request that gave no sign of life may be asked again: its process has died."""

_SWEPT = 500
"""Answers that are forgotten in one transaction."""


@dataclass(slots=True)
class Keyed:
    """A request with a key, while it is answered. kind: of what it is answered with. kept: the answer so far, as JSON."""

    id: str
    owner: str
    kind: type | None
    kept: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """position: the sequence of the run's last event before what was asked for, for those who follow its stream."""

    answer: str
    position: int


current: ContextVar[Keyed | None] = ContextVar("keyed", default=None)
"""The request that is being answered, if it has a key."""


def claim(connection: Connection, keyed: Keyed, digest: str, *, now: float) -> Kept | bool:
    """The answer that there is; else whether the request is now this one's to answer.

    InvalidRequest if the key came with another body before.
    """
    row = {"id": keyed.id, "digest": digest, "owner": keyed.owner, "lease_until": now + LEASE_SECONDS}
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(kept_answers)
    fresh = insert.values(**row, created_at=now).on_conflict_do_nothing(index_elements=["id"])
    if connection.execute(fresh).rowcount:
        return True
    query = select(kept_answers).where(kept_answers.c.id == keyed.id).with_for_update()
    found = connection.execute(query).first()
    if found is None:
        return False  # forgotten just now: to be tried again
    if found.created_at > now - LIFETIME_SECONDS:
        if found.digest != digest:
            raise InvalidRequest(
                "This 'Idempotency-Key' came with another body before. Send the same body again, or another key.",
                param="Idempotency-Key",
                code="idempotency_key_reused",
            )
        if found.answer is not None:
            return Kept(found.answer, found.position)
        if found.lease_until > now:
            return False
    values = {**row, "created_at": now, "answer": None, "position": 0}
    connection.execute(update(kept_answers).where(kept_answers.c.id == keyed.id).values(values))
    return True


def keep(connection: Connection, result: Any, *, wrote: Callable[[], bool]) -> None:
    """Keep what a transaction gives, if it is what the request is answered with; Conflict if the request is another's now.

    wrote: whether the transaction changed anything, for a request may read an object of that kind before it changes it.
    """
    keyed = current.get()
    if keyed is None or keyed.kind is None:
        return
    answer, position = _answer_in(result, keyed.kind)
    if answer is not None and wrote():
        finish(connection, keyed, answer.model_dump_json(), position=position)


def finish(connection: Connection, keyed: Keyed, answer: str, *, position: int = 0) -> None:
    """This is the answer, whoever asks; Conflict if the request is another's now."""
    values = {"answer": answer, "position": position}
    own = (kept_answers.c.id == keyed.id, kept_answers.c.owner == keyed.owner)
    if connection.execute(update(kept_answers).where(*own).values(values)).rowcount == 0:
        raise Conflict("The same request was answered by another process meanwhile.", code="idempotency_key_in_use")
    keyed.kept = answer


def prolong(connection: Connection, keyed: Keyed, *, now: float) -> None:
    """Say that the request is still at work."""
    own = (kept_answers.c.id == keyed.id, kept_answers.c.owner == keyed.owner)
    connection.execute(update(kept_answers).where(*own).values(lease_until=now + LEASE_SECONDS))


def release(connection: Connection, keyed: Keyed) -> None:
    """Let anybody ask again, unless there is an answer: nothing was done."""
    own = (kept_answers.c.id == keyed.id, kept_answers.c.owner == keyed.owner, kept_answers.c.answer.is_(None))
    connection.execute(delete(kept_answers).where(*own))


def release_all(connection: Connection) -> None:
    """The same of every request: for a process that starts on a database which nobody else may use."""
    connection.execute(delete(kept_answers).where(kept_answers.c.answer.is_(None)))


def forget(connection: Connection, *, now: float) -> int:
    """Delete some of the answers that are past their time; how many it were."""
    old = select(kept_answers.c.id).where(kept_answers.c.created_at <= now - LIFETIME_SECONDS).limit(_SWEPT)
    return connection.execute(delete(kept_answers).where(kept_answers.c.id.in_(old))).rowcount


def has_written(connection: Connection) -> bool:
    """Whether this transaction on PostgreSQL changed anything so far."""
    return connection.execute(_TRANSACTION).scalar() is not None


_TRANSACTION = text("SELECT pg_current_xact_id_if_assigned()::text")


def _answer_in(result: Any, kind: type) -> tuple[BaseModel | None, int]:
    """The answer that a transaction gave: by itself, first in a list, or with a run's position."""
    position = result[1] if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], int) else 0
    first = result[0] if isinstance(result, tuple | list) and result else result
    return (first, position) if type(first) is kind and isinstance(first, BaseModel) else (None, 0)
