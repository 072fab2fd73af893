"""A search as it was asked for, what a trial is, and how its end is told: the same for trials in turn and trials at once."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from zhuli.learning.training.control import Control
from zhuli.learning.training.event_log import EventLog
from zhuli.learning.training.failures import FailureCode, TuningFailed
from zhuli.learning.training.searching.space import Space
from zhuli.learning.training.searching.trials import Ended, Trials
from zhuli.types.learning.example import Metrics
from zhuli.types.learning.hyperparameters import Hyperparameters, Search

LOSS = "valid_loss"
"""Where the loop's reports have the loss on validation data, which the metric "loss" means."""

OF_THE_TRIAL: tuple[FailureCode, ...] = ("diverged", "out_of_memory")
"""Failures that other hyperparameters may avoid; all else ends the search."""


class Attempt(Protocol):
    """Trains from the base with these options; gives what validation says of the weights that were kept.

    folder: the trial's own. report: told the step and the metrics after each evaluation; what it raises is passed on.
    Must be picklable, for Ray runs it in other processes.
    """

    def __call__(
        self, options: Hyperparameters, *, folder: Path, report: Callable[[int, Metrics], None], control: Control
    ) -> Metrics: ...


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search as it was asked for, with what is known of the tuning: the same for every way to run the trials."""

    search: Search
    given: Hyperparameters
    space: Space
    metric: str
    seed: int


def measured(metrics: Metrics, name: str) -> bool:
    """Whether an evaluation has this metric; between two measurements the loop may look at the loss alone."""
    return isinstance(metrics.get(LOSS if name == "loss" else name), int | float)


def value_of(metrics: Metrics, name: str) -> float:
    """The metric's value; TuningFailed names those that there are."""
    if measured(metrics, name):
        return float(metrics[LOSS if name == "loss" else name])
    known = ", ".join(sorted(key for key, value in metrics.items() if isinstance(value, int | float) and key != LOSS))
    raise TuningFailed(
        "invalid_hyperparameters",
        f"There is no metric '{name}' to search by. This task has: loss, {known}.",
        param="tuning.search.metric",
    )


def tell_of(
    number: int, request: SearchRequest, ended: Ended, values: dict[str, Any], *, trials: Trials, event_log: EventLog
) -> None:
    """An event for a trial that ended."""
    with_values = ", ".join(f"{name}={_shown(value)}" for name, value in values.items())
    reached = f"{request.metric}={_shown(ended.value)}" if ended.value is not None else "nothing"
    best = trials.best()
    ahead = f"; best so far {_shown(best.value)}" if best is not None else ""
    state = "" if ended.ending == "complete" else f" ({ended.ending.replace('_', ' ')})"
    event_log.write(
        "message",
        f"Trial {number}/{request.search.trials}{state}: {reached} with {with_values}{ahead}",
        trial={"number": number, "state": ended.ending, "value": ended.value, "params": values},
    )


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) and math.isfinite(value) else str(value)
