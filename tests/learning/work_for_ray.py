"""What the tests of Ray give its workers to do, which import this module for themselves."""

from pathlib import Path
from typing import Any

import torch

from tests.learning.small_sentences import sentences
from tests.learning.small_task import SmallTask
from tests.learning.test_loop import chosen
from zhuli.learning.training.control import Control
from zhuli.learning.training.event_log import EventLog
from zhuli.learning.training.fitting.freezing import set_dropout
from zhuli.learning.training.fitting.loop import fit

Learned = tuple[dict[str, Any], list[float]]


def learn(base: Path, *, event_log: EventLog, control: Control) -> Learned:
    """The weights after two epochs, and the losses on the way; the last batch of an epoch is an odd one."""
    torch.set_num_threads(1)
    options = chosen(
        optimizer="sgd", learning_rate=0.1
    )  # AdamW makes steps of rounding errors where gradients are zero
    task = SmallTask(options, {})
    torch.manual_seed(1)
    train = sentences(43)
    model = task.begin(base, train)
    set_dropout(model, 0.0)
    fitted = fit(task, model, train, sentences(16), options, seed=1, event_log=event_log, control=control)
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}  # Ray hands no tensors back
    return weights, [entry["train_loss"] for entry in fitted.history]
