"""The vectors of one store on disk: files that only grow, and a journal whose every line is a state to come back to.

`vectors` has half floats row after row, `numbers` a chunk's and its file's number a row. A line of `journal` is written once
the rows it counts are on the disk, so after any crash the longest run of whole lines is a state that once was; what lies
beyond is written over. It knows nothing of searching, and has one writer.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt
import orjson

Numbers = npt.NDArray[np.int64]
"""Row after row, a chunk's number and the number of its file."""

NUMBERS_BYTES = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal. rows: in the files by now. dead: (first row, count) of what left with this line."""

    position: int
    dimensions: int
    rows: int
    dead: list[tuple[int, int]]
    check: int
    """CRC-32 of the numbers that came with this line."""

    def line(self) -> bytes:
        text = orjson.dumps([self.position, self.dimensions, self.rows, self.dead, self.check])
        return b"%08x %s\n" % (crc32(text), text)


class RowFiles:
    """Open them with load(); append() makes the folder. Raises OSError where the disk does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.position = 0
        self.dimensions = 0
        self.rows = 0
        self.entries = 0
        self._journal_bytes = 0

    def load(self) -> tuple[Numbers, npt.NDArray[np.bool_]]:
        """Read the last state that is whole: the numbers of each row, and which rows are alive."""
        numbers = np.frombuffer(_content(self.folder / "numbers"), np.uint8)
        vector_bytes = _size(self.folder / "vectors")
        alive = np.ones(len(numbers) // NUMBERS_BYTES, np.bool_)
        for line in _content(self.folder / "journal").splitlines(keepends=True):
            entry = _entry(line)
            if entry is None or not self._follows(entry, numbers, vector_bytes):
                break
            for first, count in entry.dead:
                alive[first : first + count] = False
            self._advance(entry, len(line))
        end = self.rows * NUMBERS_BYTES
        return numbers[:end].view(np.int64).reshape(-1, 2), alive[: self.rows]

    def append(
        self, numbers: Numbers, vectors: npt.NDArray[np.float16], *, dead: list[tuple[int, int]], position: int
    ) -> None:
        """Write rows, and that others died; it is all on the disk when this returns, or none of it counts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        dimensions = vectors.shape[1] if len(vectors) else self.dimensions
        if len(vectors):
            _write(self.folder / "vectors", vectors.tobytes(), at=self.rows * dimensions * 2)
            _write(self.folder / "numbers", numbers.tobytes(), at=self.rows * NUMBERS_BYTES)
        entry = Entry(position, dimensions, self.rows + len(vectors), dead, crc32(numbers.tobytes()))
        line = entry.line()
        _write(self.folder / "journal", line, at=self._journal_bytes)
        self._advance(entry, len(line))

    def vectors(self) -> npt.NDArray[np.float16]:
        """All rows, mapped: [rows, dimensions]."""
        if not self.rows:
            return np.empty((0, self.dimensions), np.float16)
        shape = (self.rows, self.dimensions)
        return np.memmap(self.folder / "vectors", np.float16, mode="r", shape=shape)

    def _follows(self, entry: Entry, numbers: npt.NDArray[np.uint8], vector_bytes: int) -> bool:
        """Whether the files have what the line says that they have."""
        first, end = self.rows * NUMBERS_BYTES, entry.rows * NUMBERS_BYTES
        return (
            entry.rows >= self.rows
            and end <= len(numbers)
            and entry.rows * entry.dimensions * 2 <= vector_bytes
            and crc32(numbers[first:end].tobytes()) == entry.check
        )

    def _advance(self, entry: Entry, size: int) -> None:
        self.position, self.dimensions, self.rows = entry.position, entry.dimensions, entry.rows
        self.entries += 1
        self._journal_bytes += size


def sync_folder(folder: Path) -> None:
    """Make new names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _entry(line: bytes) -> Entry | None:
    """None for a line that is torn or damaged."""
    check, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or check != b"%08x" % crc32(text):
        return None
    position, dimensions, rows, dead, numbers_check = orjson.loads(text)
    return Entry(position, dimensions, rows, [(first, count) for first, count in dead], numbers_check)


def _write(path: Path, data: bytes, *, at: int) -> None:
    """Write `data` as the file's end, from `at` on, and wait for the disk."""
    new = not path.exists()
    with path.open("wb" if new else "r+b") as file:
        file.seek(at)
        file.write(data)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync_folder(path.parent)


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
