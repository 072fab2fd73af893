"""Batches: files that were attached to a vector store together. What is shown of one is counted from its files' rows.

A file that is attached again in another batch belongs to that one from then on.
"""

from sqlalchemy import Connection, bindparam, delete, func, literal, select, update

from zhuli.core.errors import InvalidRequest
from zhuli.core.ids import new_id
from zhuli.store import collections, schema
from zhuli.store.database import hint
from zhuli.store.knowledge import changes, chunks
from zhuli.store.knowledge.vector_store_files import JOB, add_files
from zhuli.store.knowledge.vector_store_locks import lock
from zhuli.store.knowledge.vector_stores import counts
from zhuli.store.schema import vector_store_file_batches as batches
from zhuli.store.schema import vector_store_files as store_files
from zhuli.store.schema import vector_stores
from zhuli.store.statement import prepared
from zhuli.types.knowledge.vector_store import (
    FileBatch,
    FileBatchCreate,
    FileCounts,
    FileStatus,
    VectorStore,
    VectorStoreFile,
    VectorStoreFileCreate,
)


def create(connection: Connection, project: str, store: str, body: FileBatchCreate, *, now: int) -> FileBatch:
    """Attach the files, which begin to be ingested."""
    files = _files(body)
    batch = FileBatch(id=new_id("vsfb"), created_at=now, vector_store_id=store)
    add_files(connection, project, store, files, now=now, batch=batch.id)
    collections.insert(connection, batches, project, batch, {"vector_store_id": store})
    return _counted(connection, batch)


def _files(body: FileBatchCreate) -> list[VectorStoreFileCreate]:
    """The batch's files, each with its own settings or, given as ids, with those of the batch."""
    if body.files is not None and body.file_ids is not None:
        raise InvalidRequest(
            "Invalid 'files': give either file_ids or files, not both.", param="files", code="invalid_value"
        )
    if body.files is not None:
        return body.files
    if body.file_ids is None:
        raise InvalidRequest(
            "Missing required parameter: 'file_ids' (or 'files', if each has its own attributes).",
            param="file_ids",
            code="missing_required_parameter",
        )
    chunking, attributes = body.chunking_strategy, body.attributes
    return [
        VectorStoreFileCreate(file_id=file_id, chunking_strategy=chunking, attributes=attributes)
        for file_id in body.file_ids
    ]


def view(connection: Connection, project: str, store: str, id: str) -> FileBatch:
    """The batch as it is now."""
    collections.get(connection, vector_stores, VectorStore, project, store)
    batch = collections.get(connection, batches, FileBatch, project, id, {"vector_store_id": store})
    return _counted(connection, batch)


def _counted(connection: Connection, batch: FileBatch) -> FileBatch:
    rows = _COUNTED(connection, {"batch": batch.id})
    file_counts, _ = counts(rows).get(batch.id, (FileCounts(), 0))
    return batch.model_copy(update={"file_counts": file_counts, "status": _status(batch, file_counts)})


_COUNTED = prepared(
    select(
        store_files.c.batch_id.label("owner"),
        store_files.c.status,
        func.count().label("number"),
        literal(0).label("usage"),
    )
    .where(store_files.c.batch_id == bindparam("batch"))
    .group_by(store_files.c.batch_id, store_files.c.status)
)


def _status(batch: FileBatch, counted: FileCounts) -> FileStatus:
    """What was cancelled stays so; a batch has failed if each of its files has."""
    if batch.status == "cancelled":
        return "cancelled"
    if counted.in_progress:
        return "in_progress"
    return "failed" if counted.total and counted.failed == counted.total else "completed"


def cancel(connection: Connection, project: str, store: str, id: str) -> FileBatch:
    """Cancel the files that are still in progress. A batch with none of them stays what it is."""
    lock(connection, project, store)
    batch = collections.get(connection, batches, FileBatch, project, id, {"vector_store_id": store})
    waiting = connection.execute(_WAITING, {"batch": id}).all()
    if waiting:
        connection.execute(_NO_JOBS, {"batch": id})
        cancelled = [
            VectorStoreFile.model_validate_json(row.body).model_copy(update={"status": "cancelled"}) for row in waiting
        ]
        _CANCEL(
            connection,
            [
                {"number": row.seq, "new_body": file.model_dump_json()}
                for row, file in zip(waiting, cancelled, strict=True)
            ],
        )
        chunks.discard(connection, [row.seq for row in waiting])
        batch = batch.model_copy(update={"status": "cancelled"})
        collections.replace(connection, batches, batch)
        hint(connection, changes.topic(store))
    return _counted(connection, batch)


_OF_BATCH = (store_files.c.batch_id == bindparam("batch"), store_files.c.status == "in_progress")
_WAITING = select(store_files.c.seq, store_files.c.body).where(*_OF_BATCH).order_by(store_files.c.seq).with_for_update()
_NO_JOBS = delete(schema.jobs).where(
    schema.jobs.c.kind == JOB, schema.jobs.c.key.in_(select(store_files.c.id).where(*_OF_BATCH))
)
_CANCEL = prepared(
    update(store_files)
    .where(store_files.c.seq == bindparam("number"))
    .values(status="cancelled", body=bindparam("new_body"))
)
