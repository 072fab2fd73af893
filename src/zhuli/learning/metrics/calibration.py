"""Whether a model is as often right as it says: expected calibration error, the bins of a reliability diagram, Brier score.

    ECE = sum over bins of (n_bin / n) |right share - mean probability|    15 equal bins (Guo et al. 2017, On Calibration of
                                                                           Modern Neural Networks, section 2)
    Brier = mean over examples of the squared distance between probabilities and truth (Brier 1950)

Making a model better calibrated is training.calibration's.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from zhuli.learning.metrics.measured import Floats, Sums, ratio

BINS = 15


@dataclass(frozen=True, slots=True)
class Judged:
    """sums.rows: for each example how many of its decisions fall into each bin, how many were right, how sure, and Brier."""

    sums: Sums

    def bins(self) -> list[dict[str, Any]]:
        """{"low", "high", "count", "confidence", "accuracy"} of each bin that has decisions."""
        count, right, sure = np.split(self.sums.rows.sum(axis=0)[: 3 * BINS], 3)
        return [
            {
                "low": at / BINS,
                "high": (at + 1) / BINS,
                "count": int(count[at]),
                "confidence": float(sure[at] / count[at]),
                "accuracy": float(right[at] / count[at]),
            }
            for at in range(BINS)
            if count[at]
        ]


def judge(sure: Floats, right: Floats, brier: Floats) -> Judged:
    """sure, right: examples × decisions, the probability given and whether it was so (0 or 1); brier: one an example."""
    places = np.clip((sure * BINS).astype(int), 0, BINS - 1)
    inside = places[:, :, None] == np.arange(BINS)
    count, hits, mass = ((inside * weight[:, :, None]).sum(axis=1) for weight in (np.ones_like(sure), right, sure))
    rows = np.concatenate([count, hits, mass, brier[:, None], np.ones((len(sure), 1))], axis=1)
    return Judged(Sums(rows, _scores))


def ece(sure: Floats, right: Floats) -> float:
    """Of decisions in one row each: their probabilities and whether they were right."""
    return judge(sure[:, None], right[:, None], np.zeros(len(sure))).sums.point()["ece"]


def _scores(sums: Floats) -> dict[str, Floats]:
    count, right, mass = np.split(sums[:, : 3 * BINS], 3, axis=1)
    gap = ratio(np.abs(right - mass).sum(axis=1), count.sum(axis=1))
    return {"ece": gap, "brier": ratio(sums[:, -2], sums[:, -1])}
