"""Vectors in Qdrant: a service of its own, for more of them than one machine holds.

One collection for each length of vectors, all stores in it as tenants, and one without vectors that has the stores' positions.
A store's position is written after its points, so what a crash interrupts is done again. Processes that apply to one store at
the same moment may leave points of a file that has just gone: readers find no passage to them, and the next change clears them.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException

from zhuli.core.errors import ConfigurationError, Unavailable
from zhuli.types.knowledge.vectors import Hit, IndexChange, IndexedChunk

KNOWN = {"data_dir", "database_url", "url", "api_key", "prefix", "timeout"}

BATCH = 500
"""Points a request; with 3,072 numbers each it is half of the 32 MB that Qdrant takes."""

TIMEOUT = 30
"""Seconds."""


class Plugin:
    """Settings: `url`, http://… or a local folder or ":memory:" for trying; `api_key` (default: QDRANT_API_KEY); `prefix`
    of the collections' names, for two servers that share a Qdrant; `timeout` in seconds."""

    def __init__(self, settings: dict[str, Any]) -> None:
        if unknown := settings.keys() - KNOWN:
            raise ConfigurationError(
                f"Vector index: unknown setting '{min(unknown)}'. Known: {', '.join(sorted(KNOWN))}."
            )
        if not settings.get("url"):
            raise ConfigurationError(
                "The vector index 'qdrant' needs its address: vector_index_url = \"http://…:6333\"."
            )
        self._url = str(settings["url"])
        self._remote = self._url.startswith(("http://", "https://"))
        self._key = settings.get("api_key") or os.environ.get("QDRANT_API_KEY")
        self._prefix = str(settings.get("prefix", "zhuli"))
        self._timeout = int(settings.get("timeout", TIMEOUT))
        self._client: AsyncQdrantClient | None = None
        self._there: set[str] = set()

    async def position(self, store: str) -> int:
        with _translated():
            return (await self._record(store))["position"]

    async def apply(self, store: str, changes: Sequence[IndexChange], position: int) -> None:
        with _translated():
            record = await self._record(store)
            if position <= record["position"]:
                return
            last = {change.file: change.chunks or () for change in changes if change.number > record["position"]}
            dimensions = _dimensions([chunk for chunks in last.values() for chunk in chunks], record["dimensions"])
            if dimensions:
                await self._note(store, record["position"], dimensions)
                await self._replace(store, last, dimensions)
            await self._note(store, position, dimensions)

    async def search(self, store: str, vector: bytes, *, most: int, files: Collection[int] | None) -> list[Hit]:
        with _translated():
            dimensions = (await self._record(store))["dimensions"]
            if not dimensions or most < 1 or (files is not None and not files):
                return []
            _check(len(vector) // 4, dimensions)
            found = await self._connected().query_points(
                await self._vectors(dimensions),
                query=np.frombuffer(vector, "<f4").tolist(),
                query_filter=_of(store, files),
                limit=most,
                with_payload=False,
            )
        return [Hit(int(point.id), max(-1.0, min(1.0, point.score))) for point in found.points]

    async def drop(self, store: str) -> None:
        with _translated():
            if dimensions := (await self._record(store))["dimensions"]:
                await self._connected().delete(await self._vectors(dimensions), _of(store, None))
            await self._connected().delete(await self._positions(), [_point(store)])

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None
            self._there.clear()

    async def _replace(self, store: str, files: dict[int, Sequence[IndexedChunk]], dimensions: int) -> None:
        """New points first and then away with the old, so that a file that comes again is never missing."""
        client, collection = self._connected(), await self._vectors(dimensions)
        points = [
            models.PointStruct(
                id=chunk.seq,
                vector=np.frombuffer(chunk.vector, "<f4").tolist(),
                payload={"store": store, "file": file},
            )
            for file, chunks in files.items()
            for chunk in chunks
        ]
        for start in range(0, len(points), BATCH):
            await client.upsert(collection, points[start : start + BATCH])
        if files:
            old = _of(store, files)
            old.must_not = [models.HasIdCondition(has_id=[point.id for point in points])]
            await client.delete(collection, old)

    async def _record(self, store: str) -> dict[str, int]:
        """The store's position, and the length of its vectors; zeros for a store that is not known."""
        found = await self._connected().retrieve(await self._positions(), [_point(store)])
        return {"position": 0, "dimensions": 0} | ((found[0].payload or {}) if found else {})

    async def _note(self, store: str, position: int, dimensions: int) -> None:
        payload = {"store": store, "position": position, "dimensions": dimensions}
        point = models.PointStruct(id=_point(store), vector={}, payload=payload)
        await self._connected().upsert(await self._positions(), [point])

    async def _positions(self) -> str:
        name = f"{self._prefix}_positions"
        await self._make(name, vectors_config={})
        return name

    async def _vectors(self, dimensions: int) -> str:
        name = f"{self._prefix}_{dimensions}"
        if name not in self._there:
            # A graph for each store, none over all of them: nobody searches all.
            await self._make(
                name,
                vectors_config=models.VectorParams(
                    size=dimensions, distance=models.Distance.DOT, datatype=models.Datatype.FLOAT16
                ),
                hnsw_config=models.HnswConfigDiff(m=0, payload_m=16),
            )
            if self._remote:
                tenant = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
                await self._connected().create_payload_index(name, "store", tenant)
                await self._connected().create_payload_index(name, "file", models.PayloadSchemaType.INTEGER)
        return name

    async def _make(self, name: str, **options: Any) -> None:
        """A collection, unless it is there; another process may be faster."""
        if name in self._there:
            return
        client = self._connected()
        if not await client.collection_exists(name):
            try:
                await client.create_collection(name, **options)
            except ApiException:
                if not await client.collection_exists(name):
                    raise
        self._there.add(name)

    def _connected(self) -> AsyncQdrantClient:
        if self._client is None:
            where: dict[str, Any] = {"location": self._url} if self._url == ":memory:" else {"path": self._url}
            if self._remote:
                where = {"url": self._url, "api_key": self._key, "timeout": self._timeout, "check_compatibility": False}
            self._client = AsyncQdrantClient(**where)
        return self._client


def _of(store: str, files: Collection[int] | None) -> models.Filter:
    must: list[Any] = [models.FieldCondition(key="store", match=models.MatchValue(value=store))]
    if files is not None:
        must.append(models.FieldCondition(key="file", match=models.MatchAny(any=list(files))))
    return models.Filter(must=must)


def _point(store: str) -> str:
    """The id of a store's record: Qdrant takes numbers and UUIDs."""
    return str(uuid5(NAMESPACE_URL, store))


def _dimensions(chunks: Sequence[IndexedChunk], dimensions: int) -> int:
    """The store's, which its first vector decides; 0 while it has none."""
    for chunk in chunks:
        dimensions = dimensions or len(chunk.vector) // 4
        _check(len(chunk.vector) // 4, dimensions)
    return dimensions


def _check(dimensions: int, wanted: int) -> None:
    if dimensions != wanted:
        raise ConfigurationError(
            f"This vector store's vectors have {wanted} numbers each, and one came with {dimensions}: "
            "is its embedder still the one that it was made with?"
        )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (ApiException, OSError) as error:
        raise Unavailable(f"Qdrant does not answer as it should: {error}.") from error
