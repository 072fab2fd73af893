"""Fits a head of moderation: logistic regression on vectors and hashed words; calibrates it, and finds its threshold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

from benchmarks.linear_heads import Mask, f1, platt
from zhuli.safety.moderation import features
from zhuli.safety.moderation.heads import Floats, Head, unit

PENALTY = 0.5
"""Of squared weights, beside the sum over examples."""

STEPS = 80


@dataclass(frozen=True, slots=True)
class Inputs:
    """vectors: examples × numbers, as they are. words: examples × PLACES."""

    vectors: Floats
    words: csr_array

    def part(self, which: Mask) -> "Inputs":
        return Inputs(self.vectors[which], self.words[np.flatnonzero(which)])


def inputs(texts: Sequence[str], vectors: Floats) -> Inputs:
    rows = [features.places(text) for text in texts]
    ends = np.cumsum([0, *map(len, rows)])
    places = np.fromiter((at for row in rows for at in row), np.int64, ends[-1])
    weights = np.fromiter((weight for row in rows for weight in row.values()), np.float32, ends[-1])
    return Inputs(vectors, csr_array((weights, places, ends), shape=(len(texts), features.PLACES)))


def fitted(known: Inputs, truth: Mask, counts: Floats) -> Head:
    """counts: how much each example weighs. The head is not calibrated yet."""
    center = known.vectors.mean(axis=0)
    given, words = unit(known.vectors - center), known.words
    size, signs = given.shape[1], truth.astype(np.float32)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.astype(np.float32)
        logits = np.clip(given @ weights[:size] + words @ weights[size:-1] + weights[-1], -30, 30)
        errors = (1 / (1 + np.exp(-logits)) - signs) * counts
        slope = np.concatenate([given.T @ errors, words.T @ errors, [errors.sum()]]) + PENALTY * weights
        slope[-1] -= PENALTY * weights[-1]
        cost = ((np.logaddexp(0, logits) - signs * logits) * counts).sum() + PENALTY * (weights[:-1] ** 2).sum() / 2
        return float(cost), slope.astype(np.float64)

    start = np.zeros(size + features.PLACES + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x.astype(np.float32)
    rest = np.array([found[-1], 1, 0], np.float32)
    return Head(center.astype(np.float32), found[:size], found[size:-1], rest, np.float32(0.5))  # type: ignore[arg-type]


def logits(head: Head, given: Inputs) -> Floats:
    made: Floats = unit(given.vectors - head.center) @ head.vector + given.words @ head.words + head.rest[0]
    return made


def calibrated(head: Head, given: Inputs, truth: Mask) -> Head:
    """Slope and shift (Platt 1999), and the threshold of the best F1 (of a macro F1 where there is much of both)."""
    said = logits(head, given).astype(np.float64)

    slope, shift = platt(said, truth)
    sure = 1 / (1 + np.exp(-np.clip(said * slope + shift, -30, 30)))
    levels = np.round(np.arange(0.06, 0.81, 0.02), 2)
    rare = truth.mean() < 0.2
    scores = [f1(sure >= level, truth) if rare else macro_f1(sure >= level, truth) for level in levels]
    rest = np.array([head.rest[0], slope, shift], np.float32)
    return Head(head.center, head.vector, head.words, rest, np.float32(levels[int(np.argmax(scores))]))  # type: ignore[arg-type]


def macro_f1(said: Mask, truth: Mask) -> float:
    return (f1(said, truth) + f1(~said, ~truth)) / 2


def auroc(sure: Floats, truth: Mask) -> float:
    """The chance that one of the class has a higher score than one that is not (Mann-Whitney)."""
    from scipy.stats import rankdata

    positive = int(truth.sum())
    ranks = rankdata(sure)[truth].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * (len(truth) - positive)))


def ece(sure: Floats, truth: Mask, bins: int = 10) -> float:
    """Expected calibration error over bins of equal width (Naeini et al. 2015)."""
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [
        abs(sure[place == one].mean() - truth[place == one].mean()) * (place == one).mean() for one in np.unique(place)
    ]
    return float(sum(gaps))
