"""Where a training stands: everything that changes from step to step, apart from the weights and the optimizer.

Pure bookkeeping: which step, what was measured, whether the best is behind us, whether the loss has exploded.
"""

import json
import math
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from zhuli.learning.training.failures import Diverged
from zhuli.types.learning.example import Metrics

FIRST_STEPS = 5
SMOOTHING = 0.9
EXPLODED = 3.0
"""The smoothed loss may not pass three times that of the first steps, and 1: a model that learns never comes near."""


@dataclass
class TrainingState:
    """plan: what must be the same for a checkpoint to fit. evaluated: the last step after which was evaluated."""

    plan: str
    step: int = 0
    evaluated: int = 0
    tokens: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    first_loss: float = 0.0
    smoothed_loss: float = 0.0
    best: Metrics | None = None
    best_value: float = -math.inf
    best_weights: dict[str, Tensor] | None = None
    without_progress: int = 0
    stopped_early: bool = False

    def stepped(self, *, loss: float, accuracy: float, rate: float, tokens: int) -> None:
        """Note a step; Diverged if its loss is no number, or the loss has been far too high for a while."""
        self.step += 1
        self.tokens += tokens
        if not math.isfinite(loss):
            raise Diverged(f"The loss is no number any more at step {self.step}. {_what_to_try(rate)}")
        if self.step <= FIRST_STEPS:
            self.first_loss += (loss - self.first_loss) / self.step
            self.smoothed_loss = self.first_loss
        self.smoothed_loss = SMOOTHING * self.smoothed_loss + (1 - SMOOTHING) * loss
        if self.smoothed_loss > EXPLODED * self.first_loss + 1:
            raise Diverged(
                f"The loss has risen from {self.first_loss:.3g} to {self.smoothed_loss:.3g} at step {self.step}. "
                f"{_what_to_try(rate)}"
            )
        self.history.append({"step": self.step, "train_loss": loss, "train_accuracy": accuracy, "learning_rate": rate})

    def measured(self, metrics: Metrics, value: float) -> bool:
        """Note an evaluation; whether it is the best so far by `value`, of which more is better."""
        plain = json.loads(json.dumps(metrics, default=float))
        numbers = {name: number for name, number in plain.items() if isinstance(number, int | float)}
        self.history[-1].update(numbers)
        if self.best is None or value > self.best_value:
            self.best, self.best_value, self.without_progress = plain, value, 0
            return True
        self.without_progress += 1
        return False


def _what_to_try(rate: float) -> str:
    return (
        f"Try a smaller learning_rate than {rate:.2g} (a tenth of it), more warmup_ratio, or a smaller max_grad_norm; "
        "and look for wrong labels or empty texts in the data."
    )
