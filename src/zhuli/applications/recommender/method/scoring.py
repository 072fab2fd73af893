"""From a history to candidates and their features: the same code when the ranker learns and when it serves.

A history is rows of items with weights, oldest first. Nothing here knows users, databases or requests.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zhuli.applications.recommender.method.interest import HISTORY, RECENT, of_histories, of_history
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
    "trend_month",
    "trend_year",
    "popularity_beside_history",
    "category",
    "age",
    "known_for",
    "published_beside_history",
    "price_beside_history",
    "history",
    "idle",
)


TREND_DAYS = (30, 90, 365)
"""Days after which an event counts half in what is popular lately."""

_DAY, _YEAR = 86_400.0, 365.25 * 86_400.0


@dataclass(frozen=True, slots=True)
class History:
    """What a user did, oldest first: rows of items, and how much each says.

    moment: for when the list is; newest: when the last event was. Both are seconds since 1970, nan where unknown.
    """

    rows: Ints
    weights: Floats
    moment: float = float("nan")
    newest: float = float("nan")

    def __len__(self) -> int:
        return len(self.rows)

    def without(self, row: int) -> "History":
        """The same without an item."""
        left = self.rows != row
        return replace(self, rows=self.rows[left], weights=self.weights[left])

    @property
    def idle(self) -> float:
        """The logarithm of 1 + the days between the last event and the list."""
        return float(np.log1p(max(0.0, self.moment - self.newest) / _DAY))

    @property
    def year(self) -> float:
        """The moment in years, as items' times are."""
        return 1970 + self.moment / _YEAR

    def fading(self, by: float) -> Floats:
        """The weights, each less by this factor than the one after it."""
        return (self.weights * by ** np.arange(len(self.rows))[::-1]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a training makes, but for the ranker. past, coming: items' vectors of the interest model, as they were and may come.

    popularity: logarithms of 1 + events; trends: the same by recency, items × TREND_DAYS; first: years of the first event.
    """

    items: Items
    ease: Dense
    cosine: Lists
    following: Lists
    past: Floats
    coming: Floats
    popularity: Floats
    trends: Floats
    first: Floats

    @property
    def trend(self) -> Floats:
        """Popularity by recency, as it makes candidates: a number an item."""
        found: Floats = self.trends[:, 1]
        return found

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
    chosen, here = [], ~left_out
    for name, most in _CANDIDATES.items():
        # Of a sum over a history few items have more than 0: the best are looked for among these alone.
        rows = np.flatnonzero((found[name] > 0) & here) if name in LISTED else np.flatnonzero(here)
        chosen.append(rows[top(found[name][rows], most)])
    return np.unique(np.concatenate(chosen))


def top(values: Floats, most: int) -> Ints:
    """Places of the largest, best first; the earlier place among equals."""
    best = np.argpartition(-values, most - 1)[:most] if len(values) > most else np.arange(len(values))
    return best[np.lexsort((best, -values[best]))]


def features(parts: Parts, history: History, rows: Ints) -> Floats:
    """Of these items, rows × FEATURES; nan for what is not known."""
    found: Floats = tables(parts, history, rows, np.ones((1, len(history)), bool))[0]
    return found


def tables(parts: Parts, history: History, rows: Ints, kept: NDArray[np.bool_]) -> Floats:
    """The same for the history with parts of it left out: histories × rows × FEATURES. kept: histories × events."""
    of = _Kept(history, kept)
    columns = [*_sums(parts, of, rows), *_beside_history(parts, of, rows), of.logs, np.full(len(kept), history.idle)]
    found = np.empty((len(kept), len(rows), len(FEATURES)), np.float32)
    for place, column in enumerate(columns):
        found[:, :, place] = column if column.ndim == 2 else column[:, None]
    return found


class _Kept:
    """A history, parts of which are left out in several ways."""

    def __init__(self, history: History, kept: NDArray[np.bool_]) -> None:
        self.history = history
        self.kept = kept
        self.newer: Ints = np.cumsum(kept[:, ::-1], axis=1)[:, ::-1] - kept
        self.nothing = kept.sum(axis=1, keepdims=True) == 0
        self.logs = np.log1p(kept.sum(axis=1))

    def weights(self, by: float, newest: int = MOST_HISTORY) -> Floats:
        """Histories × events: each less by this factor than the one after it, and 0 of all but the newest."""
        counted = self.kept & (self.newer < newest)
        found: Floats = np.where(counted, self.history.weights * by**self.newer, 0.0).astype(np.float32)
        return found

    def known(self, column: Floats) -> Floats:
        """A number a history and row; nan of histories of nothing."""
        found: Floats = np.where(self.nothing, np.nan, column)
        return found


def _sums(parts: Parts, of: _Kept, rows: Ints) -> list[Floats]:
    """The features that are sums over the history, and the share that each has of what it could be at most."""
    known, places = np.unique(of.history.rows, return_inverse=True)
    entries = {name: parts.matrix(name).entries(known, rows)[places] for name in _MATRICES}
    largest = {name: parts.matrix(name).largest(known)[places] for name in _MATRICES}
    sums, shares = [], []
    for name, by in LISTED.values():
        weights = of.weights(by)
        total = weights @ entries[name]
        sums.append(total)
        shares.append(total / np.maximum(weights @ largest[name], 1e-6)[:, None])
    return [*sums, *shares]


_MATRICES = ("ease", "cosine", "following")


def _beside_history(parts: Parts, of: _Kept, rows: Ints) -> list[Floats]:
    """How the items are like those of the history, and what is known of them at the moment of the list."""
    items, history, own = parts.items, of.history, of.history.rows
    by = of.weights(RECENT)
    by = by / np.maximum(by.sum(axis=1, keepdims=True), 1e-6)
    texts, past = items.texts[rows].astype(np.float32), items.texts[own].astype(np.float32)
    popularity, published = parts.popularity[rows], items.published[rows]
    trends = [np.broadcast_to(parts.trends[rows, place], (len(by), len(rows))) for place in (1, 0, 2)]
    ages = [np.broadcast_to(history.year - years, (len(by), len(rows))) for years in (published, parts.first[rows])]
    vectors = of_histories(parts.past[own], of.weights(RECENT, HISTORY))
    return [
        of.known(vectors @ parts.coming[rows].T),
        of.known((by @ past) @ texts.T),
        of.known(_nearest(past @ texts.T, of.kept & (of.newer < HISTORY))),
        np.broadcast_to(popularity, (len(by), len(rows))),
        *trends,
        of.known(popularity - (by @ parts.popularity[own])[:, None]),
        of.known((by @ items.categories[own]) @ items.categories[rows].T),
        *ages,
        published - _means(items.published[own], by),
        items.prices[rows] - _means(items.prices[own], by),
    ]


def _nearest(alike: Floats, counted: NDArray[np.bool_]) -> Floats:
    """The largest of what counts of each column. alike: events × rows; counted: histories × events."""
    if not len(alike):
        return np.zeros((len(counted), alike.shape[1]), np.float32)
    found: Floats = np.where(counted[:, :, None], alike, -np.inf).max(axis=1)
    return found


def _means(values: Floats, by: Floats) -> Floats:
    """Of what is known of them, a number a history; nan where nothing is."""
    there = ~np.isnan(values)
    total = by[:, there].sum(axis=1, keepdims=True)
    found: Floats = np.where(total > 0, by[:, there] @ values[there, None] / np.maximum(total, 1e-6), np.nan)
    return found
