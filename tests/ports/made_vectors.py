"""Many vectors for indexes that treat many otherwise than few: clustered, so that neighbours are not a matter of chance."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from zhuli.ports import VectorIndex
from zhuli.types.knowledge.vectors import IndexChange, IndexedChunk

A_FILE = 20
"""Chunks. Chunk n belongs to file n // A_FILE + 1, which came with the change of that number."""

MOST = 10

Floats = npt.NDArray[np.float32]


def clustered(count: int, *, dimensions: int = 24, seed: int = 1) -> Floats:
    chance = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((200, dimensions))
    found = centres[chance.integers(0, 200, count)] + 0.6 * chance.standard_normal((count, dimensions))
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found.astype(np.float16).astype(np.float32)


def changes(vectors: Floats, *, first: int = 0) -> list[IndexChange]:
    """Each file comes with a change of its own; `first` chunks came before."""
    chunks = [IndexedChunk(first + row, "", "", vector.tobytes()) for row, vector in enumerate(vectors)]
    files = [chunks[start : start + A_FILE] for start in range(0, len(chunks), A_FILE)]
    return [IndexChange(file[0].seq // A_FILE + 1, file[0].seq // A_FILE + 1, file) for file in files]


def removals(files: Sequence[int], *, after: int) -> list[IndexChange]:
    return [IndexChange(after + 1 + place, file, None) for place, file in enumerate(files)]


async def recall(
    index: VectorIndex, store: str, vectors: Floats, *, files: Collection[int] | None = None, gone: Sequence[int] = ()
) -> float:
    """The share of the nearest ten that 50 searches find. No search may find fewer than there are, or what is not allowed."""
    file_of = np.arange(len(vectors)) // A_FILE + 1
    allowed = np.isin(file_of, list(files)) if files is not None else np.ones(len(vectors), bool)
    allowed &= ~np.isin(file_of, gone)
    rows, found = np.flatnonzero(allowed), 0
    queries = clustered(50, dimensions=vectors.shape[1], seed=2)
    for query in queries:
        hits = await index.search(store, query.tobytes(), most=MOST, files=files)
        assert len(hits) == min(MOST, len(rows))
        assert {hit.chunk for hit in hits} <= set(rows.tolist())
        nearest = rows[np.argsort(-(vectors[rows] @ query))[:MOST]]
        found += len({hit.chunk for hit in hits} & set(nearest.tolist()))
    return found / (len(queries) * min(MOST, len(rows)))
