"""What tools may use of the server: searching, files, recommenders, and a folder of their own. This only passes on."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from zhuli.core.errors import ServerFault
from zhuli.knowledge.files.file_service import FileService
from zhuli.knowledge.retrieval.searching.searcher import Searcher
from zhuli.store import collections, schema
from zhuli.types.applications.recommender import Recommendations, RecommendationsCreate
from zhuli.types.knowledge.file import File
from zhuli.types.knowledge.passages import Found

Recommend = Callable[[str, str, RecommendationsCreate], Awaitable[Recommendations]]


@dataclass(slots=True)
class Above:
    """What stands above assistants; the root gives it once it is built."""

    recommend: Recommend | None = None


@dataclass(slots=True)
class ServerToolServices:
    """Implements ports.ToolServices."""

    folder: Path
    searcher: Searcher
    files: FileService
    above: Above

    async def search(
        self, project: str, stores: Sequence[str], queries: Sequence[str], *, most: int, threshold: float = 0.0
    ) -> list[Found]:
        return await self.searcher.search(project, stores, queries, most=most, threshold=threshold)

    async def read_file(self, project: str, file_id: str) -> AsyncGenerator[bytes, None]:
        await self.files.database.run(collections.get, schema.files, File, project, file_id)
        async with aclosing(self.files.blobs.read(file_id)) as pieces:
            async for piece in pieces:
                yield piece

    async def add_file(self, project: str, filename: str, data: bytes | AsyncIterable[bytes]) -> str:
        return (await self.files.add(project, data, filename=filename, purpose="assistants_output")).id

    async def recommend(self, project: str, recommender: str, asked: RecommendationsCreate) -> Recommendations:
        if self.above.recommend is None:
            raise ServerFault("This server has no recommenders.")
        return await self.above.recommend(project, recommender, asked)
