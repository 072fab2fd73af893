"""Which row of a store's vectors is which chunk, of which file, and whether it still counts. In memory only."""

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from zhuli.knowledge.vectors.row_files import Numbers

Mask = npt.NDArray[np.bool_]


class Grown:
    """An array that grows at its end, in steps of its own size."""

    def __init__(self, first: npt.NDArray[Any]) -> None:
        self._space = first
        self._count = len(first)

    @property
    def values(self) -> npt.NDArray[Any]:
        return self._space[: self._count]

    def append(self, more: npt.NDArray[Any]) -> None:
        end = self._count + len(more)
        if end > len(self._space):
            space = np.empty((max(end, 2 * self._count), *self._space.shape[1:]), self._space.dtype)
            space[: self._count] = self.values
            self._space = space
        self._space[self._count : end] = more
        self._count = end


class RowTable:
    """A file's rows stand together: they came with one change."""

    def __init__(self, numbers: Numbers, alive: Mask) -> None:
        self._numbers = Grown(numbers.copy())
        self._alive = Grown(alive.copy())
        self.dead = int(len(alive) - np.count_nonzero(alive))
        self.ranges: dict[int, tuple[int, int]] = _ranges(numbers, alive)
        """First row and count of each file that is there."""

    def __len__(self) -> int:
        return len(self._numbers.values)

    @property
    def alive(self) -> Mask:
        return self._alive.values

    @property
    def numbers(self) -> Numbers:
        return self._numbers.values

    def chunks(self, file: int) -> list[int]:
        """The chunks that the file has here, in order."""
        first, count = self.ranges.get(file, (0, 0))
        found: list[int] = self._numbers.values[first : first + count, 0].tolist()
        return found

    def append(self, numbers: Numbers) -> None:
        self.ranges |= _ranges(numbers, np.ones(len(numbers), np.bool_), start=len(self))
        self._numbers.append(numbers)
        self._alive.append(np.ones(len(numbers), np.bool_))

    def bury(self, file: int) -> None:
        first, count = self.ranges.pop(file)
        self._alive.values[first : first + count] = False
        self.dead += count

    def allowed(self, files: Collection[int] | None) -> tuple[Mask | None, int]:
        """The rows that count, None for all of them, and how many they are."""
        if files is None:
            return (self.alive if self.dead else None), len(self) - self.dead
        ranges = [self.ranges[file] for file in files if file in self.ranges]
        first, count = np.array(ranges, np.int64).reshape(-1, 2).T
        steps = np.zeros(len(self) + 1, np.int8)
        steps[first] += 1
        steps[first + count] -= 1
        return np.cumsum(steps[:-1], dtype=np.int8).view(np.bool_), int(count.sum())


def _ranges(numbers: Numbers, alive: Mask, *, start: int = 0) -> dict[int, tuple[int, int]]:
    """Runs of rows of one file, those that are alive; `start` is the number of the first row."""
    if not len(numbers):
        return {}
    files = numbers[:, 1]
    firsts = np.flatnonzero(np.concatenate([[True], (files[1:] != files[:-1]) | (alive[1:] != alive[:-1])]))
    counts = np.diff(np.append(firsts, len(files)))
    runs = zip(files[firsts].tolist(), (firsts + start).tolist(), counts.tolist(), alive[firsts].tolist(), strict=True)
    return {file: (first, count) for file, first, count, live in runs if live}
