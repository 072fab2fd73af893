"""How far two agree who gave labels to the same things: a judge and people, or two reviewers. Pure.

Cohen 1960 (A coefficient of agreement for nominal scales).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from zhuli.learning.comparing import chance, sentences
from zhuli.types.learning.comparison import Agreement


def kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Cohen's kappa of two raters' labels of the same things, in the same order, from -1 to 1.

    None where it is not defined: without things, and where both gave one and the same label to all, for then chance explains
    all that could be said.
    """
    return _kappa(*_rates(first, second)) if first else None


def agreement(first: Sequence[str], second: Sequence[str], *, seed: int = 0) -> Agreement:
    """Of two sequences of labels of the same things, in the same order; ValueError where they don't fit or are empty."""
    import numpy as np

    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} labels are not of the same things")
    if not first:
        raise ValueError("There is nothing that both gave a label to")
    labels = sorted({*first, *second})
    at = {label: place for place, label in enumerate(labels)}
    cells = [at[one] * len(labels) + at[other] for one, other in zip(first, second, strict=True)]
    counts = np.bincount(cells, minlength=len(labels) ** 2).reshape(1, len(labels), len(labels))
    observed, expected = _rates(first, second)
    found = _kappa(observed, expected)
    return Agreement(
        number=len(first),
        observed=observed,
        expected=expected,
        kappa=found,
        interval=None if found is None else _interval(counts, seed),
        labels=labels,
        matrix=counts[0].tolist(),
        sentence=sentences.of_agreement(len(first), observed, found),
    )


def _rates(first: Sequence[str], second: Sequence[str]) -> tuple[float, float]:
    """Observed agreement, and the one to expect by chance."""
    one, other = Counter(first), Counter(second)
    observed = sum(map(str.__eq__, first, second)) / len(first)
    return observed, sum(one[label] * other[label] for label in one) / len(first) ** 2


def _kappa(observed: float, expected: float) -> float | None:
    return None if expected >= 1 else (observed - expected) / (1 - expected)


def _agreed(counts: Any) -> tuple[Any, Any]:
    """Observed agreement, and the one to expect by chance, of each table of counts: tables × labels × labels."""
    number = counts.sum(axis=(1, 2))
    observed = counts.trace(axis1=1, axis2=2) / number
    return observed, (counts.sum(axis=1) * counts.sum(axis=2)).sum(axis=1) / number**2


def _interval(counts: Any, seed: int) -> tuple[float, float]:
    """Of bootstrap draws; one in which both gave a single label says nothing, and is left out."""
    import numpy as np

    from zhuli.learning.metrics.intervals import RESAMPLES, interval

    number, random, kappas = int(counts.sum()), np.random.default_rng(seed), []
    for part in chance.parts(RESAMPLES, counts.size):
        drawn = random.multinomial(number, counts.ravel() / number, size=part).reshape(part, *counts.shape[1:])
        observed, expected = _agreed(drawn)
        told = expected < 1
        kappas.append((observed[told] - expected[told]) / (1 - expected[told]))
    low, high = interval(np.concatenate(kappas))
    return low, high
