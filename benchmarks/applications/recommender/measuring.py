"""What lists are worth: NDCG, recall, coverage, popularity, and paired bootstrap intervals over users. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST = 10
_ROUNDS = 10_000


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one way: by user NDCG@10 and recall@10; coverage: share of the items that any list has; popularity: see bias()."""

    ndcg: NDArray[np.float64]
    recall: NDArray[np.float64]
    coverage: float
    popularity: float


def measure(
    lists: Mapping[int, NDArray[np.int64]],
    wanted: Mapping[int, NDArray[np.int64]],
    popularity: NDArray[np.float64],
    *,
    items: int,
) -> Measured:
    """lists: of ten at most, by user; wanted: what the user did later, each once. popularity: events of each item before."""
    by = 1 / np.log2(np.arange(2, MOST + 2))
    ndcg, recall = [], []
    for user, list_ in lists.items():
        hit = np.isin(list_[:MOST], wanted[user])
        best = by[: min(MOST, len(wanted[user]))].sum()
        ndcg.append((hit * by[: len(hit)]).sum() / best)
        recall.append(hit.sum() / min(MOST, len(wanted[user])))
    shown = np.concatenate([list_[:MOST] for list_ in lists.values()])
    return Measured(np.array(ndcg), np.array(recall), len(np.unique(shown)) / items, bias(shown, popularity))


def bias(shown: NDArray[np.int64], popularity: NDArray[np.float64]) -> float:
    """The mean share of items that are less popular than one that is shown: 0.5 would be lists drawn by lot."""
    ranks = np.searchsorted(np.sort(popularity), popularity[shown], side="left") / len(popularity)
    return float(ranks.mean())


def interval(ours: NDArray[np.float64], theirs: NDArray[np.float64], *, seed: int = 0) -> tuple[float, float, float]:
    """The mean difference between two ways on the same users, and its 95 % interval by paired bootstrap."""
    differences = ours - theirs
    rng = np.random.default_rng(seed)
    means = np.array([differences[rng.integers(0, len(differences), len(differences))].mean() for _ in range(_ROUNDS)])
    low, high = np.quantile(means, [0.025, 0.975])
    return float(differences.mean()), float(low), float(high)
