"""How good lists are, beside yardsticks: `python -m benchmarks.applications.recommender.quality --data DIR`.

Two splits: the last 20 % of each user's events, and the last 20 % of all time (users with at least 5 events before it, and
some after). Options of every way are chosen on the same split of the training part; the test part is looked at once.
"""

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.applications.recommender import movielens, yardsticks
from benchmarks.applications.recommender.measuring import MOST, Measured, interval, measure
from zhuli.applications.recommender.method import fitting, scoring
from zhuli.applications.recommender.method.fitting import Events, Options, history_of
from zhuli.applications.recommender.method.items import Items

LEAST = 5
"""Events of a user, below which they are not measured."""

Lists = dict[int, NDArray[np.int64]]

GRID: dict[str, tuple[Callable[..., yardsticks.Scores], dict[str, list[Any]]]] = {
    "popularity": (yardsticks.popularity, {}),
    "popularity by recency": (yardsticks.recency, {"days": [30.0, 365.0, 3650.0]}),
    "item-kNN": (yardsticks.knn, {"kept": [50, 200]}),
    "EASE": (yardsticks.ease, {"l2": [100.0, 300.0]}),
    "SLIM": (yardsticks.slim, {"alpha": [0.003, 0.01, 0.03]}),
    "ALS": (yardsticks.als, {"factors": [32, 64], "regularization": [0.05], "alpha": [1.0, 10.0]}),
    "BPR": (yardsticks.bpr, {"factors": [64], "regularization": [0.01], "rate": [0.02, 0.05]}),
}


def per_user(events: Events) -> NDArray[np.bool_]:
    """What is held out: of each user the last fifth."""
    return fitting.latest(events, 0.2)


def by_time(events: Events) -> NDArray[np.bool_]:
    """What is held out: the last fifth of all."""
    held: NDArray[np.bool_] = events.at > np.quantile(events.at, 0.8)
    return held


SPLITS = {"per user": per_user, "by time": by_time}


def wanted_of(before: Events, after: Events) -> Lists:
    """What each user did later and not before: of users with enough of a past."""
    past, coming = fitting.histories(before), fitting.histories(after)
    found = {
        user: np.setdiff1d(coming[user].items, past[user].items)
        for user in sorted(past.keys() & coming.keys())
        if len(past[user]) >= LEAST
    }
    return {user: items for user, items in found.items() if len(items)}


def lists_by(scores: yardsticks.Scores, before: Events, users: Lists) -> Lists:
    """Of each user the ten best that they do not know."""
    past = fitting.histories(before)
    found = {}
    for user in users:
        values = scores(user).astype(np.float64)
        values[past[user].items] = -np.inf
        found[user] = scoring.top(values, MOST)
    return found


def ours(before: Events, items: Items, users: Lists, options: Options, moments: dict[int, float]) -> dict[str, Lists]:
    """The ranked lists, and those of the interest model and of item-to-item alone. moments: for when each list is."""
    made, _ = fitting.parts(before, items, options)
    booster = fitting.ranker(before, items, options).booster
    past = fitting.histories(before)
    found: dict[str, Lists] = {
        "zhuli": {},
        "zhuli, interest model alone": {},
        "zhuli, EASE with newer events first": {},
    }
    for user in users:
        rows = past[user].items
        history = history_of(past[user], moments[user])
        signals = scoring.signals(made, history)
        left_out = np.zeros(len(items), bool)
        left_out[rows] = True
        chosen = scoring.candidates(signals, left_out)
        table = scoring.features(made, history, chosen)
        order = np.asarray(booster.predict(table)) if booster is not None else table[:, 1]
        found["zhuli"][user] = chosen[scoring.top(order, MOST)]
        for name, signal in (
            ("zhuli, interest model alone", "interest"),
            ("zhuli, EASE with newer events first", "ease_recent"),
        ):
            found[name][user] = scoring.top(np.where(left_out, -np.inf, signals[signal]), MOST)
    return found


def moments_of(split: str, before: Events, after: Events) -> dict[int, float]:
    """For when lists are: per user, when they came back; by time, all at the cut."""
    if split == "by time":
        return dict.fromkeys(map(int, np.unique(before.users)), float(before.at.max()))
    return {user: float(own.at[0]) for user, own in fitting.histories(after).items()}


def choices(grid: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Every combination."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def chosen(name: str, before: Events, after: Events, items: int) -> dict[str, Any]:
    """A yardstick's best options on the validation part."""
    make, grid = GRID[name]
    users = wanted_of(before, after)
    counts = np.bincount(before.items, minlength=items).astype(np.float64)
    best, reached = dict[str, Any](), -1.0
    found = list(choices(grid))
    if len(found) == 1:
        return found[0]
    for options in found:
        lists = lists_by(make(before, items, **options), before, users)
        value = float(measure(lists, users, counts, items=items).ndcg.mean())
        if value > reached:
            best, reached = options, value
    return best


def run(name: str, events: Events, items: Items) -> None:
    """Print a table of one split."""
    held = SPLITS[name](events)
    train, test = events.of(~held), events.of(held)
    inner = SPLITS[name](train)
    before, after = train.of(~inner), train.of(inner)
    users, count = wanted_of(train, test), len(items)
    counts = np.bincount(train.items, minlength=count).astype(np.float64)
    found: dict[str, Measured] = {}
    for way in track(list(GRID), description=f"{name}: yardsticks"):
        options = chosen(way, before, after, count)
        lists = lists_by(GRID[way][0](train, count, **options), train, users)
        found[way] = measure(lists, users, counts, items=count)
        said = ", ".join(f"{key} {value}" for key, value in options.items())
        print(f"{way} ({said}): {found[way].ndcg.mean():.4f}", file=sys.stderr, flush=True)
    best = max(found, key=lambda way: float(found[way].ndcg.mean()))
    for way, lists in ours(train, items, users, Options(), moments_of(name, train, test)).items():
        found[way] = measure(lists, users, counts, items=count)
    print(f"\n{name}: {len(users)} users, {len(train)} events before, {len(test)} after\n")
    print("| way | NDCG@10 | recall@10 | coverage | popularity of what is shown |\n| --- | --- | --- | --- | --- |")
    for way, one in found.items():
        print(
            f"| {way} | {one.ndcg.mean():.4f} | {one.recall.mean():.4f} | {one.coverage:.3f} | {one.popularity:.3f} |"
        )
    mean, low, high = interval(found["zhuli"].ndcg, found[best].ndcg)
    share = mean / float(found[best].ndcg.mean())
    print(
        f"\nzhuli over {best}: {mean:+.4f} NDCG@10 ({share:+.1%}), 95 % interval {low:+.4f} to {high:+.4f}\n",
        flush=True,
    )


def main() -> None:
    """Both splits, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder with movies.csv and ratings.csv")
    parser.add_argument("--embedder", default="minilm")
    parser.add_argument("--kept", type=Path, default=Path("build/recommender"), help="where vectors are kept")
    parser.add_argument("--split", choices=[*SPLITS], action="append")
    given = parser.parse_args()
    movies = movielens.read(given.data)
    items = movielens.items_of(movies.rows, given.embedder, given.kept)
    for name in given.split or SPLITS:
        run(name, movies.events, items)


if __name__ == "__main__":
    main()
