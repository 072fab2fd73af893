"""From a history to candidates and their features: the same code when the ranker learns and when it serves.

A history is rows of items with weights, oldest first. Nothing here knows users, databases or requests.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhuli.applications.recommender.method.interest import RECENT, of_history
from zhuli.applications.recommender.method.item_to_item import Dense, Lists
from zhuli.applications.recommender.method.items import Items

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

MOST_HISTORY = 100
"""Newest events of a user that count."""

LAST = 0.5
"""How much less an event weighs than the one after it, where the last few are all that counts."""

_CANDIDATES = {
    "ease_recent": 150,
    "cosine_recent": 100,
    "following_recent": 100,
    "following_last": 50,
    "interest": 100,
    "trend": 50,
}
"""How many of each signal's best become candidates."""

LISTED = {
    "ease": ("ease", 1.0),
    "ease_recent": ("ease", RECENT),
    "cosine": ("cosine", 1.0),
    "cosine_recent": ("cosine", RECENT),
    "following_recent": ("following", RECENT),
    "following_last": ("following", LAST),
}
"""Signals that are sums over the history: of which matrix, and how much less each event weighs than the one after it."""

FEATURES = (
    *LISTED,
    *(f"{name}_share" for name in LISTED),
    "interest",
    "text",
    "text_nearest",
    "popularity",
    "trend",
    "popularity_beside_history",
    "category",
    "published",
    "published_beside_history",
    "price_beside_history",
    "history",
)


@dataclass(frozen=True, slots=True)
class History:
    """What a user did, oldest first: rows of items, and how much each says."""

    rows: Ints
    weights: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def without(self, row: int) -> "History":
        """The same without an item."""
        left = self.rows != row
        return History(self.rows[left], self.weights[left])

    def fading(self, by: float) -> Floats:
        """The weights, each less by this factor than the one after it."""
        return (self.weights * by ** np.arange(len(self.rows))[::-1]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a training makes, but for the ranker. past, coming: items' vectors of the interest model, as they were and may come.

    popularity, trend: logarithms of 1 + events, of all and of the latest time.
    """

    items: Items
    ease: Dense
    cosine: Lists
    following: Lists
    past: Floats
    coming: Floats
    popularity: Floats
    trend: Floats

    def matrix(self, name: str) -> Dense | Lists:
        """One of LISTED's."""
        if name == "ease":
            return self.ease
        return self.cosine if name == "cosine" else self.following


def signals(parts: Parts, history: History) -> dict[str, Floats]:
    """Of each signal that gives candidates, a number an item."""
    count = len(parts.items)
    found = {"trend": parts.trend, "interest": np.zeros(count, np.float32)}
    if len(history):
        found["interest"] = parts.coming @ of_history(parts.past[history.rows], history.weights)
    for name in _CANDIDATES.keys() & LISTED.keys():
        matrix, by = LISTED[name]
        found[name] = parts.matrix(matrix).gathered(history.rows, history.fading(by), count)
    return found


def candidates(found: dict[str, Floats], left_out: NDArray[np.bool_]) -> Ints:
    """The best of each signal, each once, without those that are left out: rows in their order."""
    chosen = []
    for name, most in _CANDIDATES.items():
        values = np.where(left_out, -np.inf, found[name])
        best = top(values, most)
        least = 0.0 if name in LISTED else -1e9
        chosen.append(best[values[best] > least])
    return np.unique(np.concatenate(chosen))


def top(values: Floats, most: int) -> Ints:
    """Places of the largest, best first; the earlier place among equals."""
    best = np.argpartition(-values, most - 1)[:most] if len(values) > most else np.arange(len(values))
    return best[np.lexsort((best, -values[best]))]


class Entries:
    """What each of some items of a history says of each of some rows, by every matrix: history × rows."""

    def __init__(self, parts: Parts, known: Ints, rows: Ints) -> None:
        """known: distinct items of histories."""
        self._place = {int(row): place for place, row in enumerate(known)}
        self._of = {name: parts.matrix(name).entries(known, rows) for name in ("ease", "cosine", "following")}
        self._largest = {name: parts.matrix(name).largest(known) for name in self._of}

    def columns(self, history: History, rows: int) -> list[Floats]:
        """The features that are sums over the history, and the share that each has of what it could be at most."""
        places = np.array([self._place[int(row)] for row in history.rows], np.int64)
        sums, shares = [], []
        for name, by in LISTED.values():
            weights = history.fading(by)
            total = weights @ self._of[name][places] if len(places) else np.zeros(rows, np.float32)
            sums.append(total)
            shares.append(total / max(float(weights @ self._largest[name][places]), 1e-6))
        return [*sums, *shares]


def features(parts: Parts, history: History, rows: Ints, entries: Entries | None = None) -> Floats:
    """Of these items, rows × FEATURES; nan for what is not known. entries: where they are at hand."""
    known = entries or Entries(parts, np.unique(history.rows), rows)
    columns = [*known.columns(history, len(rows)), *_beside_history(parts, history, rows)]
    columns.append(np.full(len(rows), np.log1p(len(history)), np.float32))
    return np.column_stack(columns).astype(np.float32)


def _beside_history(parts: Parts, history: History, rows: Ints) -> list[Floats]:
    """How the items are like those of the history: interest, text, popularity, categories, times, prices."""
    items, popularity, published = parts.items, parts.popularity[rows], parts.items.published[rows]
    nothing = np.full(len(rows), np.nan, np.float32)
    if not len(history):
        return [nothing, nothing, nothing, popularity, parts.trend[rows], nothing, nothing, published, nothing, nothing]
    by = history.fading(RECENT)
    by = by / max(float(by.sum()), 1e-6)
    own, past = items.texts[rows].astype(np.float32), items.texts[history.rows].astype(np.float32)
    return [
        parts.coming[rows] @ of_history(parts.past[history.rows], history.weights),
        own @ (by @ past),
        (own @ past[-20:].T).max(axis=1),
        popularity,
        parts.trend[rows],
        popularity - by @ parts.popularity[history.rows],
        items.categories[rows] @ (by @ items.categories[history.rows]),
        published,
        published - _mean(items.published[history.rows], by),
        items.prices[rows] - _mean(items.prices[history.rows], by),
    ]


def _mean(values: Floats, by: Floats) -> float:
    """Of what is known of them; nan where nothing is."""
    there = ~np.isnan(values)
    total = float(by[there].sum())
    return float(by[there] @ values[there]) / total if total > 0 else float("nan")
