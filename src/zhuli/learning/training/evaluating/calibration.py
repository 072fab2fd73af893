"""One number that makes a classifier's probabilities honest: temperature scaling (Guo et al. 2017, section 4.2).

Logits are divided by a temperature that makes the validation data likeliest. Which answer is best never changes. Tasks keep
it in state["temperature"] and divide by it when they predict. Measuring calibration is metrics.calibration's.
"""

import math
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

from zhuli.learning.metrics import calibration
from zhuli.learning.metrics.measured import Floats

_BOUNDS = (math.log(0.05), math.log(20.0))
"""Of the logarithm: what lies beyond is a model that is always or never right on a few examples."""


def temperature(logits: Floats, labels: Any) -> float:
    """The positive number that logits are best divided by; 1.0 without examples.

    logits: examples × classes, labels: for each its class's place: softmax over classes. Or labels: examples × classes of 0 and
    1 where several may be right: a sigmoid each, and one temperature for all.
    """
    scores, truth = np.asarray(logits, dtype=np.float64), np.asarray(labels)
    if not len(scores):
        return 1.0
    found = minimize_scalar(lambda log: _loss(scores / math.exp(log), truth), bounds=_BOUNDS, method="bounded")
    return math.exp(found.x)


def calibrated(logits: Floats, labels: Any) -> dict[str, Any]:
    """{"temperature", "ece_before", "ece_after", "examples"}, all on the examples given."""
    scores, truth = np.asarray(logits, dtype=np.float64), np.asarray(labels)
    found = temperature(scores, truth)
    return {
        "temperature": found,
        "ece_before": _ece(scores, truth),
        "ece_after": _ece(scores / found, truth),
        "examples": len(scores),
    }


def _loss(logits: Floats, truth: Any) -> float:
    """Mean negative log likelihood. It is convex in 1 / temperature, so there is one valley to go down."""
    if truth.ndim == 2:
        return float(np.mean(np.logaddexp(0, logits) - truth * logits))
    return -float(log_softmax(logits, axis=1)[np.arange(len(logits)), truth].mean())


def _ece(logits: Floats, truth: Any) -> float:
    if truth.ndim == 2:
        return calibration.ece(expit(logits).ravel(), truth.ravel().astype(np.float64))
    sure = softmax(logits, axis=1)
    return calibration.ece(sure.max(axis=1), (sure.argmax(axis=1) == truth).astype(np.float64))
