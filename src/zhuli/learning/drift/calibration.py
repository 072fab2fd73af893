"""How sure a model is, before and lately; and whether it is right as often, where somebody has said what is right. Pure."""

from collections.abc import Sequence

import numpy as np

from zhuli.learning.drift.permutations import Floats, Statistic
from zhuli.types.learning.drift import Calibration


def mean_difference(values: Floats, window: int) -> Statistic:
    """How far the mean of what is dealt to the window is from that of the rest, either way."""
    given = np.asarray(values, dtype=np.float32)
    others = len(given) - window
    total = float(given.sum())

    def statistic(deals: Floats) -> Floats:
        inside = deals @ given
        return np.asarray(np.abs(inside / window - (total - inside) / others))

    return statistic


def ranks(values: Floats) -> Floats:
    """The place of each in order, equal ones share theirs: a mean of these is moved by no outlier (Wilcoxon 1945)."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[codes])


def calibration(confidence: Sequence[float] | Floats, correct: Sequence[float] | Floats) -> Calibration:
    """Of at least one prediction. z beyond 3 either way is no chance if the model were calibrated (Spiegelhalter 1986)."""
    sure, right = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    spread = float(np.sqrt((sure * (1 - sure)).sum()))
    return Calibration(
        number=len(sure),
        confidence=float(sure.mean()),
        correct=float(right.mean()),
        shift=float((right - sure).mean()),
        z=float((right - sure).sum() / max(spread, 1e-9)),
        error=_error(sure, right),
    )


def _error(sure: Floats, right: Floats, bins: int = 10) -> float:
    """Expected calibration error, over bins of equal width (Guo et al. 2017)."""
    places = np.minimum((sure * bins).astype(int), bins - 1)
    parts = [places == place for place in range(bins)]
    return float(sum(abs((right[part] - sure[part]).sum()) for part in parts if part.any()) / len(sure))
