"""A training: from events to the parts of a model and its ranker, which learns of what the parts have not seen."""

from dataclasses import dataclass

import numpy as np
from lightgbm import Booster
from numpy.typing import NDArray

from zhuli.applications.recommender.method import interest, item_to_item, ranking
from zhuli.applications.recommender.method.interest import Tower
from zhuli.applications.recommender.method.items import Items
from zhuli.applications.recommender.method.scoring import (
    FEATURES,
    MOST_HISTORY,
    History,
    Parts,
    candidates,
    features,
    signals,
)

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

HELD_BACK = 0.2
"""The share of each user's events, the latest ones, of which the ranker learns."""


@dataclass(frozen=True, slots=True)
class Events:
    """By user, and in the order of time. weights: how much each says that the user likes the item; 0: nothing."""

    users: Ints
    items: Ints
    weights: Floats
    at: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.users)

    def of(self, chosen: NDArray[np.bool_]) -> "Events":
        """Those chosen."""
        return Events(self.users[chosen], self.items[chosen], self.weights[chosen], self.at[chosen])


@dataclass(frozen=True, slots=True)
class Options:
    """What was chosen on movielens' training part (docs/recommender.md)."""

    l2: float = 100.0
    most_dense: int = 5_000
    kept: int = 200
    within: int = 5
    half_life_days: float = 90.0
    epochs: int = 3
    most_windows: int = 100_000
    rounds: int = 150
    most_groups: int = 3_000
    seed: int = 0


def latest(events: Events, share: float) -> NDArray[np.bool_]:
    """Of each user the latest share of events, at least one."""
    counts = np.bincount(events.users)
    starts = np.cumsum(counts) - counts
    places = np.arange(len(events)) - starts[events.users]
    held = np.maximum(1, np.floor(counts * share)).astype(np.int64)
    chosen: NDArray[np.bool_] = places >= (counts - held)[events.users]
    return chosen


def parts(events: Events, items: Items, options: Options) -> tuple[Parts, Tower]:
    """Everything but the ranker, and the tower that new items' vectors are made with."""
    liked = events.of(events.weights > 0)
    count = len(items)
    users = int(events.users.max(initial=0)) + 1
    matrix = item_to_item.interactions(liked.users, liked.items, liked.weights, shape=(users, count))
    tower = interest.learn(
        items.features,
        liked.users,
        liked.items,
        epochs=options.epochs,
        most=options.most_windows,
        seed=options.seed,
    )
    made = Parts(
        items,
        item_to_item.ease(matrix, l2=options.l2, most_items=options.most_dense),
        item_to_item.cosine(matrix, kept=options.kept),
        item_to_item.following(liked.users, liked.items, count=count, within=options.within, kept=options.kept),
        tower.as_past(items.features),
        tower.as_next(items.features),
        np.log1p(np.bincount(liked.items, minlength=count)).astype(np.float32),
        trend(liked, count, half_life=options.half_life_days * 86_400),
    )
    return made, tower


def trend(events: Events, count: int, *, half_life: float) -> Floats:
    """Popularity by recency: logarithms of 1 + events, of which each counts half after half_life seconds."""
    if not len(events):
        return np.zeros(count, np.float32)
    by = 0.5 ** ((events.at.max() - events.at) / half_life)
    return np.log1p(np.bincount(events.items, weights=by, minlength=count)).astype(np.float32)


def histories(events: Events) -> dict[int, tuple[Ints, Floats]]:
    """The rows and weights of each user, oldest first."""
    users, starts = np.unique(events.users, return_index=True)
    ends = [*starts[1:], len(events)]
    return {
        int(user): (events.items[start:end], events.weights[start:end])
        for user, start, end in zip(users, starts, ends, strict=True)
    }


def groups(before: Events, after: Events, made: Parts, *, most: int, seed: int) -> tuple[list[Floats], list[Ints]]:
    """For each user candidates with features from what was before, and which of them came after; users with none are left out."""
    past, coming = histories(before), histories(after)
    users = np.random.default_rng(seed).permutation(sorted(past.keys() & coming.keys()))[:most]
    found, labels = [], []
    for user in users:
        rows, weights = past[int(user)]
        history = history_of(rows, weights)
        left_out = np.zeros(len(made.items), bool)
        left_out[rows] = True
        chosen = candidates(signals(made, history), left_out)
        liked = coming[int(user)][0][coming[int(user)][1] > 0]
        taken = np.isin(chosen, liked).astype(np.int64)
        if taken.any():
            found.append(features(made, history, chosen))
            labels.append(taken)
    return found, labels


def history_of(rows: Ints, weights: Floats) -> History:
    """The newest events of a user that say something."""
    good = weights > 0
    return History(rows[good][-MOST_HISTORY:], weights[good][-MOST_HISTORY:])


@dataclass(frozen=True, slots=True)
class Ranking:
    """Trees, None of too few events; and what was measured on users whom the trees did not see: NDCG@10 of each way."""

    booster: Booster | None
    report: dict[str, float | int | str | None]


def ranker(events: Events, items: Items, options: Options) -> Ranking:
    """Trees that learned of each user's latest events, with parts that saw only those before them."""
    held = latest(events, HELD_BACK)
    before, after = events.of(~held), events.of(held)
    report: dict[str, float | int | str | None] = {"events": len(events), "held_back": len(after)}
    if len(before) < _LEAST:
        return Ranking(None, report)
    made, _ = parts(before, items, options)
    found, labels = groups(before, after, made, most=options.most_groups, seed=options.seed)
    apart = len(found) // 5
    if apart < _LEAST_GROUPS:
        return Ranking(None, report | {"groups": len(found)})
    tried = ranking.learn(found[apart:], labels[apart:], rounds=options.rounds, seed=options.seed)
    report |= {"groups": len(found), "measured_on": apart} | _measured(tried, found[:apart], labels[:apart])
    return Ranking(ranking.learn(found, labels, rounds=options.rounds, seed=options.seed), report)


_LEAST = 100
"""Events below which there is nothing to learn from."""

_LEAST_GROUPS = 4
"""Users apart, below which nothing can be measured, and a ranker is a risk."""


def _measured(booster: Booster, found: list[Floats], labels: list[Ints]) -> dict[str, float | int | str | None]:
    """Among the same candidates, so that only the order counts."""
    columns = {"item_to_item": "ease_recent", "interest": "interest", "popular": "trend"}
    found_by: dict[str, list[float]] = {}
    for group, taken in zip(found, labels, strict=True):
        ways = {way: group[:, FEATURES.index(name)] for way, name in columns.items()}
        for way, scores in (ways | {"ranked": np.asarray(booster.predict(group))}).items():
            order = np.argsort(-scores, kind="stable")
            found_by.setdefault(f"ndcg_{way}", []).append(ndcg(taken[order]))
    return {name: round(float(np.mean(values)), 4) for name, values in found_by.items()}


def ndcg(taken: Ints, most: int = 10) -> float:
    """Of a list by whether each was taken, against the best order of the same."""
    by = 1 / np.log2(np.arange(2, most + 2))
    reached = float(taken[:most] @ by[: len(taken[:most])])
    best = float(by[: min(most, int(taken.sum()))].sum())
    return reached / best if best else 0.0
