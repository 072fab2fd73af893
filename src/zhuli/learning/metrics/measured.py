"""Numbers of an evaluation together with what they are summed from, so that one formula gives the number and its interval.

Every metric here is a function of sums over examples: hits per class, n-gram matches, losses. Resampling examples is then a
product of matrices instead of measuring a thousand times. What is no function of sums (the confusion matrix) is only shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sums:
    """rows: examples × quantities. scores: from sums of rows, resamples × quantities, to resamples numbers for each name."""

    rows: Floats
    scores: Callable[[Floats], dict[str, Floats]]

    def point(self) -> dict[str, float]:
        """The numbers of all examples, each once."""
        found = self.scores(self.rows.sum(axis=0, keepdims=True))
        return {name: float(values[0]) for name, values in found.items()}


class Measured(dict[str, Any]):
    """Metrics that remember their sums. Whatever makes a plain dict of it loses them, and with them fast intervals."""

    def __init__(self, sums: Sequence[Sums], **details: Any) -> None:
        super().__init__()
        self.sums = list(sums)
        for part in self.sums:
            self.update(part.point())
        self.update(details)

    def joined(self, other: "Measured") -> "Measured":
        """Both sets of numbers; the other's win where names meet."""
        both = Measured([*self.sums, *other.sums])
        both.update(self)
        both.update(other)
        return both


def means(**columns: Sequence[float]) -> Sums:
    """Sums for numbers that are plain means over examples."""
    names = list(columns)
    rows = np.array([[*values, 1.0] for values in zip(*columns.values(), strict=True)], dtype=np.float64)
    rows = rows.reshape(-1, len(names) + 1)
    return Sums(rows, lambda sums: {name: ratio(sums[:, at], sums[:, -1]) for at, name in enumerate(names)})


def ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole, and 0 where there is nothing to divide by."""
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole > 0)
