"""The people who talk to an app, as far as all of theirs can be found: deleted with a record of it, and exported."""

from typing import Literal

from zhuli.types.page import Page
from zhuli.types.wire import Wire, optional

DeletionStatus = Literal["in_progress", "completed"]


class EndUserDeletion(Wire):
    """The record of a deletion: who asked when, what it came to, and nothing of what was deleted.

    user_digest: SHA-256 of the project's id, a slash and the user's id: who knows the id can find the record, and nobody can
    read the id from it. found: whether anything was here. by: the id of the API key, null where there are no keys. counts:
    what went, by kind. versions, models: what has learned from the user and can't forget. waits_for: fine-tuning jobs that are
    still reading examples of the user; their folders are looked through when they have ended.
    """

    id: str
    object: Literal["end_user.deletion"] = "end_user.deletion"
    created_at: int
    finished_at: int | None = None
    status: DeletionStatus = "in_progress"
    user_digest: str
    found: bool = False
    by: str | None = None
    counts: dict[str, int] = {}
    versions: list[str] = []
    models: list[str] = []
    waits_for: list[str] | None = optional()


class EndUserDeleted(Wire):
    """What a deletion has come to so far. deleted: whether nothing is left. deletion: the id of its record."""

    id: str
    object: Literal["end_user.deleted"] = "end_user.deleted"
    deleted: bool
    deletion: str
    status: DeletionStatus
    feedback: int
    examples: int
    counts: dict[str, int]
    versions: list[str]
    models: list[str]


class DeletionList(Page[EndUserDeletion]):
    """A page of records of deletions."""
