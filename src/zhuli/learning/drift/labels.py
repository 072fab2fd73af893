"""How the labels that a model gives are spread, before and lately. Pure."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from zhuli.learning.drift.permutations import Floats, Statistic
from zhuli.types.learning.drift import LabelShift


def stability(before: Sequence[str], lately: Sequence[str]) -> float:
    """The population stability index: Σ (lately - before) · ln(lately / before), each label with half a message more.

    Readers of scorecards take 0.1 for some and 0.25 for much (Siddiqi 2006); with few messages a label chance alone
    gives as much (Yurdakul 2018), so it is shown, and the test decides.
    """
    names = sorted({*before, *lately})
    first, second = _shares(before, names), _shares(lately, names)
    return float(((second - first) * np.log(second / first)).sum())


def _shares(labels: Sequence[str], names: Sequence[str]) -> Floats:
    counts = Counter(labels)
    found = np.array([counts[name] + 0.5 for name in names])
    return np.asarray(found / found.sum())


def spread(labels: Sequence[str], window: int) -> Statistic:
    """Pearson's chi-squared of what is dealt to the window; its null is dealt, so rare labels do no harm."""
    names, codes = np.unique(np.asarray(labels, dtype=object).astype(str), return_inverse=True)
    table = np.zeros((len(labels), len(names)), dtype=np.float32)
    table[np.arange(len(labels)), codes] = 1
    expected = table.sum(axis=0) * (window / len(labels))

    def statistic(deals: Floats) -> Floats:
        found: Floats = ((deals @ table - expected) ** 2 / expected).sum(axis=1)
        return found

    return statistic


def shifts(before: Sequence[str], lately: Sequence[str], most: int = 10) -> list[LabelShift]:
    """The labels whose share has changed most, the largest change first."""
    first, second = Counter(before), Counter(lately)
    moved = [
        LabelShift(label=name, before=first[name] / max(1, len(before)), lately=second[name] / max(1, len(lately)))
        for name in sorted(first.keys() | second.keys())
    ]
    return sorted(moved, key=lambda each: -abs(each.lately - each.before))[:most]
