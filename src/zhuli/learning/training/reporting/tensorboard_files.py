"""TensorBoard's files in a tuning's folder, written by listening to its event log: `tensorboard --logdir FOLDER`."""

from pathlib import Path
from typing import Any

from zhuli.types.learning.tuning import TuningEvent

FOLDER = "tensorboard"
NOT_CURVES = ("step", "total_steps", "seconds_left")


class TensorBoard:
    """A listener of an EventLog; makes nothing before the first metrics come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._writer: Any = None

    def __call__(self, event: TuningEvent) -> None:
        if event.kind != "metrics" or "step" not in event.data:
            return
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter  # takes a second, and many tunings are only checked

            self._writer = SummaryWriter(self._folder)
        for name, value in event.data.items():
            if name not in NOT_CURVES and isinstance(value, int | float):
                self._writer.add_scalar(name, value, event.data["step"], walltime=event.at)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
