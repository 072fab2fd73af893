"""One request on a Live: history to candidates, scores, a list, and what of the history each place stands on.

It is arithmetic, and is called in a thread; it asks no database.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhuli.applications.recommender.live import Live
from zhuli.applications.recommender.method import lists, scoring
from zhuli.applications.recommender.method.lists import Placed
from zhuli.applications.recommender.method.scoring import FEATURES, History, Parts
from zhuli.types.applications.recommender import Controls, RecommendationsCreate, Way

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_SIGNAL_OF = {"item_to_item": "ease_recent", "interest": "interest", "popular": "trend"}
_TEXTS_ALONE = 0.05
"""How much likeness of texts decides where nothing else does: among items that score alike."""


@dataclass(frozen=True, slots=True)
class Reason:
    """The row of the history without which a score would fall most, and by how much."""

    row: int
    change: float


@dataclass(frozen=True, slots=True)
class Made:
    """A list of rows, each perhaps with its reason."""

    placed: list[Placed]
    reasons: dict[int, Reason]


def recommend(live: Live, history: History, seen: Ints, asked: RecommendationsCreate, *, seed: int) -> Made:
    """The list. seen: rows that the user knows."""
    parts, rng = live.parts(), np.random.default_rng(seed)
    left_out = _left_out(live, parts, seen, asked.controls)
    rows = scoring.candidates(scoring.signals(parts, history), left_out)
    if not len(rows):
        return Made([], {})
    table = scoring.features(parts, history, rows)
    if asked.compare is None:
        placed = _placed(_ordered(live, parts, rows, table, asked.way, asked), rows, asked, rng)
    else:
        placed = _interleaved(live, parts, rows, table, asked, rng)
    reasons = _reasons(live, parts, history, placed, asked) if asked.explain and len(history) else {}
    return Made(placed, reasons)


def _left_out(live: Live, parts: Parts, seen: Ints, controls: Controls) -> NDArray[np.bool_]:
    left_out = live.gone().copy()
    if not controls.seen:
        left_out[seen] = True
    if controls.categories is not None:
        kept = np.zeros(len(left_out), bool)
        for name in controls.categories:
            kept[list(live.of_category.get(name, ()))] = True
        left_out |= ~kept
    for name in controls.without:
        left_out[list(live.of_category.get(name, ()))] = True
    if controls.max_price is not None:
        left_out |= ~(parts.items.prices <= np.float32(np.log1p(controls.max_price)))  # as prices are kept
    return left_out


def scores(live: Live, table: Floats, way: Way) -> Floats:
    """What a way says of candidates by their features."""
    if way == "ranked" and live.ranker is not None:
        return live.ranker.scores(table)
    if way == "ranked":  # too few events for trees: behaviour first, then texts, then popularity
        return sum(_column(table, name) for name in ("ease_recent_share", "interest")) + 0.1 * _column(table, "trend")
    return _column(table, _SIGNAL_OF[way]) + _TEXTS_ALONE * _column(table, "text")


def _column(table: Floats, name: str) -> Floats:
    return np.nan_to_num(table[:, FEATURES.index(name)])


@dataclass(frozen=True, slots=True)
class _Order:
    """Places in the candidates, best first, and the score of each candidate."""

    places: Ints
    scores: Floats


def _ordered(live: Live, parts: Parts, rows: Ints, table: Floats, way: Way, asked: RecommendationsCreate) -> _Order:
    controls = asked.controls
    found = lists.adjusted(
        scores(live, table, way),
        parts.popularity[rows],
        table[:, FEATURES.index("text_nearest")],
        popular=controls.popularity,
        novel=controls.novelty,
    )
    vectors = parts.items.texts[rows].astype(np.float32)
    most = lists.POOL if controls.explore or asked.compare else asked.limit
    return _Order(lists.diverse(found, vectors, most=max(most, asked.limit), share=controls.diversity), found)


def _placed(order: _Order, rows: Ints, asked: RecommendationsCreate, rng: np.random.Generator) -> list[Placed]:
    chosen = lists.drawn(order.places.tolist(), most=asked.limit, share=asked.controls.explore, rng=rng)
    return [Placed(int(rows[place]), float(order.scores[place]), likely) for place, likely in chosen]


def _interleaved(
    live: Live, parts: Parts, rows: Ints, table: Floats, asked: RecommendationsCreate, rng: np.random.Generator
) -> list[Placed]:
    assert asked.compare is not None
    a = _ordered(live, parts, rows, table, asked.compare.a, asked)
    b = _ordered(live, parts, rows, table, asked.compare.b, asked)
    both = lists.interleaved(a.places.tolist(), b.places.tolist(), most=asked.limit, rng=rng)
    return [Placed(int(rows[place]), float((a if team == "a" else b).scores[place]), 1.0, team) for place, team in both]


def _reasons(
    live: Live, parts: Parts, history: History, placed: list[Placed], asked: RecommendationsCreate
) -> dict[int, Reason]:
    """Each place's score again without each item of the history: what is named is what moves it most, and only down."""
    rows, known = np.unique([one.row for one in placed]), np.unique(history.rows)
    kept = np.vstack([np.ones(len(history), bool), history.rows != known[:, None]])
    table = scoring.tables(parts, history, rows, kept).reshape(-1, len(FEATURES))
    ways: dict[str | None, Way] = {None: asked.way}
    if asked.compare is not None:
        ways = {"a": asked.compare.a, "b": asked.compare.b}
    falls = {}
    for source, way in ways.items():
        found = scores(live, table, way).reshape(len(kept), len(rows))
        falls[source] = found[0] - found[1:]
    reasons = {}
    for one in placed:
        column = falls[one.source][:, int(np.searchsorted(rows, one.row))]
        best = int(np.argmax(column))
        if column[best] > 0:
            reasons[one.row] = Reason(int(known[best]), float(column[best]))
    return reasons


def similar(live: Live, row: int | None, vector: Floats, *, most: int) -> tuple[str, list[tuple[int, float]]]:
    """Rows most similar to a row by behaviour, where enough is known of it; else to a text's vector. With their scores."""
    parts, left_out = live.parts(), live.gone().copy()
    if row is not None:
        left_out[row] = True
        listed, weights = parts.cosine.row(row)
        here = ~left_out[listed]
        if int(here.sum()) >= most:
            best = scoring.top(weights[here], most)
            return "behaviour", [(int(listed[here][place]), float(weights[here][place])) for place in best]
    alike = np.where(left_out, -np.inf, parts.items.texts @ vector.astype(np.float16))
    best = scoring.top(alike.astype(np.float32), most)
    return "text", [(int(place), float(alike[place])) for place in best if alike[place] > -np.inf]
