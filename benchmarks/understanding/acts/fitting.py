"""Fits a head for acts: one logistic regression an act, all at once, on those examples whose source knows the act; calibrates it.

An example counts 1 over the square root of the number of texts that its line was made into, so that lists in our lines weigh
little; what does an act counts more the rarer it is, which calibration takes back.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

from benchmarks.linear_heads import Mask, f1, platt
from benchmarks.understanding.acts.sources import ActExample
from zhuli.understanding.language.acts.act_features import SIZE, WORDS, Floats
from zhuli.understanding.language.acts.act_head import ACTS, ActHead, inputs

PENALTY = 1.0
"""Of squared weights, beside the sum over examples."""

STEPS = 60

UNASKED = 0.3
"""Share of the examples that are learned without what was asked, so that acts are told without it too."""

LEVELS = np.round(np.arange(0.3, 0.71, 0.05), 2)
"""Thresholds to choose from."""


@dataclass(frozen=True, slots=True)
class Table:
    """Examples as numbers: given × inputs, does and knows × ACTS, weights × examples; sources and lines are names."""

    given: Floats
    does: Mask
    knows: Mask
    weights: Floats
    sources: NDArray[np.str_]
    lines: NDArray[np.str_]

    def part(self, which: Mask) -> "Table":
        return Table(
            self.given[which],
            self.does[which],
            self.knows[which],
            self.weights[which],
            self.sources[which],
            self.lines[which],
        )


def table(examples: Sequence[ActExample], vectors: Floats, center: Floats) -> Table:
    """vectors: examples × numbers."""
    drawn = np.random.default_rng(0)
    asked = [None if drawn.random() < UNASKED else example.question for example in examples]
    each = Counter(example.line for example in examples)
    return Table(
        inputs(vectors - center, [example.text for example in examples], asked),
        np.array([[act in example.acts for act in ACTS] for example in examples]),
        np.array([[act in example.known for act in ACTS] for example in examples]),
        np.array([each[example.line] ** -0.5 for example in examples], np.float32),
        np.array([example.source for example in examples]),
        np.array([example.line for example in examples]),
    )


def fitted(known: Table) -> Floats:
    """inputs × ACTS; of an act that no example does, weights that never say it."""
    counts = known.knows * known.weights[:, None]
    positive = (counts * known.does).sum(axis=0)
    more = np.sqrt(np.maximum((counts.sum(axis=0) - positive) / np.maximum(positive, 1e-9), 1)).clip(1, 10)
    counts = (counts * np.where(known.does, more, 1)).astype(np.float32)
    truth = known.does.astype(np.float32)
    shape = known.given.shape[1], len(ACTS)
    held = np.full(shape, PENALTY, np.float32)
    held[-1] = 1e-3
    numbers = known.given.shape[1] - SIZE - 1
    words = csr_array(known.given[:, numbers : numbers + WORDS])  # hardly any of them in a text
    rest = np.delete(known.given, slice(numbers, numbers + WORDS), axis=1)

    def times(weights: Floats) -> Floats:
        others = np.delete(weights, slice(numbers, numbers + WORDS), axis=0)
        made: Floats = rest @ others + words @ weights[numbers : numbers + WORDS]
        return made

    def turned(errors: Floats) -> Floats:
        made: Floats = np.insert(rest.T @ errors, [numbers] * WORDS, words.T @ errors, axis=0)
        return made

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(shape).astype(np.float32)
        logits = np.clip(times(weights), -30, 30)
        costs = np.logaddexp(0, logits) - truth * logits
        errors = ((1 / (1 + np.exp(-logits)) - truth) * counts).astype(np.float32)
        slope = turned(errors) + held * weights
        return float((costs * counts).sum() + (held * weights**2).sum() / 2), slope.ravel().astype(np.float64)

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    weights: Floats = found.x.reshape(shape).astype(np.float32)
    weights[:, ~known.does.any(axis=0)] = 0
    weights[-1, ~known.does.any(axis=0)] = -20
    return weights


def calibrated(logits: Floats, told: Table) -> tuple[Floats, Floats]:
    """Slopes and shifts (Platt 1999), and thresholds of the best F1, by logits of examples that the head had not seen."""
    scales = np.stack([np.ones(len(ACTS)), np.zeros(len(ACTS))]).astype(np.float32)
    thresholds = np.full(len(ACTS), 0.5, np.float32)
    for act in range(len(ACTS)):
        knows = told.knows[:, act]
        truth, weights = told.does[knows, act], told.weights[knows]
        if truth.sum() < 10:
            continue
        slope, shift = platt(logits[knows, act].astype(np.float64), truth, weights)
        scales[:, act] = max(slope, 0.1), shift
        sure = 1 / (1 + np.exp(-np.clip(logits[knows, act] * scales[0, act] + scales[1, act], -30, 30)))
        scores = [f1(sure >= level, truth, weights) - abs(level - 0.5) / 50 for level in LEVELS]
        thresholds[act] = LEVELS[int(np.argmax(scores))]
    return scales, thresholds


def head(center: Floats, weights: Floats, scales: Floats, thresholds: Floats) -> ActHead:
    return ActHead(center, weights, scales, thresholds)
