"""Uploads and their parts. The bytes of a part are in the blob store under the part's id.

Whoever changes an upload locks its row first, so that parts, completing, cancelling and expiry come one after another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.store import collections
from zhuli.store.knowledge import blobs
from zhuli.store.schema import upload_parts, uploads
from zhuli.types.knowledge.upload import UPLOAD_BYTES, Upload, UploadPart, UploadRecord, UploadStatus

_SWEPT = 20
"""Uploads that expire in one transaction, with all their parts."""

_DOING = {"add parts to": "can't take parts", "complete": "can't be completed", "cancel": "can't be cancelled"}


@dataclass(frozen=True, slots=True)
class StoredPart:
    id: str
    bytes: int


def insert(connection: Connection, project: str, upload: UploadRecord) -> Upload:
    """The upload as clients see it, which exists from now on."""
    columns = {"status": upload.status, "expires_at": upload.expires_at}
    collections.insert(connection, uploads, project, upload, columns)
    return upload.shown()


def lock(connection: Connection, project: str, upload_id: str) -> UploadRecord:
    """The upload, which nobody else changes until the transaction ends; NotFound in the API's words."""
    query = select(uploads.c.body).where(uploads.c.project_id == project, uploads.c.id == upload_id)
    body = None if "\0" in upload_id else connection.execute(query.with_for_update()).scalar()
    if body is None:
        raise NotFound(f"No upload found with id '{upload_id}'.")
    return UploadRecord.model_validate_json(body)


def lock_pending(connection: Connection, project: str, upload_id: str, *, doing: str, now: float) -> UploadRecord:
    """lock(), and InvalidRequest unless the upload is pending still. doing: what for, as in _DOING."""
    upload = lock(connection, project, upload_id)
    expired = upload.status == "pending" and upload.expires_at <= now
    status = "expired" if expired else upload.status
    if status != "pending":
        raise InvalidRequest(f"Upload '{upload_id}' {_DOING[doing]}: its status is '{status}'.")
    return upload


def add_part(connection: Connection, project: str, part: UploadPart, size: int, *, now: float) -> UploadPart:
    """The part, which belongs to its upload from now on; its blob has been announced and written."""
    upload = lock_pending(connection, project, part.upload_id, doing="add parts to", now=now)
    received = upload.received + size
    if received > UPLOAD_BYTES:
        raise InvalidRequest(
            f"The parts of upload '{upload.id}' would have {received} bytes. At most {UPLOAD_BYTES} are taken.",
            param="data",
        )
    blobs.keep(connection, part.id)
    collections.insert(connection, upload_parts, project, part, {"upload_id": upload.id, "bytes": size})
    collections.replace(connection, uploads, upload.model_copy(update={"received": received}))
    return part


def parts_in_order(connection: Connection, upload: UploadRecord, part_ids: Sequence[str]) -> list[StoredPart]:
    """The parts that the client names; InvalidRequest unless they are this upload's and together as long as it said."""
    query = select(upload_parts.c.id, upload_parts.c.bytes).where(upload_parts.c.upload_id == upload.id)
    known = {row.id: StoredPart(row.id, row.bytes) for row in connection.execute(query)}
    if unknown := [part for part in part_ids if part not in known]:
        raise InvalidRequest(f"Upload '{upload.id}' has no part '{unknown[0]}'.", param="part_ids")
    if len(set(part_ids)) < len(part_ids):
        raise InvalidRequest("A part can be named only once in 'part_ids'.", param="part_ids")
    parts = [known[part] for part in part_ids]
    total = sum(part.bytes for part in parts)
    if total != upload.bytes:
        raise InvalidRequest(
            f"The parts have {total} bytes, but upload '{upload.id}' was created for {upload.bytes} bytes.",
            param="part_ids",
        )
    return parts


def end(connection: Connection, upload: UploadRecord, status: UploadStatus) -> UploadRecord:
    """Give the upload its last status; its parts are gone, and their blobs are deleted soon."""
    ended = upload.model_copy(update={"status": status})
    collections.replace(connection, uploads, ended)
    connection.execute(update(uploads).where(uploads.c.id == upload.id).values(status=status))
    of_upload = upload_parts.c.upload_id == upload.id
    blobs.discard(connection, list(connection.execute(select(upload_parts.c.id).where(of_upload)).scalars()))
    connection.execute(delete(upload_parts).where(of_upload))
    return ended


def expire(connection: Connection, *, now: float) -> int:
    """End some of the uploads that are past their expires_at; how many it were."""
    query = select(uploads.c.body).where(uploads.c.status == "pending", uploads.c.expires_at <= int(now))
    query = query.order_by(uploads.c.expires_at).limit(_SWEPT).with_for_update(skip_locked=True)
    overdue = list(connection.execute(query).scalars())
    for body in overdue:
        end(connection, UploadRecord.model_validate_json(body), "expired")
    return len(overdue)
