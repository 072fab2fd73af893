"""One score out of two searches: a convex combination of cosine and BM25, each on a scale of its own making.

After Bruch, Gai and Ingber 2022 (An Analysis of Fusion Functions for Hybrid Retrieval), who found that a weighted sum of
scores beats reciprocal ranks: ranks forget how sure a search was, and where one side knows little (a question in other words
than the answer's) its ranks are noise. Both scales are absolute, so scores of several queries and stores can be compared:

    semantic = (cosine - background) / (1 - background)     background: the embedder's cosine of texts that have nothing in common
    lexical  = BM25 / ceiling                               ceiling: what no chunk can reach, (k1 + 1) times the sum of idf
    fused    = SEMANTIC * semantic + (1 - SEMANTIC) * lexical

Pure; searching, texts and reranking are elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from zhuli.types.knowledge.vectors import Hit

SEMANTIC = 0.57
"""The weight of vectors: `benchmarks/knowledge/retrieval_quality.py --fit` with e5-small, on questions
that its table leaves out."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that either search found for a query. All numbers are 0 to 1."""

    chunk: int
    fused: float
    semantic: float
    lexical: float


def fuse(vectors: Sequence[Hit], words: Sequence[Hit], *, background: float, ceiling: float) -> list[Candidate]:
    """The union of what was found by vectors and by words, best first.

    A chunk that the vectors did not bring gets the lowest cosine that they did, which it can't exceed; one that the words
    did not bring gets 0.
    """
    cosines = {hit.chunk: hit.score for hit in vectors}
    scores = {hit.chunk: hit.score for hit in words}
    lowest = min(cosines.values(), default=background)
    found = [
        _candidate(chunk, _share(cosines.get(chunk, lowest), background), scores.get(chunk, 0.0) / (ceiling or 1.0))
        for chunk in cosines.keys() | scores.keys()
    ]
    return sorted(found, key=lambda candidate: (-candidate.fused, candidate.chunk))


def _share(cosine: float, background: float) -> float:
    return _clipped((cosine - background) / (1 - background))


def _candidate(chunk: int, semantic: float, lexical: float) -> Candidate:
    lexical = _clipped(lexical)
    return Candidate(chunk, SEMANTIC * semantic + (1 - SEMANTIC) * lexical, semantic, lexical)


def _clipped(score: float) -> float:
    return min(1.0, max(0.0, score))
