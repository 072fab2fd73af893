"""Rows of tokens as rectangular tensors."""

from collections.abc import Sequence

import torch
from torch import Tensor


def padded(rows: Sequence[Sequence[int]], filler: int, *, left: bool = False) -> Tensor:
    """Rows × the longest one's length."""
    longest = max(map(len, rows), default=0)
    filled = [
        [*[filler] * (longest - len(row)), *row] if left else [*row, *[filler] * (longest - len(row))] for row in rows
    ]
    return torch.tensor(filled, dtype=torch.long).reshape(len(rows), longest)


def mask(rows: Sequence[Sequence[int]], *, left: bool = False) -> Tensor:
    """1 where padded() has a token of a row."""
    return padded([[1] * len(row) for row in rows], 0, left=left)
