"""Which assistants and threads search a vector store, so that a deleted store is taken out of their tool_resources."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from zhuli.store import collections
from zhuli.store.schema import assistants, threads, vector_store_users, vector_stores
from zhuli.store.statement import Prepared, prepared
from zhuli.types.assistants.assistant import Assistant
from zhuli.types.assistants.thread import Thread
from zhuli.types.assistants.tools import FileSearchResources


def note(connection: Connection, project: str, stores: Sequence[str], user: str | None) -> None:
    """The stores exist, and stay until the transaction ends; an assistant or thread with this id uses them from now on."""
    for store in stores:
        if "\0" in store or _KEEP(connection, {"project": project, "store": store}).scalar() is None:
            raise collections.missing(vector_stores, store)
        if user is not None:
            _NOTE[connection.dialect.name](connection, {"store": store, "user": user})


_KEEP = prepared(
    select(vector_stores.c.seq)
    .where(vector_stores.c.project_id == bindparam("project"), vector_stores.c.id == bindparam("store"))
    .with_for_update(read=True, key_share=True)
)


def _note(dialect: Any) -> Prepared:
    row: dict[str, Any] = {"vector_store_id": bindparam("store"), "user_id": bindparam("user")}
    return prepared(dialect.insert(vector_store_users).values(row).on_conflict_do_nothing())


_NOTE = {"sqlite": _note(sqlite), "postgresql": _note(postgresql)}


def forget(connection: Connection, store: str) -> None:
    """No assistant and no thread names the store any more."""
    for user in _USERS(connection, {"store": store}).scalars():
        if user.startswith("thread"):
            _without(connection, threads, Thread, user, store)
        else:
            _without(connection, assistants, Assistant, user, store)
    _FORGET(connection, {"store": store})


_USERS = prepared(
    select(vector_store_users.c.user_id).where(vector_store_users.c.vector_store_id == bindparam("store"))
)
_FORGET = prepared(delete(vector_store_users).where(vector_store_users.c.vector_store_id == bindparam("store")))


def _without(connection: Connection, table: Table, kind: type[Assistant] | type[Thread], id: str, store: str) -> None:
    """It may have been deleted, or name another store by now."""
    body = connection.execute(select(table.c.body).where(table.c.id == id).with_for_update()).scalar()
    if body is None:
        return
    item = kind.model_validate_json(body)
    search = item.tool_resources.file_search if item.tool_resources else None
    if item.tool_resources is None or search is None or store not in search.vector_store_ids:
        return
    left = FileSearchResources(vector_store_ids=[other for other in search.vector_store_ids if other != store])
    resources = item.tool_resources.model_copy(update={"file_search": left})
    collections.replace(connection, table, item.model_copy(update={"tool_resources": resources}))
