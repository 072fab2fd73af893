"""A File: bytes that a client uploaded or a tool made, with a purpose."""

from typing import Literal

from zhuli.types.wire import Wire, optional

UploadPurpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
UPLOADED: frozenset[str] = frozenset({"assistants", "vision", "user_data"})
"""Purposes whose content the original refused to hand back."""


class File(Wire):
    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    expires_at: int | None = optional()
    filename: str
    purpose: str
    status: Literal["uploaded", "processed", "error"] = "processed"


class FileDeleted(Wire):
    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True
