"""The trials of a search, kept in its folder by Optuna: asked for, told, listed. A killed search goes on with them.

What a trial does is search's matter, and ray_search's.
"""

import csv
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from zhuli.learning.training.searching.space import Choices, Range, Space

NAME = "search"
FOLDER = "search"
TABLE = "trials.csv"
STARTUP = 5
"""Trials drawn at random before the sampler trusts what it saw, and before any is pruned."""

Ending = Literal["complete", "pruned", "out_of_time", "failed"]
_ENDING = "ending"
_MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a trial ended. value: the best it reached, None if it failed before it was measured."""

    ending: Ending
    value: float | None = None
    message: str = ""


class Trials:
    """A search's trials on the disk. `metric` is "loss", of which less is better, or one of which more is."""

    def __init__(self, folder: Path, space: Space, *, metric: str, seed: int) -> None:
        self.folder = folder / FOLDER
        self.folder.mkdir(parents=True, exist_ok=True)
        self.space, self.metric, self.seed = space, metric, seed
        self.direction: Literal["minimize", "maximize"] = "minimize" if metric == "loss" else "maximize"
        self.storage = JournalStorage(JournalFileBackend(str(_mended(self.folder / "trials.log"))))
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.study = optuna.create_study(
            storage=self.storage,
            study_name=NAME,
            direction=self.direction,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP),
            load_if_exists=True,
        )
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING, TrialState.WAITING)):
            self.study.tell(trial.number, state=TrialState.FAIL)

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        return {name: _distribution(dimension) for name, dimension in self.space.items()}

    @property
    def usual(self) -> dict[str, Any]:
        """What the first trial takes: what would be taken without a search. {} where the space has no such values."""
        usual = {name: dimension.usual for name, dimension in self.space.items()}
        return {} if None in usual.values() else usual

    def ask(self) -> Trial:
        """The next trial, by the tree-structured Parzen estimator (Bergstra et al. 2011).

        What it is follows from the seed and the trials before it, also when the search was killed in between.
        """
        begun = len(self.ended()) + len(self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))
        self.study.sampler = optuna.samplers.TPESampler(seed=self.seed * 1009 + begun, n_startup_trials=STARTUP)
        if begun == 0 and self.usual:
            self.study.enqueue_trial(self.usual)
        return self.study.ask(self.distributions)

    def tell(self, trial: Trial, ended: Ended) -> None:
        trial.set_user_attr(_ENDING, ended.ending)
        trial.set_user_attr(_MESSAGE, ended.message)
        if ended.value is None or not math.isfinite(ended.value):
            self.study.tell(trial, state=TrialState.FAIL)
        elif ended.ending == "pruned":
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, ended.value)

    def cut_off(self, trial: Trial) -> None:
        """The search was stopped in the middle of it: it does not count."""
        self.study.tell(trial, state=TrialState.FAIL)

    def ended(self) -> list[FrozenTrial]:
        """Those that count: all but what was cut off when the search was stopped or killed."""
        states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
        found = self.study.get_trials(deepcopy=False, states=states)
        return [trial for trial in found if trial.state != TrialState.FAIL or _ENDING in trial.user_attrs]

    def seconds(self) -> float:
        """How long they took, one after another."""
        return sum(trial.duration.total_seconds() for trial in self.ended() if trial.duration)

    def best(self) -> FrozenTrial | None:
        """The best complete one, the first of equals."""
        complete = [trial for trial in self.ended() if trial.state == TrialState.COMPLETE]
        if not complete:
            return None
        return (min if self.direction == "minimize" else max)(complete, key=_value)

    def table(self) -> list[dict[str, Any]]:
        """A row a trial: number, state (an Ending), value, seconds, params, message."""
        return [_row(number, trial) for number, trial in enumerate(self.ended(), 1)]

    def write_table(self, place: Path) -> None:
        """trials.csv, for people and spreadsheets."""
        columns = ["number", "state", "value", "seconds", *self.space, "message"]
        with (place / TABLE).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            for row in self.table():
                writer.writerow(_flat(row, columns))


def _flat(row: Mapping[str, Any], columns: list[str]) -> dict[str, Any]:
    cells = {**row, **row["params"]}
    return {name: cells.get(name) for name in columns}


def _row(number: int, trial: FrozenTrial) -> dict[str, Any]:
    return {
        "number": number,
        "state": trial.user_attrs.get(_ENDING, "complete"),
        "value": _value(trial) if trial.state != TrialState.FAIL else None,
        "seconds": round(trial.duration.total_seconds(), 1) if trial.duration else None,
        "params": dict(trial.params),
        "message": trial.user_attrs.get(_MESSAGE, ""),
    }


def _value(trial: FrozenTrial) -> float:
    return float(trial.value) if trial.value is not None else math.nan


def _distribution(dimension: Choices | Range) -> BaseDistribution:
    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.values)
    if dimension.whole:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _mended(path: Path) -> Path:
    """A process that died while it wrote may have left half a line, and its lock; only one process has the folder."""
    Path(f"{path}.lock").unlink(missing_ok=True)
    if path.exists():
        data = path.read_bytes()
        os.truncate(path, data.rfind(b"\n") + 1)
    return path
