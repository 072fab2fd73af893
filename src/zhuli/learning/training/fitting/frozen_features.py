"""What a frozen encoder says to every row, computed once, so that an epoch over the head takes a second.

Dropout inside the encoder is off meanwhile; the head keeps its own.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zhuli.learning.training.batching.batches import by_length
from zhuli.learning.training.batching.rows import Rows, on
from zhuli.learning.training.control import Control
from zhuli.ports import Task
from zhuli.types.learning.example import Feature

READ_BY_ENCODERS = ("input_ids", "attention_mask", "token_type_ids", "position_ids")
READING_BATCH = 32


class FrozenRows(Rows):
    """Rows of which only the head is computed. hidden: of each row, [width] or [tokens, width]."""

    def __init__(self, task: Task, features: Sequence[Feature], hidden: Sequence[Tensor]) -> None:
        super().__init__(task, features)
        self._pooled = torch.stack(list(hidden)) if hidden and hidden[0].ndim == 1 else None
        self._hidden = hidden
        self._collated = self._whole() if self._pooled is not None else None

    def batch(self, numbers: Sequence[int], *, device: torch.device) -> tuple[dict[str, Any], Tensor | None]:
        if self._pooled is not None and self._collated is not None:
            chosen = torch.tensor(numbers)
            return on(device, {name: t[chosen] for name, t in self._collated.items()}), self._pooled[chosen].to(device)
        batch, _ = super().batch(numbers, device=device)
        padded = torch.nn.utils.rnn.pad_sequence([self._hidden[number] for number in numbers], batch_first=True)
        return batch, padded.to(device)

    def _whole(self) -> dict[str, Tensor]:
        """All rows collated once; what only the encoder reads is left away, which is nearly all of it."""
        parts = [self._task.collate(self.features[start : start + 256]) for start in range(0, len(self), 256)]
        names = [name for name in parts[0] if name not in READ_BY_ENCODERS]
        return {name: torch.cat([part[name] for part in parts]) for name in names}


def frozen_rows(task: Task, model: Any, features: Sequence[Feature], *, device: torch.device, control: Control) -> Rows:
    """Read every row once, in batches of like length; may raise Stopped, as it can be done again."""
    plain = Rows(task, features)
    hidden: list[Tensor] = [torch.empty(0)] * len(plain)
    model.eval()
    for numbers in by_length(plain.lengths, READING_BATCH):
        control.check()
        batch, _ = plain.batch(numbers, device=device)
        with torch.no_grad():
            read = task.encode(model, batch).float().cpu()
        for number, row in zip(numbers, read, strict=True):
            hidden[number] = (row if row.ndim == 1 else row[: plain.lengths[number]]).clone()
    return FrozenRows(task, features, hidden)
