"""Rows of four-bit numbers as llama.cpp's Q4_0 has them: 32 numbers in 18 bytes.

A block is a half float that scales its numbers, then two numbers in a byte: the first half of them in the low bits.
"""

import numpy as np
from numpy.typing import NDArray

BLOCK = 32
BLOCK_BYTES = 18


def unpacked(rows: NDArray[np.uint8]) -> NDArray[np.float32]:
    """n × (blocks · 18) bytes to n × (blocks · 32) numbers."""
    blocks = rows.reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    numbers = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32) - 8
    made: NDArray[np.float32] = (numbers * scales).reshape(len(rows), -1)
    return made
