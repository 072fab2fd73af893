"""From what a head says to the scores of classes. Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

_THRESHOLDS = np.arange(0.05, 0.96, 0.01)


def scored(logits: Floats, *, independent: bool) -> Floats:
    """Probabilities along the last axis: a sigmoid each, or a softmax over all."""
    logits = np.asarray(logits, dtype=np.float64)
    if independent:
        return 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def ranked(labels: Sequence[str], scores: Floats) -> list[dict[str, Any]]:
    """[{"label", "score"}, …], the likeliest first, as Hugging Face's text-classification pipeline says it."""
    order = np.argsort(-scores, kind="stable")
    return [{"label": labels[place], "score": float(scores[place])} for place in order]


def chosen_threshold(scores: Floats, wanted: NDArray[np.bool_]) -> float:
    """From which score on a class counts, so that the F1 over all decisions is best; examples × classes.

    Of several that do equally well, the one in their middle.
    """
    both = np.array([((scores >= limit) & wanted).sum() for limit in _THRESHOLDS])
    found = np.array([(scores >= limit).sum() for limit in _THRESHOLDS])
    f1 = 2 * both / np.maximum(found + wanted.sum(), 1)
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    return round(float(_THRESHOLDS[best[len(best) // 2]]), 2)
