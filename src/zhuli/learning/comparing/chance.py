"""Whether a difference on the same examples is more than chance: exact where it can be, else by drawing. Pure.

McNemar 1947 (Note on the sampling error of the difference between correlated proportions), in its exact form; the sign-flip
test is Fisher's randomisation test for pairs (The Design of Experiments, 1935); the interval is the paired bootstrap of
Efron and Tibshirani 1993, ch. 13. NumPy is imported where it is used: the server starts without it.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from zhuli.learning.metrics.measured import Floats

FLIPS = 4999
"""Draws of the sign-flip test: the smallest p that it gives is 1 / (FLIPS + 1)."""

_CELLS = 2_000_000
"""Numbers that are drawn at once."""


def mcnemar(gained: int, lost: int) -> tuple[float, float]:
    """(two-sided p, p of a fall): of gained + lost examples that changed sides, each went either way with one half."""
    changed = gained + lost
    return min(1.0, 2 * _tail(max(gained, lost), changed)), _tail(lost, changed)


def _tail(least: int, number: int) -> float:
    """The probability of `least` heads or more in `number` throws of a fair coin."""
    if least <= 0:
        return 1.0
    if least > number:
        return 0.0
    # The tail is summed from its largest term on, each term from the one before it.
    term = math.exp(
        math.lgamma(number + 1) - math.lgamma(least + 1) - math.lgamma(number - least + 1) - number * math.log(2)
    )
    total = 0.0
    for heads in range(least, number + 1):
        total += term
        term *= (number - heads) / (heads + 1)
        if term < total * 1e-17:
            break
    return min(1.0, total)


def sign_flips(differences: Sequence[float], *, seed: int) -> tuple[float, float]:
    """(two-sided p, p of a fall) of a mean difference, if each difference had either sign with one half."""
    import numpy as np

    values = np.asarray(differences, dtype=np.float64)
    values = values[values != 0]
    if not len(values):
        return 1.0, 1.0
    observed, slack = values.sum(), 1e-9 * np.abs(values).sum()
    both = falls = 1
    random = np.random.default_rng(seed)
    for number in parts(FLIPS, len(values)):
        sums = (random.integers(0, 2, size=(number, len(values)), dtype=np.int8) * 2.0 - 1.0) @ values
        both += int((np.abs(sums) >= abs(observed) - slack).sum())
        falls += int((sums <= observed + slack).sum())
    return both / (FLIPS + 1), falls / (FLIPS + 1)


def mean_interval(differences: Sequence[float], *, seed: int) -> tuple[float, float]:
    """[low, high] that holds metrics.intervals.LEVEL of the means of RESAMPLES draws of as many examples."""
    import numpy as np

    from zhuli.learning.metrics.intervals import RESAMPLES, interval

    values, counts = np.unique(np.asarray(differences, dtype=np.float64), return_counts=True)
    number = int(counts.sum())
    random, shares = np.random.default_rng(seed), counts / number
    # How often each value is drawn is all that a mean depends on, and there are only three values of right and wrong.
    means: list[Floats] = [
        random.multinomial(number, shares, size=part) @ values / number for part in parts(RESAMPLES, len(values))
    ]
    low, high = interval(np.concatenate(means))
    return low, high


class Drawn(NamedTuple):
    """What draws of examples say of a difference: where it lies, and how probable it is if there is none."""

    interval: tuple[float, float]
    p: float
    worse_p: float


def ratios(rows: Sequence[tuple[float, float, float, float]], *, seed: int) -> Drawn:
    """Of the difference of two ratios of sums, by the paired bootstrap.

    rows: (part, whole) before and after of each example. p: twice the smaller share of draws on one side of no difference
    (Efron and Tibshirani 1993, ch. 15); its smallest is 2 / (FLIPS + 1).
    """
    import numpy as np

    from zhuli.learning.metrics.intervals import interval

    values, counts = np.unique(np.asarray(rows, dtype=np.float64), axis=0, return_counts=True)
    number = int(counts.sum())
    random, shares = np.random.default_rng(seed), counts / number
    sums = np.concatenate(
        [random.multinomial(number, shares, size=part) @ values for part in parts(FLIPS, len(values))]
    )
    before, after = (
        np.divide(sums[:, at], sums[:, at + 1], out=np.ones(len(sums)), where=sums[:, at + 1] > 0) for at in (0, 2)
    )
    difference = after - before
    low, high = interval(difference)
    better = (1 + int((difference <= 1e-12).sum())) / (FLIPS + 1)
    worse = (1 + int((difference >= -1e-12).sum())) / (FLIPS + 1)
    return Drawn((low, high), min(1.0, 2 * min(better, worse)), min(1.0, worse))


def parts(rounds: int, width: int) -> Iterator[int]:
    """So many rounds in parts that fit in memory."""
    most = max(1, _CELLS // max(1, width))
    while rounds > 0:
        yield min(most, rounds)
        rounds -= most
