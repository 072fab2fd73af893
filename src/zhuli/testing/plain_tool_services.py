"""Services for tests of tools: files in memory, and searches that find the texts of files by their words."""

from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zhuli.core.errors import NotFound
from zhuli.core.ids import new_id
from zhuli.types.applications.recommender import Recommendation, Recommendations, RecommendationsCreate
from zhuli.types.knowledge.passages import Found


@dataclass
class PlainToolServices:
    """Implements ports.ToolServices. files: the bytes of each by its id. passages: what every vector store has, and every
    recommender.
    """

    folder: Path
    files: dict[str, bytes] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    passages: Sequence[str] = ()

    async def search(
        self, project: str, stores: Sequence[str], queries: Sequence[str], *, most: int, threshold: float = 0.0
    ) -> list[Found]:
        words = {word for query in queries for word in query.lower().split()}
        found = [
            Found(n, stores[0], f"file_{n}", f"{n}.txt", 0.9, text, 0, len(text))
            for n, text in enumerate(self.passages)
            if stores and words & set(text.lower().split())
        ]
        return [item for item in found if item.score >= threshold][:most]

    async def read_file(self, project: str, file_id: str) -> AsyncGenerator[bytes, None]:
        if file_id not in self.files:
            raise NotFound(f"No such File object: {file_id}")
        yield self.files[file_id]

    async def add_file(self, project: str, filename: str, data: bytes | AsyncIterable[bytes]) -> str:
        file_id = new_id("file")
        self.files[file_id] = data if isinstance(data, bytes) else b"".join([piece async for piece in data])
        self.names[file_id] = filename
        return file_id

    async def recommend(self, project: str, recommender: str, asked: RecommendationsCreate) -> Recommendations:
        places = enumerate(self.passages[: asked.limit])
        data = [
            Recommendation(item=f"i{place}", text=text, score=1.0, position=place, propensity=1.0, why="It is new.")
            for place, text in places
        ]
        return Recommendations(
            id="rlist_1", created_at=0, recommender_id=recommender, model=None, user=asked.user, known=0, data=data
        )
