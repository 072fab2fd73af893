"""What happened to the files of each vector store, in order: the log that indexes follow.

A file has at most one change of each kind in the log: a newer one takes the place of the older, and a removal that of
everything before it. So the log does not outgrow the files that the store ever had completed, and who follows it from any
point misses nothing.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, bindparam, case, delete, insert, select, update

from zhuli.store.database import hint
from zhuli.store.schema import vector_store_changes as changes
from zhuli.store.schema import vector_stores
from zhuli.store.statement import prepared

Kind = Literal["added", "removed", "attributes"]


@dataclass(frozen=True, slots=True)
class Change:
    """number: grows by one with every change of the store. file: the number of the file's row."""

    number: int
    file: int
    kind: Kind


def topic(store: str) -> str:
    """Where it is hinted that files of the store changed their state; there is no payload."""
    return f"store:{store}"


def record(connection: Connection, store: str, file: int, kind: Kind, *, used_at: int = 0) -> int | None:
    """Append a change, and lock the store until the transaction ends. The change's number, None when the store is gone.

    used_at: when that counts as use of the store, in Unix seconds (see vector_store_locks.note_use).
    """
    number: int | None = _TAKE_NUMBER(connection, {"store": store, "now": used_at}).scalar()
    if number is None:
        return None
    if kind == "removed":
        _FORGET_ALL(connection, {"of_file": file})
    else:
        _FORGET(connection, {"of_file": file, "of_kind": kind})
    _RECORD(connection, {"vector_store_id": store, "number": number, "store_file": file, "kind": kind})
    hint(connection, topic(store))
    return number


_LATER = vector_stores.c.last_active_at < bindparam("now")
_TAKE_NUMBER = prepared(
    update(vector_stores)
    .where(vector_stores.c.id == bindparam("store"))
    .values(
        changes=vector_stores.c.changes + 1,
        last_active_at=case((_LATER, bindparam("now")), else_=vector_stores.c.last_active_at),
        expires_at=vector_stores.c.expires_at
        + case((_LATER, bindparam("now") - vector_stores.c.last_active_at), else_=0),
    )
    .returning(vector_stores.c.changes)
)
_NUMBER = prepared(select(vector_stores.c.changes).where(vector_stores.c.id == bindparam("store")))
_RECORD = prepared(
    insert(changes).values(
        {name: bindparam(name) for name in ("vector_store_id", "number", "store_file", "kind")},
    )
)
_FORGET_ALL = prepared(delete(changes).where(changes.c.store_file == bindparam("of_file")))
_FORGET = prepared(
    delete(changes).where(changes.c.store_file == bindparam("of_file"), changes.c.kind == bindparam("of_kind"))
)


def after(connection: Connection, store: str, number: int, *, most: int) -> list[Change]:
    """The first `most` changes after `number`, oldest first."""
    rows = _AFTER(connection, {"store": store, "position": number, "most": most})
    return [Change(row.number, row.store_file, row.kind) for row in rows]


_AFTER = prepared(
    select(changes.c.number, changes.c.store_file, changes.c.kind)
    .where(changes.c.vector_store_id == bindparam("store"), changes.c.number > bindparam("position"))
    .order_by(changes.c.number)
    .limit(bindparam("most"))
)


def latest(connection: Connection, store: str) -> int:
    """The number of the store's last change; 0 when nothing happened, or the store is gone."""
    return _NUMBER(connection, {"store": store}).scalar() or 0
