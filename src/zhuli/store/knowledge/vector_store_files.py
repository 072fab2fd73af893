"""How files enter vector stores, what is known of them there, and how they leave.

A file's stay in a store is a row of its own, whose number is never used twice; chunks and changes go by that number. What
is shown of a store or a batch is counted from these rows. Reading and embedding a file is the ingestion's work.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from zhuli.core.errors import InvalidRequest
from zhuli.store import collections, jobs, schema
from zhuli.store.database import hint
from zhuli.store.knowledge import changes, chunks
from zhuli.store.knowledge.vector_store_locks import lock, note_use, refuse_expired, try_lock
from zhuli.store.schema import vector_store_files as store_files
from zhuli.store.statement import prepared
from zhuli.types.knowledge.vector_store import (
    FileBatch,
    FileStatus,
    VectorStore,
    VectorStoreFile,
    VectorStoreFileCreate,
    chunking_of,
)
from zhuli.types.page import Page, PageParams

JOB = "ingest"
"""The kind of job that reads, cuts and embeds a file; its key is the id of the file's row."""

MOST_FILES = 10_000
"""In one store, as in the API."""

_PIECE = 500
"""Ids in one statement: databases have a limit."""


def add_files(
    connection: Connection,
    project: str,
    store: str,
    files: Sequence[VectorStoreFileCreate],
    *,
    now: int,
    batch: str | None = None,
) -> list[VectorStoreFile]:
    """The files, each once, as files of the store; those that are new there begin to be ingested.

    A file that is there already takes the attributes that are given, and joins the batch. It is ingested again if it had
    failed or was cancelled, or if it is to be cut otherwise.
    """
    collections.get(connection, schema.vector_stores, VectorStore, project, store)
    wanted = {file.file_id: file for file in files}
    _require_files(connection, project, list(wanted))  # files before stores, as when a file is deleted
    refuse_expired(store, lock(connection, project, store), now)
    note_use(connection, store, now)
    there = _stays(connection, store, list(wanted))
    _refuse_too_many(connection, store, len(wanted) - len(there))
    staying = {file_id: stay for file_id, stay in there.items() if _may_stay(stay.file, wanted[file_id])}
    kept = {file_id: _keep(connection, stay, wanted[file_id]) for file_id, stay in staying.items()}
    if batch is not None and kept:
        _JOIN(connection, [{"number": stay.number, "batch": batch} for stay in staying.values()])
    new: dict[str, VectorStoreFile] = {}
    for file_id, asked in wanted.items():
        if file_id not in staying:
            old = there.get(file_id)
            new[file_id] = _new(store, asked, old.file if old else None, now)
    _leave(connection, store, [stay for file_id, stay in there.items() if file_id in new])
    _insert(connection, project, list(new.values()), batch)
    return [kept.get(file_id) or new[file_id] for file_id in wanted]


def _refuse_too_many(connection: Connection, store: str, coming: int) -> None:
    """InvalidRequest if the store, which the caller has locked, can't take so many files more."""
    if not coming:
        return
    there = _COUNT(connection, {"store": store}).scalar() or 0
    if there + coming > MOST_FILES:
        raise InvalidRequest(
            f"A vector store can have at most {MOST_FILES} files. {store} has {there}, and {coming} more were given. "
            "Take some out, or put them into another store.",
            code="vector_store_file_limit_exceeded",
        )


_COUNT = prepared(select(func.count()).where(store_files.c.vector_store_id == bindparam("store")))


@dataclass(frozen=True, slots=True)
class Stay:
    """A file in a store. number: of the row, never used twice."""

    number: int
    file: VectorStoreFile


def _stays(connection: Connection, store: str, file_ids: Sequence[str]) -> dict[str, Stay]:
    """Which of these files are in the store, which the caller has locked; their rows are locked too."""
    found: dict[str, Stay] = {}
    for piece in _pieces([row_id(store, file_id) for file_id in file_ids]):
        for row in connection.execute(_STAYS, {"ids": piece}):
            found[row.file_id] = Stay(row.seq, VectorStoreFile.model_validate_json(row.body))
    return found


_STAYS = (
    select(store_files.c.seq, store_files.c.file_id, store_files.c.body)
    .where(store_files.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(store_files.c.seq)
    .with_for_update()
)


def row_id(store: str, file_id: str) -> str:
    """The id of the row of a file's stay in a store."""
    return f"{store}/{file_id}"


def _may_stay(file: VectorStoreFile, asked: VectorStoreFileCreate) -> bool:
    """Whether what was ingested, or is being so, is what is asked for."""
    same = asked.chunking_strategy is None or chunking_of(asked.chunking_strategy) == file.chunking_strategy
    return same and file.status in ("in_progress", "completed")


def _keep(connection: Connection, stay: Stay, asked: VectorStoreFileCreate) -> VectorStoreFile:
    if asked.attributes is None or asked.attributes == stay.file.attributes:
        return stay.file
    return set_attributes(connection, stay, asked.attributes)


def _new(store: str, asked: VectorStoreFileCreate, old: VectorStoreFile | None, now: int) -> VectorStoreFile:
    """A file that is to be ingested; what is not said stays as it was on an earlier stay."""
    chunking = (
        old.chunking_strategy if old and asked.chunking_strategy is None else chunking_of(asked.chunking_strategy)
    )
    attributes = old.attributes if old and asked.attributes is None else asked.attributes
    return VectorStoreFile(
        id=asked.file_id,
        created_at=now,
        vector_store_id=store,
        chunking_strategy=chunking,
        attributes=dict(attributes or {}),
    )


_JOIN = prepared(
    update(store_files).where(store_files.c.seq == bindparam("number")).values(batch_id=bindparam("batch"))
)


def set_attributes(connection: Connection, stay: Stay, attributes: Mapping[str, Any]) -> VectorStoreFile:
    """Overwrite a file's attributes; the caller has locked the store."""
    file = stay.file.model_copy(update={"attributes": dict(attributes)})
    _REWRITE(connection, {"number": stay.number, "new_body": file.model_dump_json()})
    if file.status == "completed":  # otherwise what follows the log has not heard of the file
        chunks.note_attributes(connection, file.vector_store_id, stay.number)
    return file


_REWRITE = prepared(
    update(store_files).where(store_files.c.seq == bindparam("number")).values(body=bindparam("new_body"))
)


def _insert(connection: Connection, project: str, files: Sequence[VectorStoreFile], batch: str | None) -> None:
    if not files:
        return
    rows = [
        {
            "id": row_id(file.vector_store_id, file.id),
            "project_id": project,
            "body": file.model_dump_json(),
            "vector_store_id": file.vector_store_id,
            "file_id": file.id,
            "batch_id": batch,
            "status": file.status,
        }
        for file in files
    ]
    _INSERT(connection, rows)
    jobs.enqueue_all(connection, JOB, [row_id(file.vector_store_id, file.id) for file in files])


_INSERT = prepared(
    insert(store_files).values(
        {
            name: bindparam(name)
            for name in ("id", "project_id", "body", "vector_store_id", "file_id", "batch_id", "status")
        }
    )
)


def _leave(connection: Connection, store: str, stays: Sequence[Stay]) -> None:
    """The files leave the store, whatever their state; the caller has locked the store and them."""
    if not stays:
        return
    jobs.finish_all(connection, JOB, [row_id(store, stay.file.id) for stay in stays])
    # What follows the log has heard only of completed files.
    chunks.discard(connection, [stay.number for stay in stays if stay.file.status != "completed"])
    for stay in stays:
        if stay.file.status == "completed":
            chunks.remove(connection, store, stay.number)
    _DELETE(connection, [{"number": stay.number} for stay in stays])
    hint(connection, changes.topic(store))


_DELETE = prepared(delete(store_files).where(store_files.c.seq == bindparam("number")))


def modify(
    connection: Connection, project: str, store: str, file_id: str, attributes: Mapping[str, Any]
) -> VectorStoreFile:
    """Overwrite the attributes of a file of the store."""
    lock(connection, project, store)
    return set_attributes(connection, _stay(connection, store, file_id), attributes)


def remove(connection: Connection, project: str, store: str, file_id: str) -> None:
    """Take the file out of the store, with all that was made of it."""
    lock(connection, project, store)
    _leave(connection, store, [_stay(connection, store, file_id)])


def _stay(connection: Connection, store: str, file_id: str) -> Stay:
    found = None if "\0" in file_id else _stays(connection, store, [file_id]).get(file_id)
    if found is None:
        raise collections.missing(store_files, row_id(store, file_id))
    return found


def get(connection: Connection, project: str, store: str, file_id: str) -> VectorStoreFile:
    """The file as it is in the store now."""
    collections.get(connection, schema.vector_stores, VectorStore, project, store)
    return collections.get(connection, store_files, VectorStoreFile, project, row_id(store, file_id))


def page(
    connection: Connection,
    project: str,
    store: str,
    params: PageParams,
    *,
    status: FileStatus | None = None,
    batch: str | None = None,
) -> Page[VectorStoreFile]:
    """A page of the store's files, or of a batch's, with this status; `after` and `before` are ids of files."""
    collections.get(connection, schema.vector_stores, VectorStore, project, store)
    where = {"vector_store_id": store}
    if batch is not None:
        collections.get(connection, schema.vector_store_file_batches, FileBatch, project, batch, where)
        where["batch_id"] = batch
    after, before = (cursor and row_id(store, cursor) for cursor in (params.after, params.before))
    params = replace(params, after=after, before=before)
    only = {} if status is None else {"status": status}
    return collections.page(connection, store_files, VectorStoreFile, project, params, where, only)


def copies(connection: Connection, store: str) -> list[VectorStoreFileCreate]:
    """What attaches the store's files to another one, as they are here."""
    bodies = connection.execute(
        select(store_files.c.body).where(store_files.c.vector_store_id == store).order_by("seq")
    )
    files = [VectorStoreFile.model_validate_json(body) for body in bodies.scalars()]
    return [
        VectorStoreFileCreate(file_id=file.id, chunking_strategy=file.chunking_strategy, attributes=file.attributes)
        for file in files
    ]


def content(connection: Connection, project: str, store: str, file_id: str) -> list[str]:
    """The file's text, as it was read and is searched, in pieces; InvalidRequest for one that is not completed."""
    file = get(connection, project, store, file_id)
    if file.status != "completed":
        raise InvalidRequest(
            f"The content of file '{file_id}' can only be read when its status is 'completed'; it is '{file.status}'.",
            param="file_id",
        )
    number = _NUMBER(connection, {"row": row_id(store, file_id)}).scalar()
    return [] if number is None else chunks.text_pieces(connection, number)


_NUMBER = prepared(select(store_files.c.seq).where(store_files.c.id == bindparam("row")))


def forget_file(connection: Connection, project: str, file_id: str) -> list[str]:
    """Take a file that is being deleted out of every store; their ids."""
    query = select(store_files.c.vector_store_id).where(
        store_files.c.file_id == file_id, store_files.c.project_id == project
    )
    left: list[str] = []
    for store in sorted(connection.execute(query).scalars()):  # in the same order by all, against deadlocks
        if not try_lock(connection, project, store):
            continue  # the store was deleted, and the file's row goes with it
        if (stay := _stays(connection, store, [file_id]).get(file_id)) is not None:
            _leave(connection, store, [stay])
            left.append(store)
    return left


def _require_files(connection: Connection, project: str, file_ids: Sequence[str]) -> None:
    """The files exist, and can't be deleted before the transaction ends; NotFound names the first that does not."""
    known: set[str] = set()
    for piece in _pieces([file_id for file_id in file_ids if "\0" not in file_id]):
        known.update(connection.execute(_KNOWN, {"project": project, "ids": piece}).scalars())
    unknown = next((file_id for file_id in file_ids if file_id not in known), None)
    if unknown is not None:
        raise collections.missing(schema.files, unknown)


_KNOWN = (
    select(schema.files.c.id)
    .where(schema.files.c.project_id == bindparam("project"), schema.files.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(schema.files.c.id)
    .with_for_update(read=True)
)


def _pieces(ids: Sequence[str]) -> Iterable[list[str]]:
    for start in range(0, len(ids), _PIECE):
        yield list(ids[start : start + _PIECE])
