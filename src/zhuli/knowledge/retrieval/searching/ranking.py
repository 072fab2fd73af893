"""Puts the best of what was fused into a better order by reading the texts: are the query's words and phrases there?

A light reranker, for no cross-encoder runs in a few milliseconds. It looks for the query's words in the text as they stand
(so it needs no index), for pairs of neighbouring words, and for words in the headings. A logistic regression joins that with
the scores of the search into a number from 0 to 1: how probable it is that the passage answers the query, on the questions
that the weights were fitted to (benchmarks/knowledge/retrieval_quality.py --fit, on the half of each set that its table
leaves out).
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp

from zhuli.knowledge.retrieval.searching.fusion import Candidate

_TERMS = re.compile(r"[^\W_]+")
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Features:
    """What the reranker sees of a passage; all 0 to 1."""

    semantic: float
    lexical: float
    coverage: float
    phrases: float
    heading: float

    def values(self) -> tuple[float, ...]:
        """The five numbers, in the order of WEIGHTS."""
        return self.semantic, self.lexical, self.coverage, self.phrases, self.heading


WEIGHTS = (12.16, 7.47, 1.28, 0.85, 0.31)
"""In the order of Features. The sets have no headings: that weight is chosen, small, and not fitted."""

BIAS = -9.98

MOST_PHRASES = 256
"""Of a query that are looked for: one of 16,000 characters has ten thousand, and no passage has many of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, taken apart once for all passages. idf: how rare each of its words is in the store, by stem."""

    idf: Mapping[str, float]
    phrases: Sequence[str]

    @classmethod
    def of(cls, query: str, idf: Mapping[str, float]) -> "Asked":
        """A query as passages are ranked for it. idf: how rare each of its words is in the store."""
        return cls({_findable(word): weight for word, weight in idf.items()}, _phrases(query))


def features(asked: Asked, candidate: Candidate, text: str, section: str) -> Features:
    """Of one passage."""
    heading = _plain(section) if section else ""
    body = _plain(text)
    if heading:
        body = f"{heading} {body}"
    return Features(
        candidate.semantic,
        candidate.lexical,
        _covered(asked.idf, body),
        _share([phrase in body for phrase in asked.phrases]),
        _covered(asked.idf, heading) if heading else 0.0,
    )


def relevance(found: Features) -> float:
    """How probable it is that the passage answers the query."""
    return 1 / (1 + exp(-BIAS - sum(weight * value for weight, value in zip(WEIGHTS, found.values(), strict=True))))


def _plain(text: str) -> str:
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(normal.lower().split())


def _findable(stem: str) -> str:
    """What of a stem stands in the inflected word: polici is of policy, quick of quickly."""
    return stem[:-1] if len(stem) > 3 and stem.endswith("i") else stem


def _phrases(query: str) -> list[str]:
    """Pairs of neighbouring words; in Chinese of neighbouring characters."""
    words: list[str] = []
    for term in _TERMS.findall(_plain(query)):
        words += list(term) if _HAN.search(term) else [term]
    pairs = [
        left + right if _HAN.match(left) and _HAN.match(right) else f"{left} {right}" for left, right in pairwise(words)
    ]
    return list(dict.fromkeys(pairs))[:MOST_PHRASES]


def _covered(idf: Mapping[str, float], text: str) -> float:
    total = sum(idf.values())
    return sum(weight for word, weight in idf.items() if word in text) / total if total else 0.0


def _share(there: Sequence[bool]) -> float:
    return sum(there) / len(there) if there else 0.0
