"""Where things are in a GGUF file, and a header for the same model with other tensor types.

Reads what a repacking needs and skips the rest: the vocabulary is copied, not parsed, which saves the seconds that a
full reader takes. Format: the GGUF specification in the ggml repository (docs/gguf.md), version 3, little endian.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import prod
from typing import Any

from zhuli.core.errors import ConfigurationError

ALIGNMENT = 32
"""Of tensor data; a file may say otherwise (general.alignment), the ones read here don't."""

FILE_TYPE_F16 = 1
"""general.file_type of a model that is mostly half floats."""

_STRING, _ARRAY, _UINT32 = 8, 9, 4
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a metadata value by its type."""


class Block(Enum):
    """Tensor types: (number in the file, bytes of a block, values of a block)."""

    F32 = (0, 4, 1)
    F16 = (1, 2, 1)
    Q4_1 = (3, 20, 32)
    Q8_0 = (8, 34, 32)

    def __init__(self, number: int, size: int, values: int) -> None:
        self.number = number
        self.size = size
        self.values = values

    @property
    def quantised(self) -> bool:
        return self.values > 1


@dataclass(frozen=True, slots=True)
class Tensor:
    """`offset` counts from the start of the tensor data."""

    name: bytes
    shape: tuple[int, ...]
    block: Block
    offset: int

    @property
    def size(self) -> int:
        return prod(self.shape) // self.block.values * self.block.size

    def as_float16(self) -> "Tensor":
        return replace(self, block=Block.F16)


class GgufFile:
    """A model file in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0
        magic, version, tensors, values = self._read("<4sIQQ")
        if magic != b"GGUF" or version != 3:
            raise ConfigurationError("This is not a GGUF file of version 3.")
        self._file_type_at = 0
        for _ in range(values):
            self._skip_key_and_value()
        self._metadata_end = self._at
        self.tensors = [self._tensor() for _ in range(tensors)]
        self._data_start = self._at + -self._at % ALIGNMENT

    def data(self, tensor: Tensor) -> memoryview:
        start = self._data_start + tensor.offset
        return memoryview(self._content)[start : start + tensor.size]

    def header(self, tensors: Sequence[Tensor], *, file_type: int) -> bytes:
        """All that comes before the data of `tensors`, which follow each other, each padded to ALIGNMENT."""
        header = bytearray(self._content[: self._metadata_end])
        if self._file_type_at:
            struct.pack_into("<I", header, self._file_type_at, file_type)
        offset = 0
        for tensor in tensors:
            dimensions = len(tensor.shape)
            form = f"<Q{len(tensor.name)}sI{dimensions}QIQ"
            header += struct.pack(
                form, len(tensor.name), tensor.name, dimensions, *tensor.shape, tensor.block.number, offset
            )
            offset += tensor.size + -tensor.size % ALIGNMENT
        return bytes(header + b"\0" * (-len(header) % ALIGNMENT))

    def _skip_key_and_value(self) -> None:
        key = self._string()
        (kind,) = self._read("<I")
        if key == b"general.file_type" and kind == _UINT32:
            self._file_type_at = self._at
        self._skip(kind)

    def _skip(self, kind: int) -> None:
        if kind == _STRING:
            self._string()
        elif kind == _ARRAY:
            item, length = self._read("<IQ")
            if item in _SIZES:
                self._at += _SIZES[item] * length
            else:
                for _ in range(length):
                    self._skip(item)
        else:
            self._at += _SIZES[kind]

    def _tensor(self) -> Tensor:
        name = self._string()
        (dimensions,) = self._read("<I")
        *shape, number, offset = self._read(f"<{dimensions}QIQ")
        block = next((block for block in Block if block.number == number), None)
        if block is None:
            raise ConfigurationError(f"The tensor {name.decode()} has type {number}, which is not repacked here.")
        return Tensor(name, tuple(shape), block, offset)

    def _string(self) -> bytes:
        (length,) = self._read("<Q")
        self._at += length
        return self._content[self._at - length : self._at]

    def _read(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(form, self._content, self._at)
        self._at += struct.calcsize(form)
        return values
