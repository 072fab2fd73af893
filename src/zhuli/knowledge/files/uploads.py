"""Uploads: a file that comes in parts, which are joined when the client says that it is complete."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from sqlalchemy import Connection

from zhuli.core.errors import InvalidRequest
from zhuli.core.ids import new_id
from zhuli.knowledge.files.file_service import FileService, repeat
from zhuli.store.knowledge import files, uploads
from zhuli.store.knowledge.uploads import StoredPart
from zhuli.types.knowledge.file import File, file_of
from zhuli.types.knowledge.upload import (
    LIFETIME_SECONDS,
    Upload,
    UploadComplete,
    UploadCreate,
    UploadPart,
    UploadRecord,
)


class Uploads:
    """Each method gives the upload, or the part, as it is afterwards. The parts' blobs have the parts' ids."""

    def __init__(self, files: FileService) -> None:
        self._files = files
        self._database = files.database
        self._clock = files.clock

    async def create(self, project: str, body: UploadCreate) -> Upload:
        now = int(self._clock.now())
        upload = UploadRecord(
            id=new_id("upload"),
            bytes=body.bytes,
            created_at=now,
            expires_at=now + LIFETIME_SECONDS,
            filename=body.filename,
            purpose=body.purpose,
            lifetime=body.expires_after.seconds if body.expires_after else None,
        )
        return await self._database.run(uploads.insert, project, upload)

    async def add_part(self, project: str, upload_id: str, data: bytes | AsyncIterable[bytes]) -> UploadPart:
        now = self._clock.now()
        part = UploadPart(id=new_id("part"), created_at=int(now), upload_id=upload_id)
        await self._database.run(uploads.lock_pending, project, upload_id, doing="add parts to", now=now)
        async with self._files.writing(part.id, data) as (_, size):
            await self._database.run(uploads.add_part, project, part, size, now=now)
        return part

    async def complete(self, project: str, upload_id: str, body: UploadComplete) -> Upload:
        """Join the parts. Of several that complete at once one wins, and all get the same file."""
        found = await self._database.run(_to_join, project, upload_id, body, now=self._clock.now())
        if isinstance(found, UploadRecord):
            return found.shown()
        joined = _Joined(self._files, found, body.md5)
        try:
            async with self._files.writing(new_id("file"), joined.pieces()) as (file_id, size):
                completed = await self._database.run(
                    _complete, project, upload_id, file_id, size, now=self._clock.now()
                )
        except (_AlreadyCompleted, KeyError):  # another one was faster, and the parts are gone
            again = await self._database.run(_to_join, project, upload_id, body, now=self._clock.now())
            if not isinstance(again, UploadRecord):
                raise
            completed = again
        return completed.shown()

    async def cancel(self, project: str, upload_id: str) -> Upload:
        return await self._database.run(_cancel, project, upload_id, now=self._clock.now())

    async def expire(self) -> None:
        """End the uploads that are past their expires_at."""
        await repeat(self._database, partial(uploads.expire, now=self._clock.now()))


class _AlreadyCompleted(Exception):
    """Another request completed the upload while its parts were joined here."""


class _Joined:
    """The parts one after another, checked against the MD5 that the client gave."""

    def __init__(self, files: FileService, parts: Sequence[StoredPart], md5: str | None) -> None:
        self._files = files
        self._parts = parts
        self._wanted = md5

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        md5 = hashlib.md5(usedforsecurity=False)
        for part in self._parts:
            async with aclosing(self._files.blobs.read(part.id)) as pieces:
                async for piece in pieces:
                    md5.update(piece)
                    yield piece
        if self._wanted is not None and self._wanted.lower() != md5.hexdigest():
            raise InvalidRequest(
                f"The MD5 of the parts is '{md5.hexdigest()}', but 'md5' is '{self._wanted}'.", param="md5"
            )


def _to_join(
    connection: Connection, project: str, upload_id: str, body: UploadComplete, *, now: float
) -> UploadRecord | list[StoredPart]:
    """The parts to join; or the upload, if it is completed already."""
    upload = uploads.lock(connection, project, upload_id)
    if upload.status == "completed":
        return upload
    upload = uploads.lock_pending(connection, project, upload_id, doing="complete", now=now)
    return uploads.parts_in_order(connection, upload, body.part_ids)


def _complete(
    connection: Connection, project: str, upload_id: str, file_id: str, size: int, *, now: float
) -> UploadRecord:
    upload = uploads.lock(connection, project, upload_id)
    if upload.status == "completed":
        raise _AlreadyCompleted
    if upload.status != "pending":
        raise InvalidRequest(f"Upload '{upload_id}' can't be completed: its status is '{upload.status}'.")
    file: File = file_of(file_id, size, **_about(upload), now=int(now))
    files.insert(connection, project, file)
    return uploads.end(connection, upload.model_copy(update={"file": file}), "completed")


def _about(upload: UploadRecord) -> dict[str, Any]:
    return {"filename": upload.filename, "purpose": upload.purpose, "lifetime": upload.lifetime}


def _cancel(connection: Connection, project: str, upload_id: str, *, now: float) -> Upload:
    upload = uploads.lock_pending(connection, project, upload_id, doing="cancel", now=now)
    return uploads.end(connection, upload, "cancelled").shown()
