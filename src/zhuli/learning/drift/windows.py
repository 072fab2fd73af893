"""Whether a window of traffic differs from the reference, so that quiet traffic alarms as rarely as is said. Pure.

Each window has five tests: vectors of the window, vectors of the last four windows (at every fourth), labels, confidence,
and what is outside. The false-alarm rate is shared out over the tests and over the windows of a season (Bonferroni, which
needs nothing of how they hang together): over a season of quiet traffic the chance that anything fires is `alpha` at most.
The next season has an allowance of its own. That messages could as well have come in another order is all that is
assumed: many messages of one thread in a window are not so, and one of each is what should be kept.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zhuli.learning.drift import calibration, kernel, labels
from zhuli.learning.drift.permutations import Floats, Statistic, p_values
from zhuli.learning.drift.sample import Sample, joined
from zhuli.types.learning.drift import DriftTest, TestName, WindowCheck

SHARES: dict[TestName, float] = {
    "inputs": 0.4,
    "inputs_lately": 0.3,
    "labels": 0.1,
    "confidence": 0.1,
    "outside": 0.1,
}
"""Of the false-alarm rate."""

TOGETHER = 4
"""Windows that are looked at together as well: a change that is too small for one may be seen in four."""

COMPARED = 250
"""Messages of the reference that are compared with; more cost more than they see."""


@dataclass(frozen=True)
class Plan:
    """window: messages. season: windows. alpha: chance of any false alarm in a season of quiet traffic."""

    window: int = 100
    season: int = 50
    alpha: float = 0.05

    def level(self, test: TestName) -> float:
        """The p at which one of its tests fires."""
        times = self.season // TOGETHER or 1 if test == "inputs_lately" else self.season
        return self.alpha * SHARES[test] / times

    @property
    def deals(self) -> int:
        """So many that each test can fire, with some to spare."""
        return math.ceil(2 / min(map(self.level, SHARES)))


class Reference:
    """What quiet traffic looks like; its distances are worked out once."""

    def __init__(self, sample: Sample, *, seed: int = 0) -> None:
        self.sample = sample.thinned(COMPARED, np.random.default_rng(seed))
        vectors = self.sample.vectors
        self.bandwidth = 1.0 if vectors is None else kernel.median_bandwidth(vectors)
        self._within = None if vectors is None else kernel.gram(vectors, vectors, self.bandwidth)

    def gram(self, vectors: Floats) -> Floats:
        """The kernel of the reference's vectors followed by these."""
        assert self.sample.vectors is not None and self._within is not None
        across = kernel.gram(self.sample.vectors, vectors, self.bandwidth)
        inside = kernel.gram(vectors, vectors, self.bandwidth)
        return np.block([[self._within, across], [across.T, inside]])


def check(reference: Reference, windows: Sequence[Sample], *, number: int, plan: Plan) -> WindowCheck:
    """What is to be said of the last of `windows`, the one with this number since the beginning. The same each time."""
    window = windows[-1]
    tests = _tests(reference, window, plan)
    if (number + 1) % TOGETHER == 0 and len(windows) >= TOGETHER:
        tests += _lately(reference, joined(windows[-TOGETHER:]), plan)
    return WindowCheck(number=number, messages=len(window), tests=tests, fired=any(test.fired for test in tests))


def _tests(reference: Reference, window: Sample, plan: Plan) -> list[DriftTest]:
    before, size = reference.sample, len(window)
    sure = np.concatenate([before.confidence, window.confidence])
    outside = np.concatenate([before.outside, window.outside])
    statistics: dict[TestName, Statistic] = {
        "labels": labels.spread([*before.labels, *window.labels], size),
        "confidence": calibration.mean_difference(calibration.ranks(sure), size),
        "outside": calibration.mean_difference(outside, size),
    }
    shifts: dict[TestName, float] = {
        "labels": labels.stability(before.labels, window.labels),
        "confidence": float(window.confidence.mean() - before.confidence.mean()),
        "outside": float(window.outside.mean() - before.outside.mean()),
    }
    if _comparable(before, window):
        gram = reference.gram(window.vectors)  # type: ignore[arg-type]
        statistics["inputs"] = kernel.discrepancy(gram, size)
        shifts["inputs"] = kernel.shift_of(gram, size)
    return _said(statistics, shifts, size, len(before), plan)


def _lately(reference: Reference, window: Sample, plan: Plan) -> list[DriftTest]:
    if not _comparable(reference.sample, window):
        return []
    gram = reference.gram(window.vectors)  # type: ignore[arg-type]
    statistics: dict[TestName, Statistic] = {"inputs_lately": kernel.discrepancy(gram, len(window))}
    shifts: dict[TestName, float] = {"inputs_lately": kernel.shift_of(gram, len(window))}
    return _said(statistics, shifts, len(window), len(reference.sample), plan)


def _comparable(before: Sample, window: Sample) -> bool:
    if before.vectors is None or window.vectors is None:
        return False
    return bool(before.vectors.shape[1] == window.vectors.shape[1])


def _said(
    statistics: dict[TestName, Statistic],
    shifts: dict[TestName, float],
    window: int,
    others: int,
    plan: Plan,
) -> list[DriftTest]:
    given = {str(name): each for name, each in statistics.items()}
    found = p_values(given, window=window, others=others, most=plan.deals)
    return [
        DriftTest(
            name=name,
            p=found[name],
            level=plan.level(name),
            shift=round(shifts[name], 6),
            fired=found[name] <= plan.level(name),
        )
        for name in sorted(statistics)
    ]
