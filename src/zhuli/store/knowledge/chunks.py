"""Chunks: what of the files of vector stores is searched. Rows come from store.ingesting; here they are read and removed.

Vectors are half floats in the rows, and stay what they are here: bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, func, select

from zhuli.store import jobs
from zhuli.store.knowledge import changes
from zhuli.store.schema import chunks, files, vector_store_files
from zhuli.store.statement import prepared
from zhuli.types.knowledge.passages import Attributes

DISCARD = "discard"
"""The kind of job that deletes the chunks of a file which is in no store any more; its key is the file's number."""

_AT_ONCE = 200
"""Chunks that one transaction deletes: some milliseconds on SQLite, during which nothing else happens."""


@dataclass(frozen=True, slots=True)
class Row:
    """A chunk as indexes take it in. vector: half floats."""

    seq: int
    ordinal: int
    text: str
    section: str
    vector: bytes


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk with where it comes from. file: the number of the file's stay in its store."""

    chunk: int
    file: int
    vector_store_id: str
    file_id: str
    filename: str
    attributes: Attributes
    text: str
    section: str
    start: int
    end: int
    page: int | None


def of_file(connection: Connection, file: int, *, after: int, most: int) -> list[Row]:
    """The file's next chunks, in order, after the one with ordinal `after` (-1: from the first)."""
    rows = _OF_FILE(connection, {"file": file, "behind": after, "most": most})
    return [Row(row.seq, row.ordinal, row.text, row.section, row.vector) for row in rows]


_OF_FILE = prepared(
    select(chunks.c.seq, chunks.c.ordinal, chunks.c.text, chunks.c.section, chunks.c.vector)
    .where(chunks.c.store_file == bindparam("file"), chunks.c.ordinal > bindparam("behind"))
    .order_by(chunks.c.ordinal)
    .limit(bindparam("most"))
)


def passages(connection: Connection, seqs: Sequence[int]) -> dict[int, Passage]:
    """The chunks with these numbers by number, without those whose file has left its store."""
    found = connection.execute(_PASSAGES, {"seqs": list(seqs)}).all()
    bodies = {row.store_file: row for row in connection.execute(_SOURCES, {"files": _files(found)})}
    sources = {number: _Source.of(row) for number, row in bodies.items()}
    return {row.seq: _passage(row, sources[row.store_file]) for row in found if row.store_file in sources}


def _files(rows: Sequence[Any]) -> list[int]:
    return list({row.store_file for row in rows})


_PASSAGES = select(
    chunks.c.seq, chunks.c.store_file, chunks.c.text, chunks.c.section, chunks.c.start, chunks.c.end, chunks.c.page
).where(chunks.c.seq.in_(bindparam("seqs", expanding=True)))

_SOURCES = (
    select(
        vector_store_files.c.seq.label("store_file"),
        vector_store_files.c.vector_store_id,
        vector_store_files.c.file_id,
        vector_store_files.c.body,
        files.c.body.label("file_body"),
    )
    .join(files, files.c.id == vector_store_files.c.file_id)
    .where(vector_store_files.c.seq.in_(bindparam("files", expanding=True)), vector_store_files.c.status == "completed")
)


@dataclass(frozen=True, slots=True)
class _Source:
    vector_store_id: str
    file_id: str
    filename: str
    attributes: Attributes

    @classmethod
    def of(cls, row: Any) -> "_Source":
        name = orjson.loads(row.file_body)["filename"]
        return cls(row.vector_store_id, row.file_id, name, _attributes(row.body))


def _attributes(body: str) -> Attributes:
    attributes: Attributes = orjson.loads(body).get("attributes") or {}
    return attributes


def _passage(row: Any, source: _Source) -> Passage:
    return Passage(
        chunk=row.seq,
        file=row.store_file,
        vector_store_id=source.vector_store_id,
        file_id=source.file_id,
        filename=source.filename,
        attributes=source.attributes,
        text=row.text,
        section=row.section,
        start=row.start,
        end=row.end,
        page=row.page,
    )


def file_attributes(connection: Connection, store: str) -> list[tuple[int, Attributes]]:
    """The number and the attributes of every file of the store that is completed."""
    return [(row.seq, _attributes(row.body)) for row in _COMPLETED(connection, {"store": store})]


_COMPLETED = prepared(
    select(vector_store_files.c.seq, vector_store_files.c.body).where(
        vector_store_files.c.vector_store_id == bindparam("store"), vector_store_files.c.status == "completed"
    )
)


def text_pieces(connection: Connection, file: int) -> list[str]:
    """The file's text again, in pieces without what overlaps; what was between two chunks was white space."""
    pieces, done = [], 0
    for row in _TEXTS(connection, {"file": file}):
        if row.end > done:
            pieces.append(row.text[max(0, done - row.start) :])
            done = row.end
    return pieces


_TEXTS = prepared(
    select(chunks.c.text, chunks.c.start, chunks.c.end)
    .where(chunks.c.store_file == bindparam("file"))
    .order_by(chunks.c.ordinal)
)


def note_attributes(connection: Connection, store: str, file: int) -> None:
    """Record that the file's attributes have changed."""
    changes.record(connection, store, file, "attributes")


def remove(connection: Connection, store: str, file: int) -> None:
    """Record that the file has left the store, and delete its chunks, the rest of very many by a job.

    To be called before or after the file's row is deleted, in the same transaction, for a file that was completed.
    """
    changes.record(connection, store, file, "removed")
    discard(connection, [file])


def discard(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete the chunks of files that are cancelled or leave; of those with many the rest is deleted by a job each.

    On PostgreSQL the rows of files that may still be ingested are locked first, so that no chunk comes after this.
    """
    for start in range(0, len(numbers), _MOST_NUMBERS):
        piece = list(numbers[start : start + _MOST_NUMBERS])
        connection.execute(_LOCK_FILES, {"files": piece})
        for (number,) in connection.execute(_WITH_CHUNKS, {"files": piece}).all():
            if not discard_some(connection, number):
                jobs.enqueue(connection, DISCARD, str(number))


def discard_some(connection: Connection, number: int) -> bool:
    """Delete some chunks of the file; whether none are left."""
    _DISCARD(connection, {"file": number, "most": _AT_ONCE})
    return _ANY(connection, {"file": number}).scalar() is None


_MOST_NUMBERS = 500
_LOCK_FILES = (
    select(vector_store_files.c.seq)
    .where(vector_store_files.c.seq.in_(bindparam("files", expanding=True)))
    .order_by(vector_store_files.c.seq)
    .with_for_update()
)
_WITH_CHUNKS = select(chunks.c.store_file).where(chunks.c.store_file.in_(bindparam("files", expanding=True))).distinct()
# From the end, so that what is left of a file is its beginning.
_SOME = (
    select(chunks.c.seq)
    .where(chunks.c.store_file == bindparam("file"))
    .order_by(chunks.c.ordinal.desc())
    .limit(bindparam("most"))
)
_DISCARD = prepared(delete(chunks).where(chunks.c.seq.in_(_SOME)))
_ANY = prepared(select(chunks.c.seq).where(chunks.c.store_file == bindparam("file")).limit(1))


def count(connection: Connection, file: int) -> int:
    """How many chunks the file has, completed or not."""
    return int(connection.execute(select(func.count()).where(chunks.c.store_file == file)).scalar_one())
