"""Search for the hyperparameters with which a tuning does best on validation data, within a number of trials and minutes.

Optuna proposes and prunes. The best hyperparameters are given back; the tuning then trains with them to the end. Trials at
once are ray_search's matter.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import Trial

from zhuli.core.errors import InvalidRequest
from zhuli.learning.training.control import Control
from zhuli.learning.training.event_log import EventLog
from zhuli.learning.training.failures import TuningFailed
from zhuli.learning.training.searching.pruning import Pruned
from zhuli.learning.training.searching.requested import (
    OF_THE_TRIAL,
    Attempt,
    SearchRequest,
    measured,
    tell_of,
    value_of,
)
from zhuli.learning.training.searching.space import applied, space_of
from zhuli.learning.training.searching.trials import Ended, Trials
from zhuli.types.learning.example import Metrics
from zhuli.types.learning.hyperparameters import Hyperparameters, Search, TaskName


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


def search(
    wanted: Search,
    given: Hyperparameters,
    attempt: Attempt,
    *,
    task: TaskName,
    metric: str,
    folder: Path,
    seed: int,
    event_log: EventLog,
    control: Control,
) -> Found:
    """Try until the trials or the minutes are spent. `metric` is the task's, for "auto".

    Finished trials in `folder` count. Raises TuningFailed when no trial succeeds or the space is wrong, and Stopped.
    """
    try:
        space = space_of(wanted, given, task=task)
    except InvalidRequest as error:
        raise TuningFailed("invalid_hyperparameters", error.message, param=error.param) from error
    request = SearchRequest(wanted, given, space, metric if wanted.metric == "auto" else wanted.metric, seed)
    trials = Trials(folder, space, metric=request.metric, seed=seed)
    if wanted.parallel > 1:
        from zhuli.learning.training.searching.ray_search import run_at_once  # Ray takes seconds and is for few

        run_at_once(request, trials, attempt, event_log=event_log, control=control)
    else:
        _run_in_turn(request, trials, attempt, event_log=event_log, control=control)
    trials.write_table(folder)
    return _found(request, trials)


def _run_in_turn(
    request: SearchRequest, trials: Trials, attempt: Attempt, *, event_log: EventLog, control: Control
) -> None:
    spent, started = trials.seconds(), time.monotonic()
    deadline = started + 60 * request.search.minutes - spent
    while (number := len(trials.ended()) + 1) <= request.search.trials:
        control.check()
        if number > 1 and time.monotonic() >= deadline:
            event_log.write("message", f"The time for the search is over after {number - 1} trials.")
            return
        trial = trials.ask()
        watch = Watch(trial, metric=request.metric, deadline=deadline, pruning=request.search.pruning)
        ended = _tried(request, trials, trial, attempt, watch, control=control)
        trials.tell(trial, ended)
        trials.write_table(trials.folder.parent)
        tell_of(number, request, ended, trial.params, trials=trials, event_log=event_log)


def _tried(
    request: SearchRequest, trials: Trials, trial: Trial, attempt: Attempt, watch: "Watch", *, control: Control
) -> Ended:
    place = trials.folder / f"trial-{trial.number}"
    place.mkdir(exist_ok=True)
    try:
        metrics = attempt(applied(request.given, trial.params), folder=place, report=watch, control=control)
    except Pruned:
        return Ended("out_of_time" if watch.out_of_time else "pruned", watch.best)
    except TuningFailed as error:
        if error.code not in OF_THE_TRIAL:
            raise
        return Ended("failed", message=error.message)
    return Ended("complete", value_of(metrics, request.metric))


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


def _found(request: SearchRequest, trials: Trials) -> Found:
    best = trials.best()
    if best is None or best.value is None:
        failed = [row["message"] for row in trials.table() if row["message"]]
        raise TuningFailed(
            "invalid_hyperparameters",
            f"None of {len(trials.ended())} trials could be finished. {failed[-1] if failed else ''}".strip(),
            param="tuning.search",
        )
    return Found(
        applied(request.given, best.params), dict(best.params), float(best.value), request.metric, trials.table()
    )
