"""Vectors as they travel between embedders, the store and indexes: bytes, so that nobody needs numpy to pass them on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Purpose = Literal["query", "passage"]
"""What a text is embedded for: some models treat a question and what answers it differently."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of one length. data: little-endian float32, row after row: `numpy.frombuffer(data, "<f4").reshape(-1, n)`.

    From an embedder they have unit length, so that a dot product is a cosine.
    """

    dimensions: int
    data: bytes

    def __len__(self) -> int:
        return len(self.data) // (4 * self.dimensions)


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """A chunk as an index takes it in. seq: its number, never used twice. vector: one row as in Vectors."""

    seq: int
    text: str
    section: str
    vector: bytes


@dataclass(frozen=True, slots=True)
class IndexChange:
    """What happened to one file of a vector store. file: the number of its row, never used twice.

    chunks: all of the file's, in order; None when the file left the store. number: of the change, growing within a store.
    """

    number: int
    file: int
    chunks: Sequence[IndexedChunk] | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that an index found. score: a cosine for vectors, BM25 for words."""

    chunk: int
    score: float
