"""From scores to a list: controls, diversity, drawing by lot with known propensities, two lists interleaved. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

POOL = 100
"""Of the best, how many diversity and the lot choose among."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A row in its place. propensity: how likely it was to stand there, after those before it."""

    row: int
    score: float
    propensity: float = 1.0
    source: str | None = None


def adjusted(scores: Floats, popularity: Floats, nearest: Floats, *, popular: float, novel: float) -> Floats:
    """Standardised scores with so much of standardised popularity, and of unlikeness to the history, added."""
    found = _standard(scores)
    if popular:
        found = found + popular * _standard(popularity)
    if novel:
        found = found - novel * _standard(np.nan_to_num(nearest))
    return found


def _standard(values: Floats) -> Floats:
    spread = float(values.std())
    return ((values - values.mean()) / spread if spread > 0 else np.zeros_like(values)).astype(np.float32)


def diverse(scores: Floats, vectors: Floats, *, most: int, share: float) -> Ints:
    """Places by maximal marginal relevance (Carbonell & Goldstein 1998): share 0 takes the best, 1 what is most unlike the rest.

    vectors: of length 1, a row a score. Scores are brought between 0 and 1, as likenesses nearly are.
    """
    order = np.argsort(-scores, kind="stable")[: max(POOL, most)]
    if share == 0:
        return order[:most]
    low, high = float(scores[order].min()), float(scores[order].max())
    relevance = (scores[order] - low) / max(high - low, 1e-6)
    alike = vectors[order] @ vectors[order].T
    nearest, left, chosen = np.zeros(len(order), np.float32), np.ones(len(order), bool), list[int]()
    while len(chosen) < min(most, len(order)):
        worth = np.where(left, (1 - share) * relevance - share * nearest, -np.inf)
        best = int(np.argmax(worth))
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, alike[best])
    return order[chosen]


def drawn(order: Sequence[int], *, most: int, share: float, rng: np.random.Generator) -> list[tuple[int, float]]:
    """The first `most` of an order, where each place goes with probability `share` to one of all that are left, by lot.

    With each how likely it was to get its place, given those before it.
    """
    left, found = list(order[:POOL]), list[tuple[int, float]]()
    while left and len(found) < most:
        first = left[0]
        chosen = left[int(rng.integers(len(left)))] if share and rng.random() < share else first
        likely = share / len(left) + (1 - share if chosen == first else 0.0)
        left.remove(chosen)
        found.append((chosen, likely))
    return found


def interleaved(a: Sequence[int], b: Sequence[int], *, most: int, rng: np.random.Generator) -> list[tuple[int, str]]:
    """Team draft (Radlinski, Kurup & Joachims 2008): in each round both pick their best that is left, a coin says who first."""
    found, taken = list[tuple[int, str]](), set[int]()
    picks = {"a": iter(a), "b": iter(b)}
    while len(found) < most:
        round_ = ["a", "b"] if rng.random() < 0.5 else ["b", "a"]
        before = len(found)
        for team in round_:
            best = next((row for row in picks[team] if row not in taken), None)
            if best is not None and len(found) < most:
                taken.add(best)
                found.append((best, team))
        if len(found) == before:
            break
    return found
