"""Make a trained classifier's confidence honest: find its temperature on validation data and let the task keep it.

For tasks that give every input one row of logits and one answer, or a 0 or 1 for each; others have no such thing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from zhuli.ports import Task
from zhuli.training.batches import by_length
from zhuli.training.calibration import calibrated
from zhuli.training.control import Control
from zhuli.training.rows import on
from zhuli.types.example import Example

TEMPERATURE = "temperature"
FEWEST = 30
"""Validation examples; with fewer a temperature would say more of them than of the model."""

BATCH = 32


def calibrate(task: Task, model: Any, validation: Sequence[Example], *, control: Control) -> dict[str, Any] | None:
    """Set task.state["temperature"]; gives what calibration.calibrated() says, None where it does not apply."""
    if task.generates or TEMPERATURE not in task.state or len(validation) < FEWEST:
        return None
    features = [row for example in validation for row in task.features(example, learn=True)]
    logits: list[Any] = [None] * len(features)
    where = next(model.parameters()).device
    model.eval()
    with torch.inference_mode():
        for numbers in by_length([len(feature["input_ids"]) for feature in features], BATCH):
            control.check()
            batch = on(where, task.collate([features[number] for number in numbers]))
            for number, output in zip(numbers, task.outputs(model, batch), strict=True):
                logits[number] = output
    found = calibrated(np.asarray(logits), np.asarray([feature["labels"] for feature in features]))
    task.state[TEMPERATURE] = found[TEMPERATURE]
    return found
