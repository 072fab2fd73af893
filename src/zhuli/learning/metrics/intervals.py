"""Intervals around numbers, and whether a difference is more than chance, by resampling examples.

Bootstrap with percentiles (Efron and Tibshirani 1993, An Introduction to the Bootstrap, ch. 13), paired as in Koehn 2004
(Statistical Significance Tests for Machine Translation Evaluation). They say how much depends on which examples were held out,
not on the seed of training.
"""

from typing import Any

import numpy as np

from zhuli.learning.metrics.measured import Floats, Measured, Sums

RESAMPLES = 1000
LEVEL = 0.95


def resampled(measured: Measured, *, seed: int) -> dict[str, Floats]:
    """Each number as it would be on RESAMPLES other draws of as many examples; the same draws for the same seed."""
    found: dict[str, Floats] = {}
    for part in measured.sums:
        if len(part.rows):
            found.update(part.scores(_draws(part, seed) @ part.rows))
    return found


def interval(values: Floats) -> list[float]:
    """[low, high] that holds LEVEL of the values."""
    tail = (1 - LEVEL) / 2
    return [float(edge) for edge in np.quantile(values, [tail, 1 - tail])]


def paired(before: Measured, after: Measured, *, seed: int) -> dict[str, dict[str, Any]]:
    """For each number: before, after and difference with intervals, and how probable it is that after is higher.

    Both are of the same examples in the same order. probability: the share of draws in which after is higher; ties count half.
    """
    first, second = resampled(before, seed=seed), resampled(after, seed=seed)
    return {
        name: {
            "before": interval(first[name]),
            "after": interval(second[name]),
            "difference": interval(second[name] - first[name]),
            "probability": float(np.mean((second[name] > first[name]) + 0.5 * (second[name] == first[name]))),
        }
        for name in first
        if name in second
    }


def _draws(part: Sums, seed: int) -> Floats:
    """resamples × examples: how often each draw has each example."""
    number = len(part.rows)
    return (
        np.random.default_rng(seed).multinomial(number, np.full(number, 1 / number), size=RESAMPLES).astype(np.float64)
    )
