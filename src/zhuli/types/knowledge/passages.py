"""What a search in vector stores is asked and what it finds, before it takes the shape of a tool's or an endpoint's."""

from dataclasses import dataclass, field
from typing import Literal

Attributes = dict[str, str | float | bool]

Ranker = Literal["none", "auto"]
"""none: the fused order as it is; auto: reranked."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that a search found. score: 0 to 1, comparable within one answer. start, end: characters of the file's text.

    section: the headings above it, "" without any. chunk: the number of the chunk, unique in the database.
    """

    chunk: int
    vector_store_id: str
    file_id: str
    filename: str
    score: float
    text: str
    start: int
    end: int
    section: str = ""
    page: int | None = None
    attributes: Attributes = field(default_factory=dict)
