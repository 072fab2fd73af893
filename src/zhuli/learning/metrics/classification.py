"""How well classes were found, with one class an example or several.

Numbers at the top are 0 to 1. Held to scikit-learn's by tests; written over sums so that intervals cost nothing. The library
`evaluate` is not used here or beside: it loads its metrics from a hub when they are asked for, so what stands behind it
(seqeval, sacrebleu, rouge-score) is used directly.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from zhuli.learning.metrics import calibration, rates
from zhuli.learning.metrics.measured import Floats, Measured, Sums, means


def scores(
    targets: Sequence[list[str]],
    predictions: Sequence[list[str]],
    *,
    labels: Sequence[str],
    probabilities: Sequence[Mapping[str, float]] | None = None,
) -> Measured:
    """accuracy, and precision, recall and f1, each macro, micro and weighted; with probabilities: ece and brier.

    accuracy: the share of examples whose labels were all found and no other. labels: in the order of the matrices; those that
    only occur come behind them. Nested: per_class; confusion {"labels", "matrix": targets × predictions} if each
    example has exactly one label; calibration, from probabilities (label → probability for each example).
    """
    known = list(dict.fromkeys([*labels, *_all(targets), *_all(predictions)]))
    wanted, found = _marks(targets, known), _marks(predictions, known)
    counts = rates.counted(wanted * found, found, wanted)
    right = (wanted == found).all(axis=1).astype(np.float64)
    parts: list[Sums] = [means(accuracy=right.tolist()), counts]
    details: dict[str, object] = {"per_class": rates.per_class(counts, known)}
    single = all(len(given) == 1 for given in [*targets, *predictions])
    if single and targets:
        details["confusion"] = {"labels": known, "matrix": (wanted.T @ found).astype(int).tolist()}
    if probabilities is not None and targets:
        judged = _judged(targets, probabilities, known=known, single=single)
        parts.append(judged.sums)
        details["calibration"] = judged.bins()
    return Measured(parts, **details)


def _all(lists: Iterable[list[str]]) -> list[str]:
    return sorted({label for labels in lists for label in labels})


def _marks(lists: Sequence[list[str]], known: Sequence[str]) -> Floats:
    """examples × labels, 1 where the example has the label."""
    place = {label: at for at, label in enumerate(known)}
    marks = np.zeros((len(lists), len(known)))
    for row, labels in enumerate(lists):
        for label in labels:
            marks[row, place[label]] = 1.0
    return marks


def _judged(
    targets: Sequence[list[str]], probabilities: Sequence[Mapping[str, float]], *, known: Sequence[str], single: bool
) -> calibration.Judged:
    """Of one label an example: the likeliest; of several: each decision whether the example has the label."""
    sure = np.array([[given.get(label, 0.0) for label in known] for given in probabilities])
    wanted = _marks(targets, known)
    if single:
        first = sure.argmax(axis=1)
        each = np.arange(len(targets))
        brier = ((sure - wanted) ** 2).sum(axis=1)
        return calibration.judge(sure[each, first][:, None], wanted[each, first][:, None], brier)
    return calibration.judge(sure, wanted, ((sure - wanted) ** 2).mean(axis=1))
