"""What a training's events say of the job itself: when it will be done, and what "auto" has become. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from zhuli.types.learning.fine_tuning import (
    DpoHyperparameters,
    DpoMethod,
    FineTuningRecord,
    Method,
    SupervisedHyperparameters,
    SupervisedMethod,
)
from zhuli.types.learning.tuning import TuningEvent

_SHOWN = ("batch_size", "n_epochs", "beta")


class Progress:
    """Of one attempt: a rate is measured from its own first step, for an earlier one was on another day."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def values(self, record: FineTuningRecord, events: Sequence[TuningEvent]) -> dict[str, Any]:
        """New values of the job's fields."""
        found: dict[str, Any] = {}
        for event in events:
            if event.kind == "metrics" and (finish := self._finish(event)) is not None:
                found["estimated_finish"] = finish
            if isinstance(options := event.data.get("hyperparameters"), Mapping):
                found |= _resolved(record, options)
        return found

    def _finish(self, event: TuningEvent) -> int | None:
        """In Unix seconds; None until two steps have been seen."""
        step, total = event.data.get("step"), event.data.get("total_steps")
        if not (isinstance(step, int) and isinstance(total, int)):
            return None
        if self._first is None or step <= self._first[0]:
            self._first = (step, event.at)
            return None
        before, at = self._first
        return int(event.at + (event.at - at) / (step - before) * max(0, total - step))


def _resolved(record: FineTuningRecord, options: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters of the original's, without "auto"."""
    known = {key: options[key] for key in _SHOWN if options.get(key) is not None}
    multiplier = options.get("learning_rate_multiplier", "auto")
    known["learning_rate_multiplier"] = 1.0 if multiplier == "auto" else multiplier
    if record.method.type == "dpo":
        pairs = DpoHyperparameters(**known)
        return {"hyperparameters": pairs, "method": Method(type="dpo", dpo=DpoMethod(hyperparameters=pairs))}
    known.pop("beta", None)
    single = SupervisedHyperparameters(**known)
    method = Method(type="supervised", supervised=SupervisedMethod(hyperparameters=single))
    return {"hyperparameters": single, "method": method}
