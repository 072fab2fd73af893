"""How far apart two sets of vectors are: the maximum mean discrepancy under a Gaussian kernel. Pure.

Gretton et al. 2012 (A kernel two-sample test); the bandwidth is the median distance, as there. On representations of a
model it is the strongest of the usual tests for shift (Rabanser et al. 2019, Failing loudly).
"""

from typing import Any

import numpy as np

from zhuli.learning.drift.permutations import Floats, Statistic


def gram(first: Floats, second: Floats, bandwidth: float) -> Floats:
    """exp(-distance² / 2 bandwidth²): rows of the one × rows of the other."""
    kernel: Floats = np.exp(squared_distances(first, second) * np.float32(-0.5 / bandwidth**2))
    return kernel


def squared_distances(first: Floats, second: Floats) -> Floats:
    """Between rows."""
    lengths = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)[None]
    found: Floats = np.maximum(lengths - 2 * first @ second.T, 0)
    return found


def median_bandwidth(vectors: Floats) -> float:
    """The median distance between two of them; 1 where all are the same."""
    distances = squared_distances(vectors, vectors)[np.triu_indices(len(vectors), 1)]
    middle = float(np.sqrt(np.median(distances))) if len(distances) else 0.0
    return middle or 1.0


def discrepancy(kernel: Floats, window: int) -> Statistic:
    """The squared discrepancy (biased: with the diagonal) of what is dealt to the window from the rest."""
    others = len(kernel) - window

    def statistic(deals: Floats) -> Floats:
        weights: Any = deals * np.float32(1 / window + 1 / others) - np.float32(1 / others)
        found: Floats = ((weights @ kernel) * weights).sum(axis=1)
        return found

    return statistic


def shift_of(kernel: Floats, window: int) -> float:
    """The squared discrepancy of the last `window` rows from the others, unbiased: about 0 where nothing differs."""
    others = len(kernel) - window
    inside, outside, across = kernel[others:, others:], kernel[:others, :others], kernel[:others, others:]
    return float(_between(inside) + _between(outside) - 2 * across.mean())


def _between(kernel: Floats) -> float:
    number = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (number * (number - 1))) if number > 1 else 1.0
