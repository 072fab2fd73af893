"""The sentence vectors that a model makes anyway, taken on their way to its head: watching traffic costs no second encoder."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import torch

from zhuli.learning.training.batching.batches import by_length
from zhuli.types.learning.example import Feature


class HeadInputs:
    """What `model.head` reads while it is open; nothing for models without a head."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._read: list[torch.Tensor] = []
        self._hook: Any = None

    def __enter__(self) -> "HeadInputs":
        if isinstance(getattr(self._model, "head", None), torch.nn.Module):
            self._hook = self._model.head.register_forward_pre_hook(lambda _, given: self._read.append(given[0]))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._hook is not None:
            self._hook.remove()

    def of(self, features: Sequence[Sequence[Feature]], *, batch_size: int) -> list[bytes] | None:
        """A vector of each example as half floats, little-endian; None where examples have other than one each.

        features, batch_size: what outputs_of() was given: batches are of like length, so rows came in another order.
        """
        if not self._read or any(read.ndim != 2 for read in self._read) or any(len(rows) != 1 for rows in features):
            return None
        rows = torch.cat(self._read).to(torch.float16).cpu().numpy().astype("<f2")
        order = [
            place
            for batch in by_length([len(each[0]["input_ids"]) for each in features], batch_size)
            for place in batch
        ]
        if len(order) != len(rows):
            return None
        found = [b""] * len(order)
        for place, row in zip(order, rows, strict=True):
            found[place] = row.tobytes()
        return found
