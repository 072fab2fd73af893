"""The rows of a data set: features, tokenised once, and the tensors of any batch of them."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zhuli.ports import Task
from zhuli.types.learning.example import Example, Feature


class Rows:
    """Rows that go through the whole model."""

    def __init__(self, task: Task, features: Sequence[Feature]) -> None:
        self._task = task
        self.features = features
        self.lengths = [len(feature["input_ids"]) for feature in features]

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, numbers: Sequence[int], *, device: torch.device) -> tuple[dict[str, Any], Tensor | None]:
        """The tensors of these rows, and what task.encode() says to them if that was kept."""
        return on(device, self._task.collate([self.features[number] for number in numbers])), None


def rows_of(task: Task, examples: Sequence[Example]) -> list[Feature]:
    """Everything that is learned from, in the examples' order."""
    return [feature for example in examples for feature in task.features(example, learn=True)]


def on(device: torch.device, batch: dict[str, Any]) -> dict[str, Any]:
    if device.type == "cpu":
        return batch
    return {name: value.to(device) if isinstance(value, Tensor) else value for name, value in batch.items()}
