"""An Upload: a large file on its way, in parts."""

from typing import Literal

from pydantic import Field

from zhuli.types.knowledge.file import File, FileExpiresAfter, UploadPurpose
from zhuli.types.wire import Integer, Request, Wire

PART_BYTES = 64 * 1024 * 1024
UPLOAD_BYTES = 8 * 1024 * 1024 * 1024
"""Most bytes of a part, and of an upload with all its parts."""

LIFETIME_SECONDS = 3600
"""An upload that is not completed expires after this long."""

UploadStatus = Literal["pending", "completed", "cancelled", "expired"]


class UploadCreate(Request):
    """A file that will come in parts. bytes: of the whole file, which the parts must add up to."""

    filename: str = Field(min_length=1)
    purpose: UploadPurpose
    bytes: Integer = Field(ge=0, le=UPLOAD_BYTES)
    mime_type: str
    expires_after: FileExpiresAfter | None = None


class UploadComplete(Request):
    """part_ids: in the order of the file. md5: of the whole file, in hexadecimal."""

    part_ids: list[str]
    md5: str | None = None


class Upload(Wire):
    """`file` is the finished one, once the upload is completed."""

    id: str
    object: Literal["upload"] = "upload"
    bytes: int
    created_at: int
    expires_at: int
    filename: str
    purpose: str
    status: UploadStatus = "pending"
    file: File | None = None


class UploadRecord(Upload):
    """An upload as it is stored. received: bytes of all parts so far. lifetime: seconds, of the file that will be made."""

    received: int = 0
    lifetime: int | None = None

    def shown(self) -> Upload:
        """What clients see of it."""
        return Upload.model_validate(self.model_dump(exclude={"received", "lifetime"}))


class UploadPart(Wire):
    """A part that has been received, by its id."""

    id: str
    object: Literal["upload.part"] = "upload.part"
    created_at: int
    upload_id: str
