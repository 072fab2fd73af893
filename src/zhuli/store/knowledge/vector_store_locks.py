"""Before a vector store is changed or used: its lock, the refusal of one that has expired, and that use is noted."""

from sqlalchemy import Connection, bindparam, select, update

from zhuli.core.errors import InvalidRequest
from zhuli.store import collections
from zhuli.store.schema import vector_stores
from zhuli.store.statement import prepared


def lock(connection: Connection, project: str, id: str) -> int | None:
    """Keep others from changing the store until the transaction ends; when it expires. NotFound if it does not exist."""
    row = None if "\0" in id else _LOCK(connection, {"project": project, "store": id}).first()
    if row is None:
        raise collections.missing(vector_stores, id)
    expires_at: int | None = row.expires_at
    return expires_at


def try_lock(connection: Connection, project: str, id: str) -> bool:
    """The same for a store that may not exist any more; whether it does."""
    return _LOCK(connection, {"project": project, "store": id}).first() is not None


_LOCK = prepared(
    select(vector_stores.c.seq, vector_stores.c.expires_at)
    .where(vector_stores.c.project_id == bindparam("project"), vector_stores.c.id == bindparam("store"))
    .with_for_update()
)


def refuse_expired(id: str, expires_at: int | None, now: int) -> None:
    """InvalidRequest if a store that expires then has expired."""
    if expires_at is not None and expires_at <= now:
        raise InvalidRequest(
            f"Vector store {id} has expired. Give it a new 'expires_after' to use it again.",
            param="vector_store_id",
            code="vector_store_expired",
        )


def note_use(connection: Connection, id: str, now: int) -> None:
    """The days until it expires begin anew."""
    _USE(connection, {"store": id, "now": now})


_USE = prepared(
    update(vector_stores)
    .where(vector_stores.c.id == bindparam("store"), vector_stores.c.last_active_at < bindparam("now"))
    .values(
        last_active_at=bindparam("now"),
        expires_at=vector_stores.c.expires_at + bindparam("now") - vector_stores.c.last_active_at,
    )
)
