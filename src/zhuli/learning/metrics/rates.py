"""Precision, recall and F1 from counts: per class and averaged as scikit-learn's and seqeval's reports do.

    precision = hits / predicted    recall = hits / actual    F1 = 2 hits / (predicted + actual)

0 where the denominator is 0. Macro is the mean over classes that occur in targets or predictions, weighted the mean by the
number of targets, micro of all counts together (van Rijsbergen 1979, Information Retrieval; Sokolova and Lapalme 2009).
"""

from collections.abc import Sequence

import numpy as np

from zhuli.learning.metrics.measured import Floats, Sums, ratio


def counted(hits: Floats, predicted: Floats, actual: Floats) -> Sums:
    """Sums of three matrices examples × classes, with the averages of their rates as scores."""
    rows = np.concatenate([hits, predicted, actual], axis=1)
    return Sums(rows, averages)


def averages(sums: Floats) -> dict[str, Floats]:
    """resamples × 3 classes to the macro, micro and weighted precision, recall and F1."""
    hits, predicted, actual = np.split(sums, 3, axis=1)
    rates = _rates(hits, predicted, actual)
    occurs = (predicted + actual > 0).astype(np.float64)
    together = _rates(*(counts.sum(axis=1) for counts in (hits, predicted, actual)))
    found: dict[str, Floats] = {}
    for name, values in rates.items():
        found[f"{name}_macro"] = ratio((values * occurs).sum(axis=1), occurs.sum(axis=1))
        found[f"{name}_micro"] = together[name]
        found[f"{name}_weighted"] = ratio((values * actual).sum(axis=1), actual.sum(axis=1))
    return found


def per_class(sums: Sums, labels: Sequence[str]) -> dict[str, dict[str, float]]:
    """{"precision", "recall", "f1", "support"} of each class that occurs."""
    hits, predicted, actual = np.split(sums.rows.sum(axis=0), 3)
    rates = _rates(hits, predicted, actual)
    return {
        label: {**{name: float(values[at]) for name, values in rates.items()}, "support": int(actual[at])}
        for at, label in enumerate(labels)
        if predicted[at] + actual[at]
    }


def _rates(hits: Floats, predicted: Floats, actual: Floats) -> dict[str, Floats]:
    return {
        "precision": ratio(hits, predicted),
        "recall": ratio(hits, actual),
        "f1": ratio(2 * hits, predicted + actual),
    }
