"""Models as the child has them in memory: opened from their folders, asked in batches, the least recently used closed.

Encoders run on ONNX Runtime where their folder has a backbone for it, otherwise on torch, as everything else does.
"""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from zhuli import registry
from zhuli.neural import model_folder, onnx_backbone
from zhuli.neural.explaining import explain
from zhuli.ports import Task
from zhuli.types.example import BadExample, Example, Feature
from zhuli.types.tuning import TASK

BATCH = 16
"""Features that the model reads at once, of like length."""

_Stamp = tuple[int, int]


class OpenedModels:
    """At most `most` of them."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._opened: OrderedDict[tuple[Path, _Stamp], OpenedModel] = OrderedDict()

    def get(self, folder: Path) -> "OpenedModel":
        """The model that stands there now; FileNotFoundError when there is none."""
        stamp = (folder / TASK).stat()
        key = (folder, (stamp.st_ino, stamp.st_mtime_ns))
        if key not in self._opened:
            while len(self._opened) >= self._most:
                self._opened.popitem(last=False)
            self._opened[key] = OpenedModel(folder)
        self._opened.move_to_end(key)
        return self._opened[key]


class OpenedModel:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._task, self._model = _opened(folder)
        self._learner = None if onnx_backbone.put_in(self._model, folder) else self._model

    def answer(self, inputs: Sequence[Any], *, explain: bool) -> list[dict[str, Any]]:
        """For each input its output and how many tokens were read of it, or why the task can't take it."""
        asked = [self._asked(given) for given in inputs]
        examples = [example for example in asked if isinstance(example, Example)]
        answered = iter(self._answers(examples, explain=explain))
        return [next(answered) if isinstance(example, Example) else {"refused": example} for example in asked]

    def _asked(self, given: Any) -> Example | str:
        try:
            return self._task.ask(given)
        except BadExample as error:
            return str(error)

    def _answers(self, examples: list[Example], *, explain: bool) -> list[dict[str, Any]]:
        features = [self._task.features(example, learn=False) for example in examples]
        with torch.inference_mode():
            outputs = _outputs(self._task, self._model, features)
            predictions = self._task.predict(examples, features, outputs)
        answers = [
            {"output": prediction, "tokens": sum(len(row["input_ids"]) for row in rows)}
            for prediction, rows in zip(predictions, features, strict=True)
        ]
        if explain:
            for answer, example in zip(answers, examples, strict=True):
                answer["explanation"] = self._explanation(example)
        return answers

    def _explanation(self, example: Example) -> dict[str, Any]:
        """By torch, which has gradients; a model that runs on ONNX is opened a second time for it."""
        if self._learner is None:
            _, self._learner = _opened(self._folder)
        return explain(self._task, self._learner, self._folder, example)


def _opened(folder: Path) -> tuple[Task, Any]:
    about = model_folder.read(folder)
    task: Task = registry.find("tasks", about.task)(about.options, about.state)
    model = task.open(folder)
    model.eval()
    return task, model


def _outputs(task: Task, model: Any, features: Sequence[Sequence[Feature]]) -> list[list[Any]]:
    """What the model says to each example's features, which are batched by length over all examples."""
    places = [(example, row) for example, rows in enumerate(features) for row in range(len(rows))]
    places.sort(key=lambda place: len(features[place[0]][place[1]]["input_ids"]))
    outputs: list[list[Any]] = [[None] * len(rows) for rows in features]
    for start in range(0, len(places), BATCH):
        batch = places[start : start + BATCH]
        said = task.outputs(model, task.collate([features[example][row] for example, row in batch]))
        for (example, row), output in zip(batch, said, strict=True):
            outputs[example][row] = output
    return outputs
