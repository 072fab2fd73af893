"""The ways that ours must beat: popularity, popularity by recency, item-kNN, EASE, and implicit's ALS and BPR.

Each is a function from a user to a number an item. implicit (MIT) is for this benchmark alone: `pip install implicit`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhuli.applications.recommender.method import fitting, item_to_item
from zhuli.applications.recommender.method.fitting import Events

Scores = Callable[[int], NDArray[np.float32]]


def matrix_of(events: Events, items: int) -> Any:
    """Users × items of ones."""
    shape = (int(events.users.max()) + 1, items)
    return item_to_item.interactions(events.users, events.items, events.weights, shape=shape)


def popularity(events: Events, items: int) -> Scores:
    """How many events each item has."""
    counts = np.bincount(events.items, minlength=items).astype(np.float32)
    return lambda user: counts


def recency(events: Events, items: int, *, days: float) -> Scores:
    """The same, where an event counts half after so many days."""
    counts = fitting.trend(events, items, half_life=days * 86_400)
    return lambda user: counts


def knn(events: Events, items: int, *, kept: int) -> Scores:
    """Cosines between items, over the user's whole history."""
    matrix = matrix_of(events, items)
    lists = item_to_item.cosine(matrix, kept=kept)
    return lambda user: _gathered(lists, matrix, user, items)


def ease(events: Events, items: int, *, l2: float) -> Scores:
    """EASE over all items that have events."""
    matrix = matrix_of(events, items)
    dense = item_to_item.ease(matrix, l2=l2, most_items=items)
    return lambda user: _gathered(dense, matrix, user, items)


def slim(events: Events, items: int, *, alpha: float, most: int = 2_000) -> Scores:
    """SLIM (Ning & Karypis 2011): each item from others by an elastic net without negative weights; of the `most` met ones."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import ElasticNet

    matrix = matrix_of(events, items)
    counts = np.asarray((matrix != 0).sum(axis=0)).ravel()
    chosen = np.sort(np.argsort(-counts, kind="stable")[:most])
    dense = np.asfortranarray(matrix[:, chosen].toarray(), dtype=np.float32)
    weights = np.zeros((len(chosen), len(chosen)), np.float32)
    net = ElasticNet(alpha=alpha, l1_ratio=0.1, positive=True, fit_intercept=False, max_iter=50, tol=1e-2, copy_X=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for place in range(len(chosen)):
            own = dense[:, place].copy()
            dense[:, place] = 0
            weights[:, place] = net.fit(dense, own).coef_
            dense[:, place] = own

    def scores(user: int) -> NDArray[np.float32]:
        found = np.zeros(items, np.float32)
        found[chosen] = dense[user] @ weights
        return found

    return scores


def _gathered(of: Any, matrix: Any, user: int, items: int) -> NDArray[np.float32]:
    rows = matrix.indices[matrix.indptr[user] : matrix.indptr[user + 1]].astype(np.int64)
    found: NDArray[np.float32] = of.gathered(rows, np.ones(len(rows), np.float32), items)
    return found


def als(events: Events, items: int, *, factors: int, regularization: float, alpha: float) -> Scores:
    """implicit's alternating least squares."""
    from implicit.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(
        factors=factors, regularization=regularization, alpha=alpha, iterations=15, random_state=0, num_threads=2
    )
    return _factored(model, events, items)


def bpr(events: Events, items: int, *, factors: int, regularization: float, rate: float) -> Scores:
    """implicit's Bayesian personalised ranking."""
    from implicit.bpr import BayesianPersonalizedRanking

    model = BayesianPersonalizedRanking(
        factors=factors,
        regularization=regularization,
        learning_rate=rate,
        iterations=100,
        random_state=0,
        num_threads=2,
    )
    return _factored(model, events, items)


def _factored(model: Any, events: Events, items: int) -> Scores:
    model.fit(matrix_of(events, items), show_progress=False)
    return lambda user: np.asarray(model.item_factors @ model.user_factors[user], np.float32)
