"""How well spans were found: an entity counts when its words and its class are both right.

Which tags make an entity is seqeval's rule, that of CoNLL's conlleval (Tjong Kim Sang and De Meulder 2003): a stray I- begins
one. Averages are those of its reports.
"""

from collections.abc import Sequence

import numpy as np
from seqeval.metrics.sequence_labeling import get_entities

from zhuli.learning.metrics import rates
from zhuli.learning.metrics.measured import Floats, Measured, Sums, means, ratio

Span = tuple[str, int, int]


def scores(targets: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]]) -> Measured:
    """precision, recall, f1 (micro, as usual for spans) and their averages; accuracy of tags; exact: of whole sentences.

    BIO tags, one a word, as many predicted as wanted: ValueError otherwise. Nested: per_class.
    """
    pairs = list(zip(targets, predictions, strict=True))
    wanted = [_spans(tags) for tags, _ in pairs]
    found = [_spans(tags) for _, tags in pairs]
    labels = sorted({span[0] for spans in [*wanted, *found] for span in spans})
    matrices = [np.zeros((len(pairs), len(labels))) for _ in range(3)]
    place = {label: at for at, label in enumerate(labels)}
    for row, (true, said) in enumerate(zip(wanted, found, strict=True)):
        for matrix, spans in zip(matrices, (true & said, said, true), strict=True):
            for label, _, _ in spans:
                matrix[row, place[label]] += 1
    counts = Sums(rates.counted(*matrices).rows, _named)
    exact = means(exact=[float(true == said) for true, said in zip(wanted, found, strict=True)])
    return Measured([counts, _accuracy(pairs), exact], per_class=rates.per_class(counts, labels))


def shared(target: Sequence[str], prediction: Sequence[str]) -> tuple[float, float]:
    """Of one sentence: twice the spans found rightly, and all spans of both; what sentences sum to divides to F1."""
    wanted, found = _spans(target), _spans(prediction)
    return 2.0 * len(wanted & found), float(len(wanted) + len(found))


def _named(sums: Floats) -> dict[str, Floats]:
    """Averages, with micro under the plain names, as spans are usually reported."""
    found = rates.averages(sums)
    return {**found, **{name: found[f"{name}_micro"] for name in ("precision", "recall", "f1")}}


def _accuracy(pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Sums:
    rows = [[sum(a == b for a, b in zip(tags, said, strict=True)), len(tags)] for tags, said in pairs]
    return Sums(
        np.array(rows, dtype=np.float64).reshape(-1, 2), lambda sums: {"accuracy": ratio(sums[:, 0], sums[:, 1])}
    )


def _spans(tags: Sequence[str]) -> set[Span]:
    return set(get_entities(list(tags)))
