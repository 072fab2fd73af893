"""Queries as vectors, the last ones kept, and how close their embedder puts texts that have nothing in common.

That background is 0.1 for one model and 0.75 for another. It is measured with a few sentences before an embedder's first
search, so that no embedder needs a number in a settings file.
"""

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from math import fsum

from zhuli.models.catalog import EmbedderEntry
from zhuli.types.knowledge.vectors import Vectors

MOST_KEPT = 1_000
"""1.5 MB of 384 dimensions."""

_QUESTIONS = (
    "How do I return a pair of shoes?",
    "When was the old bridge built?",
    "What do penguins eat?",
    "怎么重置路由器的密码？",
)
_PASSAGES = (
    "The orchestra tuned its instruments before the curtain rose.",
    "Add two eggs and a spoon of flour, then stir until smooth.",
    "The quarterly report lists income from leases and interest.",
    "这种植物喜欢阳光，每周浇水一次即可。",
)
"""No question has anything to do with any of the passages."""


class QueryVectors:
    """Of all embedders in a process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._backgrounds: dict[str, float] = {}

    async def of(self, entry: EmbedderEntry, queries: Sequence[str]) -> list[bytes]:
        """Each query's vector, a row as in Vectors. BackendError when the embedder fails."""
        missing = [query for query in dict.fromkeys(queries) if (entry.name, query) not in self._kept]
        made = _rows(await entry.embedder.embed(missing, "query")) if missing else []
        new = dict(zip(missing, made, strict=True))
        found = [new.get(query) or self._kept[entry.name, query] for query in queries]
        for query, vector in zip(queries, found, strict=True):
            self._kept[entry.name, query] = vector
            self._kept.move_to_end((entry.name, query))
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    async def background(self, entry: EmbedderEntry) -> float:
        """The mean cosine of questions and passages that have nothing in common; 0 to 0.95."""
        if entry.name not in self._backgrounds:
            questions = _rows(await entry.embedder.embed(_QUESTIONS, "query"))
            passages = _rows(await entry.embedder.embed(_PASSAGES, "passage"))
            cosines = [_dot(left, right) for left in questions for right in passages]
            self._backgrounds[entry.name] = min(0.95, max(0.0, fsum(cosines) / len(cosines)))
        return self._backgrounds[entry.name]


def _rows(vectors: Vectors) -> list[bytes]:
    size = 4 * vectors.dimensions
    return [vectors.data[start : start + size] for start in range(0, len(vectors.data), size)]


def _dot(left: bytes, right: bytes) -> float:
    return fsum(a * b for a, b in zip(array("f", left), array("f", right), strict=True))
