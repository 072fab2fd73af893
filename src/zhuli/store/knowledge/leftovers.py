"""What a deleted vector store leaves behind: the rows of its files, their chunks, its batches and its log of changes.

None of it can be reached any more. It is deleted in small transactions, for one of SQLite stops everything else meanwhile.
"""

from sqlalchemy import Connection, bindparam, delete, select

from zhuli.store.schema import chunks
from zhuli.store.schema import vector_store_changes as changes
from zhuli.store.schema import vector_store_file_batches as batches
from zhuli.store.schema import vector_store_files as store_files
from zhuli.store.statement import prepared

_FILES = 50
_CHUNKS = 200
_CHANGES = 1000
"""Rows in one transaction: some milliseconds on SQLite."""


def clean_some(connection: Connection, store: str) -> bool:
    """Delete some of it; whether nothing is left."""
    files = [row.seq for row in _SOME_FILES(connection, {"store": store, "most": _FILES})]
    if files:
        _clean_files(connection, files)
        return False
    numbers = _SOME_CHANGES(connection, {"store": store, "most": _CHANGES}).scalars()
    if numbers:
        connection.execute(delete(changes).where(changes.c.vector_store_id == store, changes.c.number <= numbers[-1]))
        return False
    connection.execute(delete(batches).where(batches.c.vector_store_id == store))
    return True


def _clean_files(connection: Connection, files: list[int]) -> None:
    """Some of the files' chunks, and their rows when that was all; the rows are locked, so no chunk comes after."""
    some = select(chunks.c.seq).where(chunks.c.store_file.in_(files)).limit(_CHUNKS)
    if connection.execute(delete(chunks).where(chunks.c.seq.in_(some))).rowcount < _CHUNKS:
        connection.execute(delete(store_files).where(store_files.c.seq.in_(files)))


_SOME_FILES = prepared(
    select(store_files.c.seq)
    .where(store_files.c.vector_store_id == bindparam("store"))
    .order_by(store_files.c.seq)
    .limit(bindparam("most"))
    .with_for_update()
)
_SOME_CHANGES = prepared(
    select(changes.c.number)
    .where(changes.c.vector_store_id == bindparam("store"))
    .order_by(changes.c.number)
    .limit(bindparam("most"))
)
