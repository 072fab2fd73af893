"""What a trained model must still learn about itself from validation data: how sure to be, and from which score on to say yes.

Temperatures are for tasks that give an input one row of logits and one answer, or a 0 or 1 for each; thresholds for those
that have a choose_threshold().
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zhuli.learning.training.control import Control
from zhuli.learning.training.tuned import outputs_of
from zhuli.ports import Task
from zhuli.types.learning.example import Example

TEMPERATURE = "temperature"
FEWEST = 30
"""Validation examples; with fewer, what is found would say more of them than of the model."""

BATCH = 32


def calibrate(task: Task, model: Any, validation: Sequence[Example], *, control: Control) -> dict[str, Any] | None:
    """Set what the task's state keeps of it; gives what calibration.calibrated() says, None where it does not apply."""
    choose = getattr(task, "choose_threshold", None)
    tempered = TEMPERATURE in task.state
    if task.generates or len(validation) < FEWEST or not (tempered or choose):
        return None
    from zhuli.learning.training.evaluating.calibration import calibrated  # scipy takes a second

    features = [task.features(example, learn=False) for example in validation]
    said = outputs_of(task, model, features, batch_size=BATCH, control=control)
    found = None
    if tempered:
        labels = [task.features(example, learn=True)[0]["labels"] for example in validation]
        found = calibrated(np.asarray([rows[0] for rows in said]), np.asarray(labels))
        task.state[TEMPERATURE] = found[TEMPERATURE]
    if choose is not None:
        choose(validation, features, said)
    return found
