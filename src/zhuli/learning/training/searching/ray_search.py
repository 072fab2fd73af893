"""The trials of a search at once, on Ray: Ray Tune runs them and stops what falls behind, Optuna proposes them.

Trials are asked and told in trials, so that a search may begin here and go on one by one, and the other way round.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zhuli.learning.training.control import Control, Stopped
from zhuli.learning.training.distributed.ray_cluster import LOCAL, cluster, control_of, parent
from zhuli.learning.training.event_log import EventLog
from zhuli.learning.training.failures import TuningFailed, known
from zhuli.learning.training.searching.requested import (
    OF_THE_TRIAL,
    Attempt,
    SearchRequest,
    measured,
    tell_of,
    value_of,
)
from zhuli.learning.training.searching.space import applied
from zhuli.learning.training.searching.trials import STARTUP, Ended, Trials
from zhuli.types.learning.example import Metrics

from ray import tune  # isort: skip  (behind ray_cluster, which sets Ray's environment)
from ray.tune.schedulers import FIFOScheduler, MedianStoppingRule, TrialScheduler  # isort: skip
from ray.tune.search import Searcher  # isort: skip

VALUE, ENDING, MESSAGE, NUMBER = "value", "ending", "message", "number"
STOPPED = "stopped"


def run_at_once(
    request: SearchRequest, trials: Trials, attempt: Attempt, *, event_log: EventLog, control: Control
) -> None:
    """`parallel` trials at a time, until the trials or the minutes are spent. Raises Stopped and TuningFailed."""
    left = request.search.trials - len(trials.ended())
    seconds = 60 * request.search.minutes - trials.seconds() / request.search.parallel
    if left <= 0 or seconds <= 0:
        return
    at_once = min(request.search.parallel, left)
    searcher = _Searcher(request, trials, deadline=time.monotonic() + seconds, event_log=event_log, control=control)
    with (
        cluster(LOCAL, processes=at_once),
        parent(trials.folder, event_log=None, control=control),
    ):
        tuner = tune.Tuner(
            tune.with_parameters(_trial, request=request, attempt=attempt, folder=str(trials.folder)),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=_scheduler(request, mode=searcher.mode),
                num_samples=left,
                max_concurrent_trials=at_once,
                time_budget_s=seconds,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(name="ray", storage_path=str(trials.folder), verbose=0),
        )
        tuner.fit()
    control.check()
    if searcher.failure is not None:
        raise searcher.failure


class _Searcher(Searcher):
    """Ray Tune's door to our trials."""

    def __init__(
        self, request: SearchRequest, trials: Trials, *, deadline: float, event_log: EventLog, control: Control
    ) -> None:
        super().__init__(metric=VALUE, mode="min" if trials.direction == "minimize" else "max")
        self._request, self._trials, self._deadline = request, trials, deadline
        self._event_log, self._control = event_log, control
        self._asked: dict[str, Any] = {}
        self._best: dict[str, float] = {}
        self._told: dict[str, int] = {}
        self.failure: TuningFailed | None = None

    def suggest(self, trial_id: str) -> Any:
        if self._control.wanted is not None or self.failure is not None:
            return Searcher.FINISHED
        trial = self._asked[trial_id] = self._trials.ask()
        return {NUMBER: trial.number, "values": trial.params}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        at = result["training_iteration"]
        if math.isfinite(result[VALUE]) and not result.get(ENDING) and at > self._told.get(trial_id, 0):
            self._told[trial_id] = at  # Ray may tell the same twice
            self._asked[trial_id].report(result[VALUE], at)
            better = min if self.mode == "min" else max
            self._best[trial_id] = better(result[VALUE], self._best.get(trial_id, result[VALUE]))

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        trial = self._asked.pop(trial_id, None)
        ended = self._ended(trial_id, result or {}, error=error)
        if trial is None:
            return
        if ended is None:
            self._trials.cut_off(trial)
            return
        self._trials.tell(trial, ended)
        number = len(self._trials.ended())
        self._trials.write_table(self._trials.folder.parent)
        tell_of(number, self._request, ended, trial.params, trials=self._trials, event_log=self._event_log)

    def _ended(self, trial_id: str, result: dict[str, Any], *, error: bool) -> Ended | None:
        """None for a trial that does not count."""
        ending, best = result.get(ENDING), self._best.get(trial_id)
        if ending == "complete":
            return Ended("complete", result[VALUE])
        if ending == "failed":
            return Ended("failed", message=result[MESSAGE])
        if error or ending:
            if ending != STOPPED:
                self.failure = TuningFailed("server_error", result.get(MESSAGE) or "A trial's process failed.")
            return None
        if best is None:
            return None
        return Ended("out_of_time" if time.monotonic() >= self._deadline else "pruned", best)

    def __getstate__(self) -> dict[str, Any]:
        """Ray keeps searchers to restore them; what is to be kept of this one is in the trials' file."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Likewise."""

    def restore(self, checkpoint_path: str) -> None:
        """Likewise."""


def _scheduler(request: SearchRequest, *, mode: str) -> TrialScheduler:
    """The rule of the search in turn: behind the median of those that were as far."""
    if not request.search.pruning:
        return FIFOScheduler()  # type: ignore[no-untyped-call]
    return MedianStoppingRule(
        time_attr="training_iteration", metric=VALUE, mode=mode, grace_period=1, min_samples_required=STARTUP
    )


def _trial(config: dict[str, Any], *, request: SearchRequest, attempt: Attempt, folder: str) -> None:
    """In a process of Ray's: one trial. How it ended is its last report, for exceptions do not always travel."""
    place = Path(folder) / f"trial-{config[NUMBER]}"
    place.mkdir(exist_ok=True)
    worst = math.inf if request.metric == "loss" else -math.inf
    with control_of(Path(folder)) as control:
        try:
            options = applied(request.given, config["values"])
            metrics = attempt(options, folder=place, report=_reporter(request), control=control)
            tune.report({VALUE: value_of(metrics, request.metric), ENDING: "complete"})
        except Stopped:
            tune.report({VALUE: worst, ENDING: STOPPED})
        except Exception as error:
            failure = known(error)
            if failure is None:
                raise
            ending = "failed" if failure.code in OF_THE_TRIAL else failure.code
            tune.report({VALUE: worst, ENDING: ending, MESSAGE: failure.message})


def _reporter(request: SearchRequest) -> Callable[[int, Metrics], None]:
    def report(step: int, metrics: Metrics) -> None:
        if measured(metrics, request.metric):
            tune.report({VALUE: value_of(metrics, request.metric)})

    return report
