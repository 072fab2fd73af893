"""A page of a list, as every list of the API has it."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from zhuli.types.wire import Wire

T = TypeVar("T")

Order = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class PageParams:
    """limit: most objects on the page; order by creation; after and before: ids of objects outside the page."""

    limit: int = 20
    order: Order = "desc"
    after: str | None = None
    before: str | None = None


class Page(Wire, Generic[T]):
    """A page of objects. first_id, last_id: of its ends, null where it is empty; has_more: in the direction of the order."""

    object: Literal["list"] = "list"
    data: list[T]
    first_id: str | None
    last_id: str | None
    has_more: bool


class Deleted(Wire):
    """The answer to a DELETE; `object` is like "assistant.deleted"."""

    id: str
    object: str
    deleted: Literal[True] = True
