"""A training: from events to the parts of a model and its ranker, which learns of what the parts have not seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from lightgbm import Booster
from numpy.typing import NDArray

from zhuli.applications.recommender.method import impressions, interest, item_to_item, ranking
from zhuli.applications.recommender.method.impressions import Shown
from zhuli.applications.recommender.method.interest import Tower
from zhuli.applications.recommender.method.items import Items, years
from zhuli.applications.recommender.method.ranking import Group
from zhuli.applications.recommender.method.scoring import (
    FEATURES,
    MOST_HISTORY,
    TREND_DAYS,
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


OF_CUTS = 4.0
"""How much a list after a cut in time counts beside one of a user's latest events: few users are on both sides of it."""


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

    def part(self, start: int, end: int) -> "Events":
        """Those of these places."""
        return Events(self.users[start:end], self.items[start:end], self.weights[start:end], self.at[start:end])


@dataclass(frozen=True, slots=True)
class Options:
    """What was chosen on movielens' training part (docs/recommender.md)."""

    l2: float = 100.0
    most_dense: int = 5_000
    kept: int = 200
    within: int = 5
    epochs: int = 3
    most_windows: int = 100_000
    rounds: int = 150
    most_groups: int = 3_000
    cuts: tuple[float, ...] = (0.5, 0.65, 0.8)
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
        np.column_stack([trend(liked, count, half_life=days * 86_400) for days in TREND_DAYS]),
        first_met(liked, count),
    )
    return made, tower


def trend(events: Events, count: int, *, half_life: float) -> Floats:
    """Popularity by recency: logarithms of 1 + events, of which each counts half after half_life seconds."""
    if not len(events):
        return np.zeros(count, np.float32)
    by = 0.5 ** ((events.at.max() - events.at) / half_life)
    return np.log1p(np.bincount(events.items, weights=by, minlength=count)).astype(np.float32)


def first_met(events: Events, count: int) -> Floats:
    """The year of each item's first event, nan of those without one."""
    found = np.full(count, np.inf)
    np.minimum.at(found, events.items, events.at)
    return years([None if at == np.inf else float(at) for at in found])


def histories(events: Events) -> dict[int, Events]:
    """Of each user, oldest first."""
    users, starts = np.unique(events.users, return_index=True)
    ends = [*starts[1:], len(events)]
    return {int(user): events.part(int(start), int(end)) for user, start, end in zip(users, starts, ends, strict=True)}


def groups(
    before: Events, after: Events, made: Parts, *, most: int, seed: int, moment: float | None = None
) -> list[Group]:
    """For each user candidates with features from what was before, and which of them came after; users with none are left out.

    moment: for when the lists are; None: for when each user came back.
    """
    past, coming = histories(before), histories(after)
    users = np.random.default_rng(seed).permutation(sorted(past.keys() & coming.keys()))[:most]
    found = []
    for user in users:
        own, later = past[int(user)], coming[int(user)]
        history = history_of(own, later.at[0] if moment is None else moment)
        left_out = np.zeros(len(made.items), bool)
        left_out[own.items] = True
        chosen = candidates(signals(made, history), left_out)
        taken = np.isin(chosen, later.items[later.weights > 0]).astype(np.int64)
        if taken.any():
            found.append(Group(int(user), features(made, history, chosen), taken))
    return found


def history_of(own: Events, moment: float) -> History:
    """The newest events of a user that say something, at the moment of a list."""
    good = own.weights > 0
    newest = float(own.at[-1]) if len(own) else float("nan")
    return History(own.items[good][-MOST_HISTORY:], own.weights[good][-MOST_HISTORY:], moment, newest)


Told = Callable[[str, float], None]
"""Hears what is done now, and how much of the training is done, from 0 to 1."""

Report = dict[str, float | int | str | None]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Trees, None of too few events; and what was measured on users whom the trees did not see: NDCG@10 of each way."""

    booster: Booster | None
    report: Report


def ranker(
    events: Events,
    items: Items,
    options: Options,
    *,
    lists: Sequence[Shown] = (),
    told: Told = lambda doing, share: None,
) -> Ranking:
    """Trees that learned of what came later than the parts of a model that saw only what was before.

    Twice over: of each user's latest events, where the parts know of others what came later still; and of all that came after
    a few cuts in time, where they know nothing of it, as when they serve. Lists that were shown after a cut are a third.
    """
    report: Report = {"events": len(events), "lists": len(lists)}
    if len(events) < _LEAST:
        return Ranking(None, report)
    bias = impressions.position_bias(lists)
    report["position_bias"] = None if bias is None else round(bias, 2)
    found, clicked = list[Group](), list[Group]()
    looks = _looks(events, options)
    for number, look in enumerate(looks):
        told("ranker", (number + 1) / (len(looks) + 2))
        if len(look.before) < _LEAST:
            continue
        made, _ = parts(look.before, items, options)
        for before, after in look.pairs:
            more = groups(before, after, made, most=options.most_groups, seed=options.seed, moment=look.moment)
            found += more if look.moment is None else [replace(group, weight=OF_CUTS) for group in more]
        if look.moment is not None:
            since, until = look.moment, look.until
            later = [one for one in lists if since < one.at <= until]
            clicked += of_lists(later, events, made, bias or 0.0)
    told("trees", (len(looks) + 1) / (len(looks) + 2))
    report |= {"groups": len(found), "clicks": len(clicked)}
    apart = _apart(found, options.seed)
    if len(apart) < _LEAST_USERS:
        return Ranking(None, report)
    seen = [group for group in [*found, *clicked] if group.user not in apart]
    tried = ranking.learn(seen, rounds=options.rounds, seed=options.seed)
    report |= {"measured_on": len(apart)} | _measured(tried, [group for group in found if group.user in apart])
    return Ranking(ranking.learn([*found, *clicked], rounds=options.rounds, seed=options.seed), report)


_LEAST = 100
"""Events below which there is nothing to learn from."""

_LEAST_USERS = 4
"""Users apart, below which nothing can be measured, and a ranker is a risk."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What the parts may know, and pairs of what a user had done and did then. moment: a cut's; until: the next cut's."""

    before: Events
    pairs: list[tuple[Events, Events]]
    moment: float | None = None
    until: float = np.inf


def _looks(events: Events, options: Options) -> list[_Look]:
    held = latest(events, HELD_BACK)
    found = [_Look(events.of(~held), [(events.of(~held), events.of(held))])]
    cuts = [float(cut) for cut in np.quantile(events.at, options.cuts)]
    for cut, until in zip(cuts, [*cuts[1:], np.inf], strict=True):
        old = events.at <= cut
        found.append(_Look(events.of(old), [(events.of(old), events.of(~old))], cut, until))
    return found


def _apart(found: Sequence[Group], seed: int) -> set[int]:
    """A fifth of the users."""
    users = np.random.default_rng(seed).permutation(sorted({group.user for group in found}))
    return {int(user) for user in users[: len(users) // 5]}


def of_lists(lists: Sequence[Shown], events: Events, made: Parts, bias: float) -> list[Group]:
    """Comparisons of what was taken of lists with the rest of each, by parts that knew nothing of them."""
    past, found = histories(events), list[Group]()
    for one in lists:
        own = past.get(one.user, events.part(0, 0))
        own = own.of(own.at < one.at)
        clicks = impressions.clicks(one, bias)
        if clicks and len(one.rows) > 1:
            table = features(made, history_of(own, one.at), one.rows)
            found += [Group(one.user, table, taken, weight) for taken, weight in clicks]
    return found


def _measured(booster: Booster, found: Sequence[Group]) -> Report:
    """Among the same candidates, so that only the order counts."""
    columns = {"item_to_item": "ease_recent", "interest": "interest", "popular": "trend"}
    found_by: dict[str, list[float]] = {}
    for group in found:
        ways = {way: np.nan_to_num(group.features[:, FEATURES.index(name)]) for way, name in columns.items()}
        for way, scores in (ways | {"ranked": np.asarray(booster.predict(group.features))}).items():
            order = np.argsort(-scores, kind="stable")
            found_by.setdefault(f"ndcg_{way}", []).append(ndcg(group.taken[order]))
    return {name: round(float(np.mean(values)), 4) for name, values in found_by.items()}


def ndcg(taken: Ints, most: int = 10) -> float:
    """Of a list by whether each was taken, against the best order of the same."""
    by = 1 / np.log2(np.arange(2, most + 2))
    reached = float(taken[:most] @ by[: len(taken[:most])])
    best = float(by[: min(most, int(taken.sum()))].sum())
    return reached / best if best else 0.0
