"""A File: bytes that a client uploaded or a tool made, with a purpose."""

from typing import Literal

from pydantic import Field

from zhuli.types.knowledge.file_name import clean
from zhuli.types.wire import Integer, Request, Wire, optional

UploadPurpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
UPLOADED: frozenset[str] = frozenset({"assistants", "vision", "user_data"})
"""Purposes whose content the original refused to hand back."""

SHORTEST_LIFE, LONGEST_LIFE = 3600, 2_592_000
"""Seconds after which a client may let a file expire: an hour to thirty days."""

LIFE_OF_PURPOSE = {"batch": LONGEST_LIFE}
"""Seconds after which files expire of which the client does not say when; of other purposes they don't."""


class FileExpiresAfter(Request):
    """Seconds after its making at which a file expires."""

    anchor: Literal["created_at"]
    seconds: Integer = Field(ge=SHORTEST_LIFE, le=LONGEST_LIFE)


class File(Wire):
    """What is known of a file; its bytes are asked for by themselves. bytes: its size."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    expires_at: int | None = optional()
    filename: str
    purpose: str
    status: Literal["uploaded", "processed", "error"] = "processed"


class FileDeleted(Wire):
    """The answer to deleting a file."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True


def file_of(file_id: str, size: int, *, filename: str, purpose: str, lifetime: int | None, now: int) -> File:
    """The file under its cleaned name. lifetime: seconds; None for what is usual. size: bytes. now: seconds since 1970."""
    lifetime = lifetime or LIFE_OF_PURPOSE.get(purpose)
    expires_at = None if lifetime is None else now + lifetime
    name = clean(filename)
    return File(id=file_id, bytes=size, created_at=now, expires_at=expires_at, filename=name, purpose=purpose)
