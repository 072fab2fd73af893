"""Lists by global time at several cuts: `python -m benchmarks.applications.recommender.cuts --data DIR`.

At each cut everything before is learned of, and all users with at least 5 events before it and some after get a list at that
moment. Few users are on both sides of a cut, so that several are measured. Cuts up to 0.65 are for development: by them the
features of the moment, the weight of cuts and the half-life of the yardstick were chosen. Later ones are for reporting.

So that six cuts take two minutes of processor time, less is learned than a server learns (`--whole` learns as much).
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.applications.recommender import movielens, quality, yardsticks
from benchmarks.applications.recommender.measuring import measure
from zhuli.applications.recommender.method.fitting import Options
from zhuli.applications.recommender.method.items import Items

DEVELOPMENT = (0.4, 0.5, 0.6, 0.65)
LATER = (0.7, 0.75, 0.8, 0.85, 0.9, 0.95)

SMALL = Options(most_dense=1_000, epochs=1, most_windows=20_000, rounds=100, most_groups=250)

RECENCY_DAYS = (30.0, 365.0)
"""Of the yardstick: 365 is the better one at the cuts for development."""

_ROUNDS = 10_000


def main() -> None:
    """A line a cut, and the mean of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--embedder", default="minilm")
    parser.add_argument("--kept", type=Path, default=Path("build/recommender"))
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--whole", action="store_true")
    given = parser.parse_args()
    movies = movielens.read(given.data)
    items = movielens.items_of(movies.rows, given.embedder, given.kept)
    options = Options() if given.whole else SMALL
    users, found = list[int](), dict[str, list[float]]()
    for cut in track(DEVELOPMENT if given.development else LATER, description="cuts"):
        own, of_ways = at(movies, items, cut, options)
        users += own
        for way, values in of_ways.items():
            found.setdefault(way, []).extend(values)
        means = ", ".join(f"{way} {np.mean(values):.3f}" for way, values in of_ways.items())
        print(f"cut {cut}: {len(own)} users, {means}", flush=True)
    print("all:", {way: round(float(np.mean(values)), 4) for way, values in found.items()})
    for way in found.keys() - {"zhuli"}:
        mean, low, high = by_user(np.array(users), np.array(found["zhuli"]) - np.array(found[way]))
        print(f"zhuli over {way}: {mean:+.4f}, 95 % interval {low:+.4f} to {high:+.4f}")


def at(
    movies: movielens.Movies, items: Items, cut: float, options: Options
) -> tuple[list[int], dict[str, list[float]]]:
    """The users of a cut, and NDCG@10 of each by every way."""
    moment = float(np.quantile(movies.events.at, cut))
    train, test = movies.events.of(movies.events.at <= moment), movies.events.of(movies.events.at > moment)
    wanted = quality.wanted_of(train, test)
    lists = {"zhuli": quality.ours(train, items, wanted, options, dict.fromkeys(wanted, moment))["zhuli"]}
    for days in RECENCY_DAYS:
        scores = yardsticks.recency(train, len(items), days=days)
        lists[f"popularity by recency, {days:.0f} days"] = quality.lists_by(scores, train, wanted)
    lists["popularity"] = quality.lists_by(yardsticks.popularity(train, len(items)), train, wanted)
    counts = np.bincount(train.items, minlength=len(items)).astype(np.float64)
    return list(wanted), {way: measure(of, wanted, counts, items=len(items)).ndcg.tolist() for way, of in lists.items()}


def by_user(users: NDArray[np.int64], differences: NDArray[np.float64]) -> tuple[float, float, float]:
    """The mean difference and its interval; the bootstrap draws users, since one is there at several cuts."""
    rng, distinct = np.random.default_rng(0), np.unique(users)
    sums = np.array([differences[users == user].sum() for user in distinct])
    counts = np.array([(users == user).sum() for user in distinct])
    drawn = rng.integers(0, len(distinct), (_ROUNDS, len(distinct)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [0.025, 0.975])
    return float(differences.mean()), float(low), float(high)


if __name__ == "__main__":
    main()
