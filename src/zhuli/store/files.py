"""Rows of files. Their bytes are in the blob store under the file's id."""

from sqlalchemy import Connection, select

from zhuli.store.schema import files
from zhuli.types.file import File


def file_of(connection: Connection, project: str, file_id: str) -> File | None:
    """The project's file, if it has it."""
    query = select(files.c.body).where(files.c.id == file_id, files.c.project_id == project)
    body = connection.execute(query).scalar()
    return None if body is None else File.model_validate_json(body)
