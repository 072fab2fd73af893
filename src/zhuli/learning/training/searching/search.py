"""Search for the hyperparameters with which a tuning does best on validation data, within a number of trials and minutes.

Optuna proposes and prunes. The best hyperparameters are given back; the tuning then trains with them to the end. Trials at
once are training.ray_search's matter.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from optuna.trial import Trial

from zhuli.core.errors import InvalidRequest
from zhuli.learning.training.control import Control
from zhuli.learning.training.event_log import Journal
from zhuli.learning.training.failures import FailureCode, TuningFailed
from zhuli.learning.training.fitting.pruning import Pruned
from zhuli.learning.training.searching.space import Space, applied, space_of
from zhuli.learning.training.searching.trials import Ended, Trials
from zhuli.types.learning.example import Metrics
from zhuli.types.learning.hyperparameters import Hyperparameters, Search, TaskName

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
class Found:
    """options: as given, with the best trial's values in their places. trials: the rows of trials.csv."""

    options: Hyperparameters
    values: dict[str, Any]
    best: float
    metric: str
    trials: list[dict[str, Any]]

    def report(self) -> dict[str, Any]:
        """What the tuning's report says of the search."""
        return {"metric": self.metric, "best": self.best, "hyperparameters": self.values, "trials": self.trials}


@dataclass(frozen=True, slots=True)
class Wish:
    """A search as it was asked for, with what is known of the tuning: the same for every way to run the trials."""

    search: Search
    given: Hyperparameters
    space: Space
    metric: str
    seed: int


def search(
    wanted: Search,
    given: Hyperparameters,
    attempt: Attempt,
    *,
    task: TaskName,
    metric: str,
    folder: Path,
    seed: int,
    journal: Journal,
    control: Control,
) -> Found:
    """Try until the trials or the minutes are spent. `metric` is the task's, for "auto".

    Finished trials in `folder` count. Raises TuningFailed when no trial succeeds or the space is wrong, and Stopped.
    """
    try:
        space = space_of(wanted, given, task=task)
    except InvalidRequest as error:
        raise TuningFailed("invalid_hyperparameters", error.message, param=error.param) from error
    wish = Wish(wanted, given, space, metric if wanted.metric == "auto" else wanted.metric, seed)
    trials = Trials(folder, space, metric=wish.metric, seed=seed)
    if wanted.parallel > 1:
        from zhuli.learning.training.searching.ray_search import run_at_once  # Ray takes seconds and is for few

        run_at_once(wish, trials, attempt, journal=journal, control=control)
    else:
        _run_in_turn(wish, trials, attempt, journal=journal, control=control)
    trials.write_table(folder)
    return _found(wish, trials)


def _run_in_turn(wish: Wish, trials: Trials, attempt: Attempt, *, journal: Journal, control: Control) -> None:
    spent, started = trials.seconds(), time.monotonic()
    deadline = started + 60 * wish.search.minutes - spent
    while (number := len(trials.ended()) + 1) <= wish.search.trials:
        control.check()
        if number > 1 and time.monotonic() >= deadline:
            journal.write("message", f"The time for the search is over after {number - 1} trials.")
            return
        trial = trials.ask()
        watch = Watch(trial, metric=wish.metric, deadline=deadline, pruning=wish.search.pruning)
        ended = _tried(wish, trials, trial, attempt, watch, control=control)
        trials.tell(trial, ended)
        trials.write_table(trials.folder.parent)
        tell_of(number, wish, ended, trial.params, trials=trials, journal=journal)


def _tried(wish: Wish, trials: Trials, trial: Trial, attempt: Attempt, watch: "Watch", *, control: Control) -> Ended:
    place = trials.folder / f"trial-{trial.number}"
    place.mkdir(exist_ok=True)
    try:
        metrics = attempt(applied(wish.given, trial.params), folder=place, report=watch, control=control)
    except Pruned:
        return Ended("out_of_time" if watch.out_of_time else "pruned", watch.best)
    except TuningFailed as error:
        if error.code not in OF_THE_TRIAL:
            raise
        return Ended("failed", message=error.message)
    return Ended("complete", value_of(metrics, wish.metric))


class Watch:
    """What a trial's evaluations are told to. Counts them, for trials with other batch sizes have other steps."""

    def __init__(self, trial: Trial, *, metric: str, deadline: float, pruning: bool) -> None:
        self._trial, self._metric, self._deadline, self._pruning = trial, metric, deadline, pruning
        self._number = 0
        self.best: float | None = None
        self.out_of_time = False

    def __call__(self, step: int, metrics: Metrics) -> None:
        """Raises Pruned when the trial is not worth going on with, or the time is over."""
        if not measured(metrics, self._metric):
            return
        value = value_of(metrics, self._metric)
        self._number += 1
        self._trial.report(value, self._number)
        self.best = value if self.best is None else (min if self._metric == "loss" else max)(value, self.best)
        self.out_of_time = time.monotonic() >= self._deadline
        if self.out_of_time or (self._pruning and self._trial.should_prune()):
            raise Pruned


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


def tell_of(number: int, wish: Wish, ended: Ended, values: dict[str, Any], *, trials: Trials, journal: Journal) -> None:
    """An event for a trial that ended."""
    with_values = ", ".join(f"{name}={_shown(value)}" for name, value in values.items())
    reached = f"{wish.metric}={_shown(ended.value)}" if ended.value is not None else "nothing"
    best = trials.best()
    ahead = f"; best so far {_shown(best.value)}" if best is not None else ""
    state = "" if ended.ending == "complete" else f" ({ended.ending.replace('_', ' ')})"
    journal.write(
        "message",
        f"Trial {number}/{wish.search.trials}{state}: {reached} with {with_values}{ahead}",
        trial={"number": number, "state": ended.ending, "value": ended.value, "params": values},
    )


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) and math.isfinite(value) else str(value)


def _found(wish: Wish, trials: Trials) -> Found:
    best = trials.best()
    if best is None or best.value is None:
        failed = [row["message"] for row in trials.table() if row["message"]]
        raise TuningFailed(
            "invalid_hyperparameters",
            f"None of {len(trials.ended())} trials could be finished. {failed[-1] if failed else ''}".strip(),
            param="tuning.search",
        )
    return Found(applied(wish.given, best.params), dict(best.params), float(best.value), wish.metric, trials.table())
