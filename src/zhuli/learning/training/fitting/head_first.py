"""Fine-tuning of a classifier that begins with a fitted head, so that its first steps do not spoil what the encoder knows.

The head is fitted to what the frozen encoder says, then everything learns (Kumar et al. 2022, "Fine-Tuning can Distort
Pretrained Features and Underperform Out-of-Distribution", LP-FT). The first part costs a third of one epoch.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zhuli.learning.training.control import Control
from zhuli.learning.training.event_log import EventLog
from zhuli.learning.training.fitting import checkpoints
from zhuli.learning.training.fitting.auto import for_a_head
from zhuli.learning.training.fitting.freezing import set_dropout, what_learns
from zhuli.learning.training.fitting.loop import fit
from zhuli.ports import Task
from zhuli.types.learning.example import Example
from zhuli.types.learning.hyperparameters import Hyperparameters


def fit_head_first(
    task: Task,
    model: Any,
    train: Sequence[Example],
    options: Hyperparameters,
    *,
    seed: int,
    event_log: EventLog,
    control: Control,
    folder: Path | None,
) -> None:
    """In place; what learns afterwards is what learned before. folder: where the training itself has its checkpoint.

    Not done again for a training that goes on from its checkpoint. May raise Stopped.
    """
    if folder is not None and (folder / checkpoints.FILE).exists():
        return
    event_log.write("message", "The head is fitted to what the base says; then the rest learns.")
    learning = [parameter.requires_grad for parameter in model.parameters()]
    of_head = options.model_copy(update={"trainable": "head", "early_stopping": "none", **for_a_head(len(train))})
    what_learns(model, of_head)
    set_dropout(model, float(of_head.dropout))
    quiet: Any = _Quiet()
    fit(task, model, train, [], of_head, seed=seed, event_log=quiet, control=control)
    set_dropout(model, float(options.dropout))
    for parameter, learns in zip(model.parameters(), learning, strict=True):
        parameter.requires_grad_(learns)


class _Quiet:
    """An event log that forgets: these steps are not those that are counted."""

    def write(self, *_: Any, **__: Any) -> None:
        """Nothing is kept."""
