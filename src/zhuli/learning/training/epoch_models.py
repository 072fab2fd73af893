"""Models of the last three epochs, which answer as the finished one does: the API's checkpoints."""

import shutil
from pathlib import Path
from typing import Any

from zhuli.learning.training.event_log import EventLog, events
from zhuli.learning.training.finished_model import serve_checkpoint, write_checkpoint
from zhuli.learning.training.plan import CHECKPOINTS, Plan
from zhuli.ports import Task
from zhuli.types.learning.example import Metrics
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import MODEL

KEPT = 3


class Writer:
    """Writes a model an epoch and throws older ones away; heads on cached features learn too fast to be worth it."""

    def __init__(self, todo: Plan, options: Hyperparameters, event_log: EventLog) -> None:
        self._todo, self._options, self._event_log = todo, options, event_log
        self._folder = todo.folder / CHECKPOINTS
        self._told = {event.data["step"] for event in events(todo.folder) if event.kind == "checkpoint"}

    def write(self, task: Task, model: Any, step: int, metrics: Metrics) -> None:
        """At the end of an epoch. Again after a crash: the folder is made anew, and told of once."""
        if self._options.trainable == "head":
            return
        place = self._folder / f"step-{step}" / MODEL
        write_checkpoint(place, self._todo, task, model, self._options)
        if step not in self._told:
            self._told.add(step)
            path = str(place.relative_to(self._todo.folder))
            self._event_log.write(
                "checkpoint", f"Checkpoint created at step {step}", step=step, path=path, metrics=metrics
            )
        for old in _written(self._todo)[:-KEPT]:
            shutil.rmtree(old)


def serve(todo: Plan, task: Task) -> None:
    """When training is over: what an engine needs of those that are kept."""
    for folder in _written(todo):
        if (folder / MODEL).is_dir():
            serve_checkpoint(folder / MODEL, todo, task)


def _written(todo: Plan) -> list[Path]:
    """Oldest first."""
    found = (todo.folder / CHECKPOINTS).glob("step-*")
    return sorted(found, key=lambda folder: int(folder.name.removeprefix("step-")))
