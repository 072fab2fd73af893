"""Rows of token numbers, padded to tensors."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zhuli.types.learning.example import Feature

IGNORED = -100
"""A target that torch's cross entropy leaves out."""


def padded(features: Sequence[Feature], *, padding: int) -> dict[str, Any]:
    """input_ids, attention_mask and, where rows have them, token_type_ids: rows × the longest row's tokens."""
    rows = [feature["input_ids"] for feature in features]
    longest = max(map(len, rows))
    batch = {
        "input_ids": filled(rows, padding, longest),
        "attention_mask": filled([[1] * len(row) for row in rows], 0, longest),
    }
    if "token_type_ids" in features[0]:
        batch["token_type_ids"] = filled([feature["token_type_ids"] for feature in features], 0, longest)
    return batch


def filled(rows: Sequence[Sequence[int]], filling: int, length: int) -> Tensor:
    """rows × length."""
    return torch.tensor([[*row, *[filling] * (length - len(row))] for row in rows], dtype=torch.long)
