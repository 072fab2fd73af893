"""Softmax regression on rows of unit length, with numpy, in milliseconds; the same rows give the same weights."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Whole = NDArray[np.int64]

SCALE = 10.0
"""Of the rows, so that the bias is held back by the penalty a hundred times less than they are."""

STEPS = 40
"""Accelerated, on the curve's bound; twice as many have the same accuracy on banking77, and change 6 of 1,000 predictions."""


def fitted(rows: Floats, targets: Whole, weights: Floats, *, count: int, penalty: float) -> Floats:
    """(width + 1) × count, the last row the bias: least weighted sum of log losses + penalty / 2 · |weights|²."""
    given = np.hstack([rows * SCALE, np.ones((len(rows), 1), np.float32)]).astype(np.float32)
    held = np.float32(penalty / len(rows))
    weights = (weights / weights.sum()).astype(np.float32)
    expected = np.zeros((len(rows), count), np.float32)
    expected[np.arange(len(rows)), targets] = 1
    if len(given) >= given.shape[1]:
        return _descended(given, expected, weights, held)
    # the best weights lie in the span of the rows, which is narrower
    basis, within = np.linalg.qr(given.T)
    learned: Floats = basis @ _descended(np.ascontiguousarray(within.T), expected, weights, held)
    return learned


def _descended(given: Floats, expected: Floats, weights: Floats, held: np.float32) -> Floats:
    """Nesterov's steps, scaled by Böhning's bound of the Hessian (Böhning 1992), which is inverted once."""
    bound = 0.5 * (given.T * weights) @ given + held * np.eye(given.shape[1], dtype=np.float32)
    inverse = np.linalg.inv(bound.astype(np.float64)).astype(np.float32)
    found = ahead = np.zeros((given.shape[1], expected.shape[1]), np.float32)
    for step in range(STEPS):
        slope = given.T @ ((softmax(given @ ahead) - expected) * weights[:, None]) + held * ahead
        moved = ahead - inverse @ slope
        ahead = moved + np.float32(step / (step + 3)) * (moved - found)
        found = moved
    return found


def scores(rows: Floats, weights: Floats) -> Floats:
    """rows × count, before softmax."""
    said: Floats = (rows * np.float32(SCALE)) @ weights[:-1] + weights[-1]
    return said


def softmax(values: Floats) -> Floats:
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares


def unit(rows: Floats) -> Floats:
    made: Floats = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    return made
