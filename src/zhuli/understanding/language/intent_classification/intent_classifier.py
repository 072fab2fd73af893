"""Tells from a text's numbers which intent is meant, how sure that is, and whether any is: a small classifier that is learned in
seconds (classifier_training) and answers in a fraction of a millisecond. Names are not known here.

The numbers of a text are its sentence vector and, behind that, its row of word_features.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from zhuli.understanding.language.intent_classification import softmax_regression as regression
from zhuli.understanding.language.intent_classification.softmax_regression import Floats, Whole, softmax, unit
from zhuli.understanding.language.intent_classification.word_features import SIZE

PENALTY = 3.0
"""Of the regression: between 3 and 20 the accuracy on banking77 and clinc150 hardly changes; for few intents with few examples,
each as different from the next as people say it, 3 is better."""

MOST_OF_NAME, NAME_EXAMPLES = 3.0, 15.0
"""The name of an intent, with its description, counts as so many examples at most, and the less the more there are: as one from
NAME_EXAMPLES on. Few examples leave out what the name says."""

NEAREST = 3
"""Texts whose mean cosine says how near a text is: one alone may be near by chance."""

WORDS = 0.25
"""The share of the words in what makes two texts alike, beside the sentence vector. Chosen on the training part
of banking77, the validation part of clinc150, and snips, with five and ten examples of each intent, with and without typing
errors."""

COPY, COPY_INSIDE = 0.85, 0.02
"""A text with such a cosine to one that is outside, and farther from every example, is hardly inside, whatever else speaks
for it: somebody said so."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """shares: texts × intents, calibrated, given that one of them is meant. inside: how likely any is, of each text."""

    shares: Floats
    inside: Doubles


@dataclass(frozen=True, slots=True)
class ClosedSetClassifier:
    """Tells intents apart, knows nothing of texts that have none. center: subtracted before vectors are brought to unit
    length; rows: all examples so placed; means: of each intent."""

    center: Floats
    weights: Floats
    rows: Floats
    means: Floats

    @classmethod
    def fitted(cls, vectors: Floats, labels: Whole, names: Floats) -> Self:
        """labels: numbers of rows of `names`, which are the vectors of the intents' names."""
        count = len(names)
        together = np.vstack([vectors, names])
        center = together.mean(axis=0)
        rows = _placed(together - center)
        targets = np.concatenate([labels, np.arange(count)])
        shown = np.maximum(np.bincount(labels, minlength=count), 1)
        of_names = np.clip(NAME_EXAMPLES / shown, 1.0, MOST_OF_NAME)
        weights = np.concatenate([np.ones(len(vectors)), of_names]).astype(np.float32)
        sums = np.zeros((count, rows.shape[1]), np.float32)
        np.add.at(sums, targets, rows * weights[:, None])
        learned = regression.fitted(rows, targets, weights, count=count, penalty=PENALTY)
        return cls(center, learned, rows, unit(sums))

    def placed(self, vectors: Floats) -> Floats:
        """rows × numbers: the vectors around the middle of the examples, of unit length again."""
        return _placed(vectors - self.center)

    def scores(self, placed: Floats) -> Floats:
        """rows × intents: logits, of vectors as placed() gives them."""
        return regression.scores(placed, self.weights)

    def scope_features(self, placed: Floats, scores: Floats, outside: Floats) -> Doubles:
        """What tells whether a text is inside, rows × SCOPE_FEATURES: the log odds of the best intent, the scores' energy (Liu
        et al. 2020), the cosines to the nearest example and to the best intent's mean, how much nearer the nearest example is
        than what is nearest of `outside`, and the mean cosines to the nearest examples and to the nearest of `outside`."""
        shares = softmax(scores)
        best = np.clip(shares.max(axis=1), 1e-6, 1 - 1e-6)
        highest = scores.max(axis=1)
        energy = highest + np.log(np.exp(scores - highest[:, None]).sum(axis=1))
        nearest, near = _nearest(placed, self.rows)
        mean = np.einsum("ij,ij->i", placed, self.means[shares.argmax(axis=1)])
        away_nearest, away = _nearest(placed, outside)
        lead = nearest - away_nearest if len(outside) else np.zeros(len(placed))
        odds, ones = np.log(best / (1 - best)) / 4, np.ones(len(placed))
        return np.stack([odds, energy / 4, nearest, mean, lead, near, away, ones], axis=1)


@dataclass(frozen=True, slots=True)
class IntentClassifier:
    """outside: texts that no intent is meant by, placed. detector: weights of its scope features. threshold: what
    inside × share of the best intent should reach."""

    closed_set: ClosedSetClassifier
    outside: Floats
    temperature: float
    detector: Doubles
    threshold: float

    def read(self, vectors: Floats) -> Scores:
        """For each row of sentence vectors, shares of the intents and how surely any is meant."""
        placed = self.closed_set.placed(vectors)
        scores = self.closed_set.scores(placed)
        features = self.closed_set.scope_features(placed, scores, self.outside)
        inside = sigmoid(features @ self.detector)
        inside[self._copies(features)] *= COPY_INSIDE
        return Scores(softmax(scores / np.float32(self.temperature)), inside)

    def _copies(self, features: Doubles) -> NDArray[np.bool_]:
        if not len(self.outside):
            return np.zeros(len(features), np.bool_)
        nearest, lead = features[:, 2], features[:, 4]
        copied: NDArray[np.bool_] = (nearest - lead >= COPY) & (lead < 0)
        return copied

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it, for a file."""
        closed_set = self.closed_set
        return {
            "center": closed_set.center,
            "weights": closed_set.weights,
            "rows": closed_set.rows,
            "means": closed_set.means,
            "outside": self.outside,
            "detector": self.detector,
            "numbers": np.array([self.temperature, self.threshold]),
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What arrays() gave; KeyError or ValueError for anything else."""
        closed_set = ClosedSetClassifier(arrays["center"], arrays["weights"], arrays["rows"], arrays["means"])
        temperature, threshold = map(float, arrays["numbers"])
        return cls(closed_set, arrays["outside"], temperature, arrays["detector"], threshold)


def _placed(rows: Floats) -> Floats:
    """Of unit length, with the words' share."""
    said, worded = np.split(rows, [-SIZE], axis=1)
    return np.hstack([unit(said) * np.float32((1 - WORDS) ** 0.5), unit(worded) * np.float32(WORDS**0.5)])


def _nearest(placed: Floats, others: Floats) -> tuple[Floats, Floats]:
    """For each row, the cosine to the nearest of the others, and the mean of those to the NEAREST nearest; 0 without others."""
    if not len(others):
        nothing = np.zeros(len(placed), np.float32)
        return nothing, nothing
    cosines = placed @ others.T
    count = min(NEAREST, len(others))
    first: Floats = np.partition(cosines, -count, axis=1)[:, -count:]
    return first.max(axis=1), first.mean(axis=1)


def sigmoid(values: Doubles) -> Doubles:
    """1 / (1 + e^-x), elementwise."""
    made: Doubles = 1 / (1 + np.exp(-np.clip(values, -50, 50)))
    return made
