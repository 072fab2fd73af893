"""Several labels at once on frozen sentence vectors: a logistic regression for each, fitted together, and one threshold.

The vectors are a packaged embedder's, beside them the product's word features; nothing of the encoder is tuned.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from zhuli.understanding.language.intent_classification.word_features import WordFeatures

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

FOLDS = 5
"""Of the training examples, on which threshold and penalty are chosen."""

THRESHOLDS = np.round(np.arange(0.1, 0.61, 0.02), 2)


@dataclass(frozen=True, slots=True)
class Inputs:
    """texts × numbers: each part of unit length, around the middle of what is learned from, the words with a weight."""

    center: Floats
    words: WordFeatures
    words_weight: float

    @classmethod
    def of(cls, vectors: Sequence[Floats], texts: Sequence[str], words_weight: float) -> "Inputs":
        return cls(np.concatenate([part.mean(axis=0) for part in vectors]), WordFeatures.of(texts), words_weight)

    def rows(self, vectors: Sequence[Floats], texts: Sequence[str]) -> Floats:
        parts, at = [], 0
        for part in vectors:
            moved = part - self.center[at : at + part.shape[1]]
            parts.append(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9))
            at += part.shape[1]
        ones = np.ones((len(texts), 1), np.float32)
        return np.hstack([*parts, self.words.rows(texts) * np.float32(self.words_weight), ones]).astype(np.float32)


def fitted(rows: Floats, truth: Flags, penalty: float) -> Floats:
    """numbers × labels; the last number, which is 1, is hardly held."""
    does, shape = truth.astype(np.float32), (rows.shape[1], truth.shape[1])
    held = np.full(shape, penalty, np.float32)
    held[-1] = 1e-3

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(shape).astype(np.float32)
        logits = rows @ weights
        error = 1 / (1 + np.exp(-np.clip(logits, -30, 30))) - does
        value = float((np.logaddexp(0, logits) - does * logits).sum() + 0.5 * (held * weights**2).sum())
        return value, (rows.T @ error + held * weights).ravel().astype(np.float64)

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 100})
    made: Floats = found.x.reshape(shape).astype(np.float32)
    return made


def certainties(rows: Floats, weights: Floats) -> Floats:
    made: Floats = (1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))).astype(np.float32)
    return made


def f1(said: Flags, truth: Flags) -> float:
    """Micro, over all labels."""
    both = int((said & truth).sum())
    return 2 * both / max(1, int(said.sum()) + int(truth.sum()))


def chosen(rows: Floats, truth: Flags, penalties: Sequence[float]) -> tuple[float, float, float]:
    """Penalty and threshold with the best F1 on parts of the examples that were not learned; and that F1."""
    order = np.random.default_rng(0).permutation(len(rows))
    parts = np.array_split(order, min(FOLDS, len(rows)))
    best = (0.0, penalties[0], 0.5)
    for penalty in penalties:
        sure = np.zeros(truth.shape, np.float32)
        for part in parts:
            rest = np.setdiff1d(order, part)
            sure[part] = certainties(rows[part], fitted(rows[rest], truth[rest], penalty))
        for threshold in THRESHOLDS:
            best = max(best, (f1(sure >= threshold, truth), penalty, float(threshold)))
    return best[1], best[2], best[0]
