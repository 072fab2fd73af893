"""Finds passages in vector stores: by vectors and by words at once, fused, reranked, one list, best first.

What is stored is store.chunks' business, and how indexes come to have it that of the process's indexes.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest
from zhuli.core.model_calls import ModelCalls
from zhuli.knowledge.retrieval.indexing.process_indexes import ProcessIndexes
from zhuli.knowledge.retrieval.indexing.word_index import Matches
from zhuli.knowledge.retrieval.searching.filters import Predicate, predicate
from zhuli.knowledge.retrieval.searching.fusion import Candidate, fuse
from zhuli.knowledge.retrieval.searching.query_vectors import QueryVectors
from zhuli.knowledge.retrieval.searching.ranking import Asked, features, relevance
from zhuli.models.catalog import Catalog, EmbedderEntry
from zhuli.store.database import Database
from zhuli.store.knowledge import chunks
from zhuli.store.knowledge.chunks import Passage
from zhuli.store.knowledge.vector_stores import OpenStore, open_stores
from zhuli.types.knowledge.passages import Attributes, Found, Ranker
from zhuli.types.knowledge.vector_store import Filter
from zhuli.types.knowledge.vectors import Hit

DEPTH = 100
"""Chunks that each of the two searches brings."""

RERANKED = 30
"""Passages of a query that are read at least; more when more results are asked for, for some will be doubles."""

SAME = 0.6
"""Results of one file that share this much of the shorter one's text are one result."""

_STORES_KEPT = 64


@dataclass(frozen=True, slots=True)
class _Search:
    """What one query brought in one store."""

    asked: Asked
    candidates: Sequence[Candidate]


class Searcher:
    """One for a process. Safe to call concurrently; does nothing before the first search."""

    def __init__(
        self, database: Database, catalog: Catalog, indexes: ProcessIndexes, clock: Clock, calls: ModelCalls
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._indexes = indexes
        self._clock = clock
        self._calls = calls
        self._queries = QueryVectors()
        self._attributes: OrderedDict[tuple[str, int], list[tuple[int, Attributes]]] = OrderedDict()

    async def search(
        self,
        project: str,
        stores: Sequence[str],
        queries: Sequence[str],
        *,
        most: int,
        filters: Filter | None = None,
        ranker: Ranker = "auto",
        threshold: float = 0.0,
    ) -> list[Found]:
        """The `most` best passages of all stores for any of the queries, none scored below `threshold`.

        A score is that of the query which the passage fits best: fused (ranker none), or how probable it is that the
        passage answers it. NotFound for a store that the project does not have; InvalidRequest for an expired one, or
        a filter that means nothing; BackendError when an embedder fails.
        """
        passes = None if filters is None else predicate(filters)
        opened = await self._database.run(open_stores, project, stores, now=int(self._clock.now()))
        asked = list(dict.fromkeys(query.strip() for query in queries if query.strip()))
        if not asked or not opened:
            return []
        with self._calls.call("retrieval", opened[0].embedder, "zhuli") as call:
            call.given(len(asked))
            return await self._found(opened, asked, passes, most, ranker, threshold)

    async def _found(
        self,
        opened: Sequence[OpenStore],
        asked: Sequence[str],
        passes: Predicate | None,
        most: int,
        ranker: Ranker,
        threshold: float,
    ) -> list[Found]:
        await asyncio.gather(*(self._indexes.catch_up(store.id, store.changes) for store in opened))
        searches = await asyncio.gather(*(self._in_store(store, asked, passes) for store in opened))
        flat = [search for found in searches for search in found]
        read = max(RERANKED, 2 * most)
        wanted = {candidate.chunk for search in flat for candidate in search.candidates[:read]}
        passages = await self._database.run(chunks.passages, sorted(wanted))
        return (await asyncio.to_thread(_ranked, flat, passages, read, ranker, threshold))[:most]

    async def forget(self, store: str) -> None:
        """After a store was deleted: drop what its indexes keep."""
        await self._indexes.forget(store)

    async def _in_store(self, store: OpenStore, queries: Sequence[str], passes: Predicate | None) -> list[_Search]:
        files = None if passes is None else await self._passing(store, passes)
        if files is not None and not files:
            return []
        entry = self._embedder(store)
        vectors = await self._queries.of(entry, queries)
        background = await self._queries.background(entry)
        pairs = zip(queries, vectors, strict=True)
        return await asyncio.gather(*(self._one(store.id, *pair, background, files) for pair in pairs))

    async def _one(
        self, store: str, query: str, vector: bytes, background: float, files: Collection[int] | None
    ) -> _Search:
        near, said = await asyncio.gather(
            self._indexes.vectors.search(store, vector, most=DEPTH, files=files),
            self._indexes.words.search(store, query, most=DEPTH, files=files),
        )
        return await asyncio.to_thread(_fused, query, near, said, background)

    async def _passing(self, store: OpenStore, passes: Predicate) -> set[int]:
        """The numbers of the files that pass; attributes are read again when the store has changed."""
        key = store.id, store.changes
        if key not in self._attributes:
            self._attributes[key] = await self._database.run(chunks.file_attributes, store.id)
            while len(self._attributes) > _STORES_KEPT:
                self._attributes.popitem(last=False)
        self._attributes.move_to_end(key)
        return {file for file, attributes in self._attributes[key] if passes(attributes)}

    def _embedder(self, store: OpenStore) -> EmbedderEntry:
        entry = self._catalog.embedders.get(store.embedder)
        if entry is None:
            known = ", ".join(self._catalog.embedders)
            raise InvalidRequest(
                f"The vectors of {store.id} are by the embedder '{store.embedder}', which the models file no longer has. "
                f"Add it again, or make a new store. Embedders: {known}.",
                param="vector_store_id",
            )
        return entry


def _fused(query: str, near: Sequence[Hit], said: Matches, background: float) -> _Search:
    fused = fuse(near, said.hits, background=background, ceiling=said.ceiling)
    return _Search(Asked.of(query, said.idf), fused)


def _ranked(
    searches: Sequence[_Search], passages: Mapping[int, Passage], read: int, ranker: Ranker, threshold: float
) -> list[Found]:
    """Best first, each passage once. In a thread: thirty passages for each of many long queries take seconds."""
    return _without_doubles(_scored(searches, passages, read, ranker), threshold)


def _scored(
    searches: Sequence[_Search], passages: Mapping[int, Passage], read: int, ranker: Ranker
) -> list[tuple[float, Passage]]:
    """Each passage with the best of its scores, best first."""
    best: dict[int, tuple[float, float]] = {}
    for search in searches:
        for candidate in search.candidates[:read]:
            passage = passages.get(candidate.chunk)
            if passage is None:  # its file has left the store meanwhile
                continue
            score = candidate.fused
            if ranker != "none":
                score = relevance(features(search.asked, candidate, passage.text, passage.section))
            best[candidate.chunk] = max(best.get(candidate.chunk, (0.0, 0.0)), (score, candidate.fused))
    order = sorted(best, key=lambda chunk: (best[chunk], -chunk), reverse=True)
    return [(best[chunk][0], passages[chunk]) for chunk in order]


def _without_doubles(ranked: Sequence[tuple[float, Passage]], threshold: float) -> list[Found]:
    kept: dict[str, list[Passage]] = {}
    found: list[Found] = []
    for score, passage in ranked:
        before = kept.setdefault(passage.file_id, [])
        if score < threshold or any(_same(passage, other) for other in before):
            continue
        before.append(passage)
        found.append(_found(score, passage))
    return found


def _same(one: Passage, other: Passage) -> bool:
    """Whether two passages of a file are mostly the same text: chunks overlap, and a file may be in two stores."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return shared > SAME * min(one.end - one.start, other.end - other.start)


def _found(score: float, passage: Passage) -> Found:
    return Found(
        chunk=passage.chunk,
        vector_store_id=passage.vector_store_id,
        file_id=passage.file_id,
        filename=passage.filename,
        score=score,
        text=passage.text,
        start=passage.start,
        end=passage.end,
        section=passage.section,
        page=passage.page,
        attributes=passage.attributes,
    )
