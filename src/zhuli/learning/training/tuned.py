"""A tuned model opened from its folder, and how any model answers examples: in batches of like length, without gradients.

Shared by evaluation, the prediction child and the Python API. Explaining is neural.attributions'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from zhuli import registry
from zhuli.learning.neural import model_folder
from zhuli.learning.training.batching.batches import by_length
from zhuli.learning.training.batching.rows import on
from zhuli.learning.training.control import Control
from zhuli.learning.training.precision import device
from zhuli.ports import Task
from zhuli.types.learning.example import Example, Feature, Prediction


@dataclass(frozen=True)
class Tuned:
    """A model that answers. language: of the data that it was tuned on, if that was known."""

    task: Task
    model: Any
    language: str | None

    def predict(self, inputs: Sequence[Any], *, batch_size: int = 16) -> list[Prediction]:
        """Answers in the order of the inputs; BadExample says what is wrong with an input."""
        return self.prediction_of([self.task.ask(given) for given in inputs], batch_size=batch_size)

    def prediction_of(self, examples: Sequence[Example], *, batch_size: int = 16) -> list[Prediction]:
        """An answer for each example, in order. batch_size: rows at once."""
        return answers(self.task, self.model, examples, batch_size=batch_size)


def open_tuned(folder: Path) -> Tuned:
    """The model that a tuning left in `folder`; ConfigurationError if there is none."""
    found = model_folder.read(folder)
    task: Task = registry.find("tasks", found.task)(found.options, found.state)
    model = task.open(folder)
    model.to(device()).eval()
    return Tuned(task, model, found.language)


def answers(
    task: Task, model: Any, examples: Sequence[Example], *, batch_size: int, control: Control | None = None
) -> list[Prediction]:
    """What the model predicts for each example. With `control`, Stopped is raised between batches."""
    features = [task.features(example, learn=False) for example in examples]
    said = outputs_of(task, model, features, batch_size=batch_size, control=control)
    return task.predict(examples, features, said)


def outputs_of(
    task: Task, model: Any, features: Sequence[Sequence[Feature]], *, batch_size: int, control: Control | None = None
) -> list[list[Any]]:
    """What the model says to each example's features."""
    flat = [feature for rows in features for feature in rows]
    said: list[Any] = [None] * len(flat)
    where = next(model.parameters()).device
    model.eval()
    with torch.inference_mode():
        for numbers in by_length([len(feature["input_ids"]) for feature in flat], batch_size):
            if control is not None:
                control.check()
            batch = on(where, task.collate([flat[number] for number in numbers]))
            for number, output in zip(numbers, task.outputs(model, batch), strict=True):
                said[number] = output
    outputs = iter(said)
    return [[next(outputs) for _ in rows] for rows in features]
