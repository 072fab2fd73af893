"""The values of quantised GGUF tensors as half floats.

Only the two kinds of block that the packaged model has (ggml-common.h of llama.cpp defines them). Nothing is quantised
here.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from zhuli.models.engines.gguf_file import Block, Tensor


def pieces(tensor: Tensor, data: memoryview) -> Iterator[bytes | memoryview]:
    """The tensor's values, a few megabytes at a time."""
    if not tensor.block.quantised:
        yield data
        return
    step = 2**16 * tensor.block.size
    for start in range(0, len(data), step):
        yield _VALUES[tensor.block](data[start : start + step]).astype(np.float16).tobytes()


def _q4_1(blocks: memoryview) -> npt.NDArray[Any]:
    """32 values a block: scale and minimum in half floats, then 16 bytes with values 0 to 15 low and 16 to 31 high."""
    raw = np.frombuffer(blocks, np.uint8).reshape(-1, Block.Q4_1.size)
    scale, minimum = (raw[:, i : i + 2].view(np.float16).astype(np.float32) for i in (0, 2))
    quants = np.concatenate([raw[:, 4:] & 15, raw[:, 4:] >> 4], axis=1)
    values: npt.NDArray[Any] = scale * quants + minimum
    return values


def _q8_0(blocks: memoryview) -> npt.NDArray[Any]:
    """32 values a block: scale in half floats, then signed bytes."""
    raw = np.frombuffer(blocks, np.uint8).reshape(-1, Block.Q8_0.size)
    return raw[:, :2].view(np.float16).astype(np.float32) * raw[:, 2:].view(np.int8)


_VALUES = {Block.Q4_1: _q4_1, Block.Q8_0: _q8_0}
