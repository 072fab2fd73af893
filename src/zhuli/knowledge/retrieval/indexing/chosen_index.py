"""The vector index that the settings ask for, made when it is first used: "auto" has to ask the database."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from zhuli import registry
from zhuli.ports import VectorIndex
from zhuli.settings import Settings
from zhuli.types.knowledge.vectors import Hit, IndexChange


class ChosenIndex:
    """A VectorIndex that becomes one of the plugins. Making it is cheap."""

    def __init__(self, settings: Settings) -> None:
        self._name = settings.vector_index
        self._settings: dict[str, Any] = {
            "data_dir": str(settings.data_dir.resolve()),
            "database_url": settings.database,
            "url": settings.vector_index_url,
        }
        self._index: VectorIndex | None = None
        self._choosing = asyncio.Lock()

    async def position(self, store: str) -> int:
        return await (await self._chosen()).position(store)

    async def apply(self, store: str, changes: Sequence[IndexChange], position: int) -> None:
        await (await self._chosen()).apply(store, changes, position)

    async def search(self, store: str, vector: bytes, *, most: int, files: Collection[int] | None) -> list[Hit]:
        return await (await self._chosen()).search(store, vector, most=most, files=files)

    async def drop(self, store: str) -> None:
        await (await self._chosen()).drop(store)

    async def aclose(self) -> None:
        if self._index is not None:
            await self._index.aclose()

    async def _chosen(self) -> VectorIndex:
        if self._index is None:
            async with self._choosing:
                if self._index is None:
                    self._index = registry.find("indexes", await self._plugin())(self._settings)
        return self._index

    async def _plugin(self) -> str:
        """auto: in PostgreSQL, where all processes share it, if that has pgvector; otherwise embedded."""
        if self._name != "auto":
            return self._name
        url: str = self._settings["database_url"]
        if url.startswith("postgres") and await registry.find("indexes", "pgvector").available(url):
            return "pgvector"
        return "embedded"
