"""Vector stores: made, shown, changed, opened for a search, deleted.

What is shown of a store beside its own fields is counted from its files' rows, whenever it is shown. How files enter and
leave is in vector_store_files, and in batches in file_batches.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, delete, func, select, update

from zhuli.core.ids import new_id
from zhuli.store import collections, jobs, schema
from zhuli.store.database import hint
from zhuli.store.knowledge import changes, vector_store_users
from zhuli.store.knowledge.vector_store_files import JOB as JOB
from zhuli.store.knowledge.vector_store_files import add_files as add_files
from zhuli.store.knowledge.vector_store_files import forget_file as forget_file
from zhuli.store.knowledge.vector_store_locks import lock, note_use, refuse_expired
from zhuli.store.schema import vector_store_files as store_files
from zhuli.store.schema import vector_stores
from zhuli.store.statement import prepared
from zhuli.types.knowledge.vector_store import (
    FileCounts,
    VectorStore,
    VectorStoreCreate,
    VectorStoreFileCreate,
    VectorStoreModify,
)
from zhuli.types.page import Page, PageParams

CLEAN_UP = "clean_up"
"""The kind of job that deletes what a deleted store leaves behind; its key is the store's id."""

Status = Literal["expired", "in_progress", "completed"]

_DAY = 86_400
_USE_NOTED_SECONDS = 60
"""Use is noted at most this often, so that searches do not write to the database each time."""


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store that may be searched. changes: the number of its last change."""

    id: str
    project: str
    embedder: str
    changes: int


def embedders(connection: Connection) -> list[str]:
    """The names of the embedders that made the vectors of any store."""
    return list(connection.execute(select(vector_stores.c.embedder).distinct()).scalars())


def create(connection: Connection, project: str, body: VectorStoreCreate, *, embedder: str, now: int) -> VectorStore:
    """A new store with its first files, which begin to be ingested."""
    store = VectorStore(
        id=new_id("vs"),
        created_at=now,
        name=body.name or "",
        description=body.description,
        expires_after=body.expires_after,
        metadata=dict(body.metadata or {}),
        embedder=embedder,
    )
    expires_at = None if body.expires_after is None else now + body.expires_after.days * _DAY
    columns = {"embedder": embedder, "last_active_at": now, "expires_at": expires_at}
    collections.insert(connection, vector_stores, project, store, columns)
    files = [
        VectorStoreFileCreate(file_id=file_id, chunking_strategy=body.chunking_strategy) for file_id in body.file_ids
    ]
    add_files(connection, project, store.id, files, now=now)
    return view(connection, project, store.id, now=now)


def view(connection: Connection, project: str, id: str, *, now: int) -> VectorStore:
    """The store as it is now: counted, and with its status."""
    store = collections.get(connection, vector_stores, VectorStore, project, id)
    return _shown(connection, [store], now)[0]


def page(connection: Connection, project: str, params: PageParams, *, now: int) -> Page[VectorStore]:
    """A page of the project's stores."""
    found = collections.page(connection, vector_stores, VectorStore, project, params)
    return found.model_copy(update={"data": _shown(connection, found.data, now)})


def _shown(connection: Connection, stores: Sequence[VectorStore], now: int) -> list[VectorStore]:
    ids = {"ids": [store.id for store in stores]}
    used = {row.id: row for row in connection.execute(_USED, ids)}
    counted = counts(connection.execute(_COUNTED, ids))
    shown: list[VectorStore] = []
    for store in stores:
        file_counts, usage = counted.get(store.id, (FileCounts(), 0))
        row = used[store.id]
        update = {
            "file_counts": file_counts,
            "usage_bytes": usage,
            "status": _status(row.expires_at, file_counts.in_progress > 0, now),
            "expires_at": row.expires_at,
            "last_active_at": row.last_active_at,
        }
        shown.append(store.model_copy(update=update))
    return shown


_USED = select(vector_stores.c.id, vector_stores.c.expires_at, vector_stores.c.last_active_at).where(
    vector_stores.c.id.in_(bindparam("ids", expanding=True))
)
_COUNTED = (
    select(
        store_files.c.vector_store_id.label("owner"),
        store_files.c.status,
        func.count().label("number"),
        func.sum(store_files.c.usage_bytes).label("usage"),
    )
    .where(store_files.c.vector_store_id.in_(bindparam("ids", expanding=True)))
    .group_by(store_files.c.vector_store_id, store_files.c.status)
)


def counts(rows: Iterable[Any]) -> dict[str, tuple[FileCounts, int]]:
    """File counts and usage by owner, of rows that have owner, status, number and usage."""
    found: dict[str, tuple[dict[str, int], int]] = {}
    for row in rows:
        by_status, usage = found.get(row.owner, ({}, 0))
        found[row.owner] = (by_status | {row.status: row.number}, usage + int(row.usage))
    return {
        owner: (FileCounts(**by_status, total=sum(by_status.values())), usage)
        for owner, (by_status, usage) in found.items()
    }


def files_in_progress(connection: Connection, ids: Sequence[str]) -> int:
    """How many files of these stores are still being read."""
    if not ids:
        return 0
    found: int = connection.execute(_IN_PROGRESS, {"ids": list(ids)}).scalar_one()
    return found


_IN_PROGRESS = select(func.count()).where(
    store_files.c.vector_store_id.in_(bindparam("ids", expanding=True)), store_files.c.status == "in_progress"
)


def _status(expires_at: int | None, working: bool, now: int) -> Status:
    if expires_at is not None and expires_at <= now:
        return "expired"
    return "in_progress" if working else "completed"


def modify(connection: Connection, project: str, id: str, body: VectorStoreModify, *, now: int) -> VectorStore:
    """Each given field overwrites; a given expires_after counts from now, and brings an expired store back."""
    lock(connection, project, id)
    store = collections.get(connection, vector_stores, VectorStore, project, id)
    given = {"name": body.name or "", "metadata": dict(body.metadata or {}), "expires_after": body.expires_after}
    collections.replace(
        connection, vector_stores, store.model_copy(update={name: given[name] for name in body.model_fields_set})
    )
    if "expires_after" in body.model_fields_set:
        expires_at = None if body.expires_after is None else now + body.expires_after.days * _DAY
        _RENEW(connection, {"store": id, "now": now, "until": expires_at})
    return view(connection, project, id, now=now)


_RENEW = prepared(
    update(vector_stores)
    .where(vector_stores.c.id == bindparam("store"))
    .values(last_active_at=bindparam("now"), expires_at=bindparam("until"))
)


def remove(connection: Connection, project: str, id: str) -> None:
    """Delete the store. It is gone at once; its rows and chunks follow piece by piece, by a job (store.leftovers)."""
    lock(connection, project, id)
    _STOP(connection, {"store": id, "stopped": "cancelled"})
    _NO_JOBS(connection, {"store": id})
    connection.execute(delete(vector_stores).where(vector_stores.c.id == id))
    vector_store_users.forget(connection, id)
    jobs.enqueue(connection, CLEAN_UP, id)
    hint(connection, changes.topic(id))


_STOP = prepared(  # so that who is ingesting one of its files sees that nobody wants it any more
    update(store_files)
    .where(store_files.c.vector_store_id == bindparam("store"), store_files.c.status == "in_progress")
    .values(status=bindparam("stopped"))
)
_STOPPED = select(store_files.c.id).where(
    store_files.c.vector_store_id == bindparam("store"), store_files.c.status == "cancelled"
)
_NO_JOBS = prepared(delete(schema.jobs).where(schema.jobs.c.kind == JOB, schema.jobs.c.key.in_(_STOPPED)))


def open_stores(connection: Connection, project: str, ids: Sequence[str], *, now: int) -> list[OpenStore]:
    """The stores, which are about to be searched: that counts as use. NotFound, or InvalidRequest for an expired one."""
    found: list[OpenStore] = []
    for id_ in dict.fromkeys(ids):
        row = None if "\0" in id_ else _OPEN(connection, {"project": project, "store": id_}).first()
        if row is None:
            raise collections.missing(vector_stores, id_)
        refuse_expired(id_, row.expires_at, now)
        found.append(OpenStore(id_, project, row.embedder, row.changes))
        if row.last_active_at <= now - _USE_NOTED_SECONDS:
            note_use(connection, id_, now)
    return found


_OPEN = prepared(
    select(
        vector_stores.c.embedder, vector_stores.c.changes, vector_stores.c.expires_at, vector_stores.c.last_active_at
    ).where(vector_stores.c.project_id == bindparam("project"), vector_stores.c.id == bindparam("store"))
)


def status_of(connection: Connection, store: str, now: int) -> Status | None:
    """The store's status, without counting; None when there is no such store."""
    row = _EXPIRY(connection, {"store": store}).first()
    if row is None:
        return None
    return _status(row.expires_at, _WORKING(connection, {"store": store}).scalar() is not None, now)


_EXPIRY = prepared(select(vector_stores.c.expires_at).where(vector_stores.c.id == bindparam("store")))
_WORKING = prepared(
    select(store_files.c.status)
    .where(store_files.c.vector_store_id == bindparam("store"), store_files.c.status == "in_progress")
    .limit(1)
)
