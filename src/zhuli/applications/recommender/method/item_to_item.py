"""Item-to-item weights from who did what: EASE, cosines, and what follows what.

EASE is dense, over the items with most events; the others are kept as the strongest entries of each row, over all items.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

_SHRINK = 10.0
"""Added to what sums are divided by, so that pairs of rare items do not come first."""


@dataclass(frozen=True, slots=True)
class Dense:
    """Weights between chosen items, chosen × chosen. places: of each item in it, -1 of those that are not."""

    chosen: Ints
    places: Ints
    weights: Floats

    def gathered(self, rows: Ints, by: Floats, items: int) -> Floats:
        """The sum of these items' rows, each times its `by`: a number an item."""
        found = np.zeros(items, np.float32)
        known = rows[rows < len(self.places)]
        places = self.places[known]
        here = places >= 0
        if here.any():
            found[self.chosen] = by[rows < len(self.places)][here] @ self.weights[places[here]]
        return found

    def entries(self, rows: Ints, columns: Ints) -> Floats:
        """The weights between these items: rows × columns, 0 of those that are not chosen."""
        found = np.zeros((len(rows), len(columns)), np.float32)
        row, column = self._places(rows), self._places(columns)
        found[np.ix_(row >= 0, column >= 0)] = self.weights[np.ix_(row[row >= 0], column[column >= 0])]
        return found

    def largest(self, rows: Ints) -> Floats:
        """The largest weight of each of these items' rows."""
        found, places = np.zeros(len(rows), np.float32), self._places(rows)
        if len(self.chosen):
            found[places >= 0] = self.weights[places[places >= 0]].max(axis=1)
        return found

    def _places(self, items: Ints) -> Ints:
        known = items < len(self.places)
        return np.where(known, self.places[np.where(known, items, 0)], -1) if len(self.places) else items * 0 - 1


@dataclass(frozen=True, slots=True)
class Lists:
    """A matrix of items × items by its strongest entries: row i is columns[starts[i]:starts[i + 1]] with their weights."""

    starts: Ints
    columns: NDArray[np.int32]
    weights: Floats

    def gathered(self, rows: Ints, by: Floats, items: int) -> Floats:
        """The sum of these items' rows, each times its `by`: a number an item. Rows that are not there add nothing."""
        known = rows < len(self.starts) - 1
        rows, by = rows[known], by[known]
        first, counts = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        total = int(counts.sum())
        if total == 0:
            return np.zeros(items, np.float32)
        before = np.cumsum(counts) - counts
        places = np.arange(total) + np.repeat(first - before, counts)
        added = self.weights[places] * np.repeat(by, counts)
        return np.bincount(self.columns[places], weights=added, minlength=items).astype(np.float32)

    def entries(self, rows: Ints, columns: Ints) -> Floats:
        """The weights between these items: rows × columns, 0 of those that are not listed. columns: each once, in order."""
        found = np.zeros((len(rows), len(columns)), np.float32)
        if not len(columns):
            return found
        for place, row in enumerate(rows):
            listed, weights = self.row(int(row))
            at = np.minimum(np.searchsorted(columns, listed), len(columns) - 1)
            here = columns[at] == listed
            found[place, at[here]] = weights[here]
        return found

    def largest(self, rows: Ints) -> Floats:
        """The largest weight of each of these items' rows."""
        return np.array([self.row(int(row))[1].max(initial=0.0) for row in rows], np.float32)

    def row(self, item: int) -> tuple[NDArray[np.int32], Floats]:
        """The entries of an item's row."""
        if item >= len(self.starts) - 1:
            return self.columns[:0], self.weights[:0]
        where = slice(self.starts[item], self.starts[item + 1])
        return self.columns[where], self.weights[where]


def interactions(users: Ints, items: Ints, weights: Floats, *, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Users × items, each cell the largest weight of what the user did with the item."""
    order = np.lexsort((weights, items, users))
    users, items, weights = users[order], items[order], weights[order]
    last = np.ones(len(users), bool)
    last[:-1] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    return sparse.csr_matrix((weights[last], (users[last], items[last])), shape=shape)


def ease(matrix: sparse.csr_matrix, *, l2: float, most_items: int) -> Dense:
    """EASE (Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data", eq. 8) over the items with most events.

    most_items: the Gram matrix is items × items × 8 bytes, and is inverted in time that grows with their third power.
    """
    events = np.asarray((matrix != 0).sum(axis=0)).ravel()
    chosen = np.sort(np.argsort(-events, kind="stable")[:most_items])
    chosen = chosen[events[chosen] > 0]
    places = np.full(matrix.shape[1], -1, np.int64)
    places[chosen] = np.arange(len(chosen))
    gram = (matrix[:, chosen].T @ matrix[:, chosen]).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += l2
    inverse = _inverse(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return Dense(chosen, places, weights.astype(np.float32))


def _inverse(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a symmetric and positive definite matrix, by Cholesky's factors: 3/8 of the work that a general one takes."""
    if not len(gram):
        return gram
    factor, _ = lapack.dpotrf(gram, lower=1, overwrite_a=1)
    lower, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    found: NDArray[np.float64] = np.tril(lower) + np.tril(lower, -1).T
    return found


def cosine(matrix: sparse.csr_matrix, *, kept: int) -> Lists:
    """Item-kNN: common users over the root of both items' users, shrunk."""
    binary = matrix.copy()
    binary.data = np.ones_like(binary.data, dtype=np.float32)
    events = np.asarray(binary.sum(axis=0)).ravel()
    return _strongest((binary.T @ binary).tocsr(), events, kept=kept)


def following(users: Ints, items: Ints, *, count: int, within: int, kept: int) -> Lists:
    """What comes soon after what: over pairs of a user's events at most `within` apart, each by 1 over its distance.

    users, items: by user, and in the order of time; count: of items. A pair's sum is divided as a cosine's is.
    """
    summed = sparse.csr_matrix((count, count), dtype=np.float32)
    for distance in range(1, within + 1):
        same = users[distance:] == users[:-distance]
        pairs = (items[:-distance][same], items[distance:][same])
        values = np.full(int(same.sum()), 1.0 / distance, np.float32)
        summed = summed + sparse.coo_matrix((values, pairs), shape=(count, count)).tocsr()
    events = np.bincount(items, minlength=count).astype(np.float32)
    return _strongest(summed, events, kept=kept)


def _strongest(common: sparse.csr_matrix, events: Floats, *, kept: int) -> Lists:
    """Divided by the root of both items' events, without the diagonal, the `kept` largest of each row."""
    counts, chosen, weights = [0], [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
    roots = np.sqrt(events)
    for row in range(common.shape[0]):
        where = slice(common.indptr[row], common.indptr[row + 1])
        others, values = common.indices[where], common.data[where]
        off = others != row
        others, values = others[off], values[off]
        values = values / (roots[row] * roots[others] + _SHRINK)
        if len(others) > kept:
            best = np.argpartition(-values, kept - 1)[:kept]
            others, values = others[best], values[best]
        counts.append(len(others))
        chosen.append(others.astype(np.int32))
        weights.append(values.astype(np.float32))
    return Lists(np.cumsum(counts).astype(np.int64), np.concatenate(chosen), np.concatenate(weights))
