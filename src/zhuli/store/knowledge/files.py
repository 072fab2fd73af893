"""Rows of files. Their bytes are in the blob store under the file's id."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from zhuli.store import collections
from zhuli.store.knowledge import blobs
from zhuli.store.knowledge.vector_stores import forget_file
from zhuli.store.schema import files
from zhuli.types.knowledge.file import File

_SWEPT = 2
"""Expired files that are deleted in one transaction: with their chunks some milliseconds each on SQLite."""


def file_of(connection: Connection, project: str, file_id: str) -> File | None:
    """The project's file, if it has it."""
    query = select(files.c.body).where(files.c.id == file_id, files.c.project_id == project)
    body = connection.execute(query).scalar()
    return None if body is None else File.model_validate_json(body)


def those_of(connection: Connection, project: str, file_ids: Sequence[str]) -> list[str]:
    """Those of the ids that are files of the project's, in the same order."""
    return [file_id for file_id in file_ids if "\0" not in file_id and file_of(connection, project, file_id)]


def insert(connection: Connection, project: str, file: File) -> File:
    """The file, which exists from now on; its blob has been announced and written."""
    blobs.keep(connection, file.id)
    columns = {"purpose": file.purpose, "expires_at": file.expires_at}
    collections.insert(connection, files, project, file, columns)
    return file


def delete(connection: Connection, project: str, file_id: str) -> None:
    """The file is gone, from every vector store too; its blob is deleted soon. NotFound if there is none."""
    collections.remove(connection, files, project, file_id)
    forget_file(connection, project, file_id)
    blobs.discard(connection, [file_id])


def expire(connection: Connection, *, now: float) -> int:
    """Delete some of the files that are past their expires_at; how many it were."""
    query = select(files.c.project_id, files.c.id).where(files.c.expires_at <= int(now)).order_by(files.c.seq)
    expired = connection.execute(query.limit(_SWEPT).with_for_update(skip_locked=True)).all()
    for project, file_id in expired:
        delete(connection, project, file_id)
    return len(expired)
