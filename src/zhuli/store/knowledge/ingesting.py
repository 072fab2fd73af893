"""What the ingestion of a file writes: its chunks, a few at a time, and how it ended. Each function is a transaction.

Every one of them locks the file's row and makes sure that the work is still wanted and the claim still stands. So a file
that is cancelled, replaced or deleted gets no more chunks from the moment on in which that is committed, and no chunk is
written twice by two workers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, func, insert, select, update

from zhuli.core.errors import FileErrorCode
from zhuli.store import jobs
from zhuli.store.database import hint
from zhuli.store.jobs import Job
from zhuli.store.knowledge import changes, chunks
from zhuli.store.schema import chunks as chunk_rows
from zhuli.store.schema import files, vector_store_files, vector_stores
from zhuli.store.statement import prepared
from zhuli.types.assistants.tools import StaticChunking
from zhuli.types.knowledge.document import Chunk
from zhuli.types.knowledge.vector_store import FileError, VectorStoreFile


class Unwanted(Exception):
    """The file was cancelled, replaced or deleted while it was worked on."""


@dataclass(frozen=True, slots=True)
class Task:
    """What must be ingested, and how. number: of the file's row, which its chunks carry. embedder: its name.

    written: the digests of the first chunks, at most COMPARED, that an earlier attempt has written.
    """

    number: int
    store: str
    file_id: str
    filename: str
    embedder: str
    chunking: StaticChunking
    written: list[bytes]


@dataclass(frozen=True, slots=True)
class EmbeddedChunk:
    """A chunk with its place in the file, the digest of what was embedded, and its vector in half floats."""

    ordinal: int
    chunk: Chunk
    digest: bytes
    vector: bytes


def take_up(connection: Connection, job: Job) -> Task | None:
    """The task that the job is for; None, and the job is done, when nobody wants it any more."""
    try:
        row = _checked(connection, job, _SOURCE(connection, {"key": job.key}).first())
    except Unwanted:
        jobs.check(connection, job)
        jobs.finish(connection, job.kind, job.key)
        return None
    return Task(
        number=row.seq,
        store=row.vector_store_id,
        file_id=row.file_id,
        filename=orjson.loads(row.file_body)["filename"],
        embedder=row.embedder,
        chunking=VectorStoreFile.model_validate_json(row.body).chunking_strategy.static,
        written=written(connection, row.seq, after=-1),
    )


def still_wanted(connection: Connection, job: Job) -> bool:
    """Whether this claim's work should go on."""
    try:
        _wanted(connection, job)
    except Unwanted:
        return False
    return True


def _wanted(connection: Connection, job: Job) -> Any:
    """The file's row, locked; Unwanted, or LeaseLost when the job is somebody else's."""
    return _checked(connection, job, _LOCK(connection, {"key": job.key}).first())


def _checked(connection: Connection, job: Job, row: Any, check: Callable[[Connection, Job], None] = jobs.check) -> Any:
    """check: what makes sure of the claim, with the row locked."""
    if row is None or row.status != "in_progress":
        raise Unwanted
    check(connection, job)
    return row


_ROW = (
    vector_store_files.c.seq,
    vector_store_files.c.vector_store_id,
    vector_store_files.c.file_id,
    vector_store_files.c.status,
    vector_store_files.c.body,
)
_LOCK = prepared(select(*_ROW).where(vector_store_files.c.id == bindparam("key")).with_for_update())
# With the file's own body and the store's embedder: there is no row when one of them is being deleted.
_SOURCE = prepared(
    select(*_ROW, files.c.body.label("file_body"), vector_stores.c.embedder)
    .select_from(vector_store_files)
    .join(files, files.c.id == vector_store_files.c.file_id)
    .join(vector_stores, vector_stores.c.id == vector_store_files.c.vector_store_id)
    .where(vector_store_files.c.id == bindparam("key"))
    .with_for_update(of=vector_store_files)
)

COMPARED = 500
"""Digests of an earlier attempt that are read at once."""


def written(connection: Connection, number: int, *, after: int) -> list[bytes]:
    """The digests of the next chunks, at most COMPARED, that were written, in order, behind the one with ordinal `after`."""
    return _WRITTEN(connection, {"file": number, "behind": after, "most": COMPARED}).scalars()


_WRITTEN = prepared(
    select(chunk_rows.c.digest)
    .where(chunk_rows.c.store_file == bindparam("file"), chunk_rows.c.ordinal > bindparam("behind"))
    .order_by(chunk_rows.c.ordinal)
    .limit(bindparam("most"))
)


def known_vectors(connection: Connection, digests: Sequence[bytes]) -> dict[bytes, bytes]:
    """The vectors of what was embedded before, in whichever file, by digest."""
    rows = connection.execute(_KNOWN, {"digests": list(digests)})
    return {row.digest: row.vector for row in rows}


_ONE_OF_EACH = (
    select(func.min(chunk_rows.c.seq))
    .where(chunk_rows.c.digest.in_(bindparam("digests", expanding=True)))
    .group_by(chunk_rows.c.digest)
)
_KNOWN = select(chunk_rows.c.digest, chunk_rows.c.vector).where(chunk_rows.c.seq.in_(_ONE_OF_EACH))


def write(connection: Connection, job: Job, made: Sequence[EmbeddedChunk]) -> None:
    """Add chunks to the file."""
    _insert(connection, _wanted(connection, job).seq, made)


def _insert(connection: Connection, number: int, made: Sequence[EmbeddedChunk]) -> None:
    if made:
        _INSERT(connection, [_row(number, chunk) for chunk in made])


def _row(number: int, made: EmbeddedChunk) -> dict[str, Any]:
    chunk = made.chunk
    return {
        "store_file": number,
        "ordinal": made.ordinal,
        "text": chunk.text,
        "section": chunk.section,
        "start": chunk.start,
        "end": chunk.end,
        "page": chunk.page,
        "tokens": chunk.tokens,
        "digest": made.digest,
        "vector": made.vector,
    }


_COLUMNS = ("store_file", "ordinal", "text", "section", "start", "end", "page", "tokens", "digest", "vector")
_INSERT = prepared(insert(chunk_rows).values({name: bindparam(name) for name in _COLUMNS}))


def unwrite(connection: Connection, job: Job) -> bool:
    """Delete some of the chunks that the file has so far, from the end; whether none are left."""
    return chunks.discard_some(connection, _wanted(connection, job).seq)


def complete(
    connection: Connection, job: Job, task: Task, last: Sequence[EmbeddedChunk], *, usage: int, now: int
) -> None:
    """Add the last chunks; from now on the file's chunks count: they are `usage` bytes of text and vectors."""
    changes.record(
        connection, task.store, task.number, "added", used_at=now
    )  # locks the store, as everybody does first
    row = _checked(connection, job, _LOCK(connection, {"key": job.key}).first(), jobs.end)
    _insert(connection, row.seq, last)
    _end(connection, row, {"status": "completed", "usage_bytes": usage})


def fail(connection: Connection, job: Job, *, code: FileErrorCode, message: str) -> None:
    """Nothing comes of the file; its chunks are gone already."""
    row = _wanted(connection, job)
    _end(connection, row, {"status": "failed", "last_error": FileError(code=code, message=message)})
    jobs.finish(connection, job.kind, job.key)
    hint(connection, changes.topic(row.vector_store_id))


def _end(connection: Connection, row: Any, values: dict[str, Any]) -> None:
    file = VectorStoreFile.model_validate_json(row.body).model_copy(update=values)
    ended = {
        "number": row.seq,
        "new_body": file.model_dump_json(),
        "new_status": file.status,
        "usage": file.usage_bytes,
    }
    _END(connection, ended)


_END = prepared(
    update(vector_store_files)
    .where(vector_store_files.c.seq == bindparam("number"))
    .values(body=bindparam("new_body"), status=bindparam("new_status"), usage_bytes=bindparam("usage"))
)


def in_progress(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Which of these files are still to be ingested."""
    return set(connection.execute(_IN_PROGRESS, {"keys": list(keys)}).scalars())


_IN_PROGRESS = select(vector_store_files.c.id).where(
    vector_store_files.c.id.in_(bindparam("keys", expanding=True)), vector_store_files.c.status == "in_progress"
)
