"""Items that nobody has met: `python -m benchmarks.applications.recommender.cold --data DIR`.

A fifth of the items, by lot, loses all its events before anything is learned. For each user with five other events or more,
those items are ranked, and what the user did with them is what is wanted. The interest model is beside likeness of texts and
popularity: of an item that nobody has met, that of its categories.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.applications.recommender import movielens
from benchmarks.applications.recommender.measuring import MOST, interval, measure
from benchmarks.applications.recommender.quality import LEAST
from zhuli.applications.recommender.method import fitting, interest, scoring
from zhuli.applications.recommender.method.fitting import Options


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--embedder", default="minilm")
    parser.add_argument("--kept", type=Path, default=Path("build/recommender"))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    movies = movielens.read(given.data)
    items = movielens.items_of(movies.rows, given.embedder, given.kept)
    cold = np.zeros(len(items), bool)
    cold[np.random.default_rng(given.seed).permutation(len(items))[: len(items) // 5]] = True
    events = movies.events
    warm, later = events.of(~cold[events.items]), fitting.histories(events.of(cold[events.items]))
    options = Options()
    tower = interest.learn(
        items.features, warm.users, warm.items, epochs=options.epochs, most=options.most_windows, seed=options.seed
    )
    past, coming = tower.as_past(items.features), tower.as_next(items.features)
    counts = np.log1p(np.bincount(warm.items, minlength=len(items)))
    of_category = (items.categories[~cold].T @ counts[~cold]) / np.maximum(items.categories[~cold].sum(axis=0), 1e-6)
    popularity = items.categories @ of_category
    rng, rows = np.random.default_rng(1), np.flatnonzero(cold)
    lists: dict[str, dict[int, np.ndarray]] = {
        "interest model": {},
        "likeness of texts": {},
        "popularity": {},
        "by lot": {},
    }
    wanted = {}
    for user, own in fitting.histories(warm).items():
        if len(own) < LEAST or user not in later:
            continue
        history = fitting.history_of(own, float(own.at[-1]))
        by = history.fading(interest.RECENT)
        scores = {
            "interest model": coming[rows] @ interest.of_history(past[history.rows], history.weights),
            "likeness of texts": items.texts[rows] @ (by @ items.texts[history.rows]),
            "popularity": popularity[rows],
            "by lot": rng.random(len(rows)),
        }
        wanted[user] = np.unique(later[user].items)
        for name, values in scores.items():
            lists[name][user] = rows[scoring.top(np.asarray(values, np.float32), MOST)]
    found = {name: measure(own, wanted, counts, items=len(items)) for name, own in lists.items()}
    print(
        f"{len(wanted)} users, {len(rows)} items that nobody has met\n\n| way | NDCG@10 | recall@10 |\n| --- | --- | --- |"
    )
    for name, one in found.items():
        print(f"| {name} | {one.ndcg.mean():.4f} | {one.recall.mean():.4f} |")
    for other in ("likeness of texts", "popularity"):
        mean, low, high = interval(found["interest model"].ndcg, found[other].ndcg)
        print(f"\ninterest model over {other}: {mean:+.4f} NDCG@10, 95 % interval {low:+.4f} to {high:+.4f}")


if __name__ == "__main__":
    main()
