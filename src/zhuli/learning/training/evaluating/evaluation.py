"""How much better a tuned model is than what it was made of, on held-out examples, and the files that say so.

Measuring is the tasks'; here two sets of predictions of the same examples stand side by side, with intervals.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zhuli.learning.metrics import intervals
from zhuli.learning.metrics.measured import Measured
from zhuli.learning.training.event_log import finite
from zhuli.learning.training.reporting import report_text
from zhuli.ports import Task
from zhuli.types.learning.example import Example, Metrics, Prediction
from zhuli.types.learning.tuning import Spec

REPORT, TEXT, CURVES, CONFUSION, RELIABILITY, RESULTS = (
    "report.json",
    "report.txt",
    "curves.png",
    "confusion.png",
    "reliability.png",
    "results.csv",
)

COLUMNS = ("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")
"""Of results.csv, as the API's result files have them; the history of a training calls them the same."""


def compare(
    task: Task, before: Sequence[Prediction], after: Sequence[Prediction], examples: Sequence[Example], *, seed: int
) -> dict[str, Any]:
    """{"examples", "metric", "untrained", "before", "after", "intervals", "better", "probability"}, ready for JSON.

    before, after: predictions of the same examples, of task.untrained and of the tuned model. intervals: for each number that is
    a function of sums [low, high] of before, after and their difference, at 95 %, and the probability that after is higher.
    better: whether the task's metric rose; probability: of that, None where the task's measure() gives no sums.
    """
    first, second = task.measure(examples, before), task.measure(examples, after)
    both = _intervals(first, second, seed=seed)
    return {
        "examples": len(examples),
        "metric": task.metric,
        "untrained": task.untrained,
        "before": dict(first),
        "after": dict(second),
        "intervals": both,
        "better": bool(second.get(task.metric, 0.0) > first.get(task.metric, 0.0)),
        "probability": both.get(task.metric, {}).get("probability"),
    }


def write_reports(folder: Path, spec: Spec, report: Mapping[str, Any], history: Iterable[Mapping[str, Any]]) -> None:
    """report.json, report.txt and results.csv in `folder`, and the plots of what there is to plot.

    report: what compare() gave, with what else is to be said: "data", "training", "hyperparameters", "calibration", "trials".
    history: the data of metrics events in order, at least "step" each.
    """
    steps = list(history)
    from zhuli.learning.training.reporting import (
        plots,  # matplotlib takes a second, and is for those that come to their end
    )

    after = report.get("after", {})
    text = json.dumps(finite(report), ensure_ascii=False, indent=1, default=float)
    (folder / REPORT).write_text(text + "\n", encoding="utf-8")
    (folder / TEXT).write_text(report_text.written(spec, report), encoding="utf-8")
    _write_results(folder / RESULTS, steps)
    if steps:
        plots.curves(steps, folder / CURVES, metric=report.get("metric", ""))
    if after.get("confusion"):
        plots.confusion(after["confusion"]["labels"], after["confusion"]["matrix"], folder / CONFUSION)
    if after.get("calibration"):
        plots.reliability(after["calibration"], folder / RELIABILITY)


def _intervals(before: Metrics, after: Metrics, *, seed: int) -> dict[str, Any]:
    if not (isinstance(before, Measured) and isinstance(after, Measured)):
        return {}
    return intervals.paired(before, after, seed=seed)


def _write_results(path: Path, steps: Sequence[Mapping[str, Any]]) -> None:
    """One row a step; what was not measured there is left empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for step in steps:
            rows.writerow(["" if step.get(name) is None else step[name] for name in COLUMNS])
