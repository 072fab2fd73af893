"""Models as the child has them in memory: opened from their folders, asked in batches, the least recently used closed.

Encoders run on ONNX Runtime where their folder has a backbone for it, otherwise on torch, as everything else does.
"""

from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from zhuli.learning.neural import model_folder
from zhuli.learning.neural.onnx import onnx_backbone
from zhuli.learning.predicting.head_inputs import HeadInputs
from zhuli.learning.training.data.field_names import named
from zhuli.learning.training.data.shapes import shaped
from zhuli.learning.training.tuned import Tuned, open_tuned, outputs_of
from zhuli.ports import JudgingTask
from zhuli.types.learning.example import BadExample, Example, Record
from zhuli.types.learning.tuning import TASK

_AT_ONCE = 16
"""Rows that a model reads at once."""

_Stamp = tuple[int, int]


class OpenedModels:
    """At most `most` of them."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._opened: OrderedDict[Path, tuple[_Stamp, OpenedModel]] = OrderedDict()

    def get(self, folder: Path) -> "OpenedModel":
        """The model that stands there now; FileNotFoundError when there is none."""
        stamp, model = self._opened.pop(folder, (None, None))
        found = (folder / TASK).stat()
        if model is None or stamp != (found.st_ino, found.st_mtime_ns):
            while len(self._opened) >= self._most:
                self._opened.popitem(last=False)
            model = OpenedModel(folder)
        self._opened[folder] = ((found.st_ino, found.st_mtime_ns), model)
        return model


class OpenedModel:
    """A tuned model in memory, on ONNX Runtime where its folder has that, and opened in torch only to explain."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tuned = open_tuned(folder)
        self._name = model_folder.read(folder).task
        self._with_gradients: Tuned | None = None if _on_onnx(self._tuned, folder) else self._tuned

    def answer(self, inputs: Sequence[Any], *, explain: bool, judge: bool = False) -> list[dict[str, Any]]:
        """For each input its output, the tokens read of it and its vector if it has one, or why the task can't take it.

        judge: inputs are records as data files have them; beside each output stands how right it is.
        """
        if judge and not isinstance(self._tuned.task, JudgingTask):
            why = f"answers of {self._name} can't be judged one by one; compare two models of it with /v1/evals."
            return [{"refused": why} for _ in inputs]
        read = self._recorded if judge else self._tuned.task.ask
        asked = [_or_why(read, given) for given in inputs]
        examples = [example for example in asked if isinstance(example, Example)]
        answers = self._answers(examples, explain=explain)
        if judge:
            self._judge(examples, answers)
        answered = iter(answers)
        return [next(answered) if isinstance(example, Example) else {"refused": example} for example in asked]

    def _recorded(self, given: dict[str, Any]) -> Example:
        """Fields under the names that people give them, as in data files."""
        return self._tuned.task.read(Record(0, shaped(named(given, {}, self._name), self._name, {})))

    def _judge(self, examples: Sequence[Example], answers: Sequence[dict[str, Any]]) -> None:
        task = self._tuned.task
        assert isinstance(task, JudgingTask)
        for example, answer in zip(examples, answers, strict=True):
            judgement = task.judge(example, answer["output"])
            answer["judged"] = {
                "text": task.text_of(example),
                "labels": task.labels_of(example),
                "part": judgement.part,
                "whole": judgement.whole,
            }

    def _answers(self, examples: list[Example], *, explain: bool) -> list[dict[str, Any]]:
        task, model = self._tuned.task, self._tuned.model
        features = [task.features(example, learn=False) for example in examples]
        with HeadInputs(model) as read:
            said = outputs_of(task, model, features, batch_size=_AT_ONCE)
        outputs = task.predict(examples, features, said)
        answers: list[dict[str, Any]] = [
            {"output": output, "tokens": sum(len(row["input_ids"]) for row in rows)}
            for output, rows in zip(outputs, features, strict=True)
        ]
        for answer, vector in zip(answers, read.of(features, batch_size=_AT_ONCE) or (), strict=False):
            answer["vector"] = b64encode(vector).decode()
        if explain:
            for answer, example in zip(answers, examples, strict=True):
                answer["explanation"] = self._explanation(example)
        return answers

    def _explanation(self, example: Example) -> dict[str, Any]:
        """By torch, which has gradients; a model that runs on ONNX is opened a second time for it."""
        from zhuli.learning.neural.explaining.explanations import explain  # captum takes a second, and is for few

        if self._with_gradients is None:
            self._with_gradients = open_tuned(self._folder)
        tuned = self._with_gradients
        explanation: dict[str, Any] = explain(tuned.task, tuned.model, self._folder, example)
        return explanation


def _or_why(read: Callable[[Any], Example], given: Any) -> Example | str:
    try:
        return read(given)
    except BadExample as error:
        return str(error)


def _on_onnx(tuned: Tuned, folder: Path) -> bool:
    """ONNX Runtime is for the processor; a graphics card has the model already."""
    return not torch.cuda.is_available() and onnx_backbone.put_in(tuned.model, folder)
