"""Learns an intent classifier, and what is to be expected of it: each example is classified by a classifier that has not seen it.

How sure the classifier may be (its temperature), what is outside (its detector) and from where on an intent is decided for (its
threshold) are learned from the same folds: in each, a quarter of the examples is unknown, and once more a quarter of the
intents with all their examples, which are then outside. The same examples teach the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhuli.understanding.language.intent_classification.intent_classifier import (
    ClosedSetClassifier,
    Doubles,
    IntentClassifier,
    sigmoid,
)
from zhuli.understanding.language.intent_classification.softmax_regression import Floats, Whole, softmax

FOLDS = 4
MOST = 4000
"""Examples that the folds look at; more change nothing that is learned from them."""

LEFT_OUT_WEIGHT = 0.05
"""Of intents that are left out, beside examples that are outside themselves: these are more like what comes."""

PRIOR = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 22.0, -13.0, -0.5])
"""The detector that a domain begins with: inside is what is near to several examples, and not to several texts outside. Small
domains drawn from clinc150 and banking77 give 22.9, -7.8 and -4.6 (benchmarks.understanding.small_domains), the examples of the
domains in tests/stories/outside, which are more various, 23.4, -14.0 and -1.1 in both languages together; the constant is
a little above those. What a domain's own examples teach moves it the more, the more they are."""

PRIOR_STRENGTH = 10.0
"""Of the prior, in examples over the curvature of one: between 3 and 30 small domains hardly change."""

THRESHOLD = 0.27
"""Of inside × share, where nothing speaks for another: most of what is said to an assistant is what it is there for."""

THRESHOLD_STRENGTH = 10.0
"""What it costs to move the threshold from there, by the examples that were looked at."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Learned:
    """checked: numbers of the examples that were classified by ones that had not seen them; shares: what these said of them.

    kept, refused: shares of examples, and of texts outside, that the threshold treats rightly; None where it is not known.
    """

    classifier: IntentClassifier
    checked: Whole
    shares: Floats
    kept: float | None
    refused: float | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """Texts that a closed-set classifier had not seen: their features and scores, whether inside, and what they count."""

    scope_features: Doubles
    scores: Floats
    inside: bool
    weight: float


def learn(vectors: Floats, labels: Whole, names: Floats, outside: Floats) -> Learned:
    """labels: numbers of rows of `names`, the vectors of the intents' names. outside: no rows, or texts of no intent."""
    drawn = np.random.default_rng(0)
    chosen = np.sort(drawn.permutation(len(labels))[:MOST])
    folds = _spread(labels[chosen], drawn)
    checked, scores, seen = _folded(vectors[chosen], labels[chosen], names, outside, folds, drawn)
    temperature = _temperature(scores, labels[chosen][checked])
    closed_set = ClosedSetClassifier.fitted(vectors, labels, names)
    detector = _detector(seen)
    threshold, kept, refused = _threshold(seen, detector, temperature)
    classifier = IntentClassifier(closed_set, closed_set.placed(outside), temperature, detector, threshold)
    return Learned(classifier, chosen[checked], softmax(scores / np.float32(temperature)), kept, refused)


def _folded(
    vectors: Floats, labels: Whole, names: Floats, outside: Floats, folds: Whole, drawn: np.random.Generator
) -> tuple[Whole, Floats, list[_Seen]]:
    """Places of the examples that were classified, their scores, and what the detector learns from."""
    groups = drawn.permutation(len(names)) % FOLDS
    apart = drawn.permutation(len(outside)) % FOLDS
    places, held_out, seen = [], [np.zeros((0, len(names)), np.float32)], list[_Seen]()
    for fold in range(FOLDS):
        known, held = folds != fold, folds == fold
        if not held.any() or not known.any():
            continue
        closed_set = ClosedSetClassifier.fitted(vectors[known], labels[known], names)
        left, away = outside[apart != fold], outside[apart == fold]
        scores = closed_set.scores(closed_set.placed(vectors[held]))
        places.append(np.flatnonzero(held))
        held_out.append(scores)
        if len(away):
            seen += _both(closed_set, vectors[held], away, left, weight=1.0)
        weight = LEFT_OUT_WEIGHT if len(outside) else 1.0
        seen += _left_out(vectors, labels, names, left, (held, groups != fold), weight=weight)
    return np.concatenate([np.zeros(0, np.int64), *places]), np.vstack(held_out), seen


def _left_out(
    vectors: Floats, labels: Whole, names: Floats, outside: Floats, parts: tuple[Mask, Mask], *, weight: float
) -> Iterator[_Seen]:
    """What a closed-set classifier says that knows neither the held examples nor the intents that don't stay."""
    held, staying = parts
    stays = staying[labels]
    number = np.cumsum(staying) - 1
    if staying.sum() < 2 or stays.all() or not (held & stays).any() or not (~held & stays).any():
        return
    known = ~held & stays
    closed_set = ClosedSetClassifier.fitted(vectors[known], number[labels[known]], names[staying])
    yield from _both(closed_set, vectors[held & stays], vectors[~stays], outside, weight=weight)


def _both(
    closed_set: ClosedSetClassifier, inside: Floats, away: Floats, outside: Floats, *, weight: float
) -> Iterator[_Seen]:
    against = closed_set.placed(outside)
    for vectors, is_inside in ((inside, True), (away, False)):
        placed = closed_set.placed(vectors)
        scores = closed_set.scores(placed)
        yield _Seen(closed_set.scope_features(placed, scores, against), scores, is_inside, weight)


def _spread(labels: Whole, drawn: np.random.Generator) -> Whole:
    """A fold for each example, in which each intent's examples are spread evenly."""
    folds = np.empty(len(labels), np.int64)
    start = 0
    for label in np.unique(labels):
        places = drawn.permutation(np.flatnonzero(labels == label))
        folds[places] = (np.arange(len(places)) + start) % FOLDS
        start += len(places)
    return folds


def _temperature(scores: Floats, labels: Whole) -> float:
    """The one of a grid with the least log loss (Guo et al. 2017) on examples that the classifier had not seen."""
    if not len(labels):
        return 1.0

    def loss(temperature: float) -> float:
        shares = softmax(scores / np.float32(temperature))
        return float(-np.log(shares[np.arange(len(labels)), labels] + 1e-12).mean())

    return min(map(float, np.geomspace(0.1, 5, 60)), key=loss)


def _detector(seen: list[_Seen]) -> Doubles:
    """Weights of a logistic regression on the scope features, in which inside and outside count the same, held to the prior.

    Newton's method, with steps halved that lead up: from the prior, far away may be anywhere.
    """
    if not seen:
        return PRIOR
    given = np.vstack([each.scope_features for each in seen])
    truths = np.concatenate([np.full(len(each.scope_features), float(each.inside)) for each in seen])
    weights = np.concatenate([np.full(len(each.scope_features), each.weight) for each in seen])
    held = np.full(given.shape[1], PRIOR_STRENGTH / _count(seen))
    for truth in (0.0, 1.0):
        weights[truths == truth] /= 2 * weights[truths == truth].sum()
    signs = 2 * truths - 1

    def loss(found: Doubles) -> float:
        return float(weights @ np.logaddexp(0, -signs * (given @ found)) + held @ (found - PRIOR) ** 2 / 2)

    found, best = PRIOR.copy(), loss(PRIOR)
    for _ in range(25):
        said = sigmoid(given @ found)
        slope = given.T @ ((said - truths) * weights) + held * (found - PRIOR)
        step = np.linalg.solve((given.T * (weights * said * (1 - said))) @ given + np.diag(held), slope)
        while (reached := loss(found - step)) > best and np.abs(step).max() > 1e-9:
            step /= 2
        found, best = found - step, min(reached, best)
    return found


def _count(seen: list[_Seen]) -> float:
    """Examples that were looked at, as they are weighted."""
    return sum(each.weight * len(each.scope_features) for each in seen if each.inside)


def _threshold(seen: list[_Seen], detector: Doubles, temperature: float) -> tuple[float, float | None, float | None]:
    """Where most examples are kept and most of what is outside is refused, and how many of each."""
    if not seen:
        return THRESHOLD, None, None
    in_scope = [
        sigmoid(each.scope_features @ detector) * softmax(each.scores / np.float32(temperature)).max(axis=1)
        for each in seen
    ]
    level = np.round(np.arange(0.05, 0.951, 0.01), 2)

    def share(inside: bool) -> Doubles:
        """Of the texts on this side, how many reach each level."""
        weights = np.concatenate(
            [np.full(len(each.scope_features), each.weight * (each.inside == inside)) for each in seen]
        )
        reached = np.concatenate(in_scope)[:, None] >= level
        said: Doubles = weights @ reached / weights.sum()
        return said

    kept, refused = share(True), 1 - share(False)
    held = np.abs(level - THRESHOLD) * THRESHOLD_STRENGTH / _count(seen)
    best = int(np.argmax(np.round(kept + refused - held, 4)))
    return float(level[best]), float(kept[best]), float(refused[best])
