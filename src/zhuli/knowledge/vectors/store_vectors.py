"""The vectors of one store: searched exactly while they are few, approximately once they are many.

The exact scores come from the vectors themselves in either case. Everything here blocks, so it is called in threads:
search() from any number of them, apply(), save() and delete() from one at a time, build() beside all of these.
"""

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from threading import Event

import numpy as np
import numpy.typing as npt

from zhuli.core.errors import ConfigurationError
from zhuli.knowledge.vectors.approximate import BLOCK, SAMPLE, Approximate, lists_for
from zhuli.knowledge.vectors.row_files import RowFiles, sync_folder
from zhuli.knowledge.vectors.row_table import Grown, Mask, RowTable
from zhuli.knowledge.vectors.shared_lock import SharedLock
from zhuli.types.knowledge.vectors import Hit, IndexChange, IndexedChunk

EXACT_ROWS = 5_000
"""Up to here every vector is compared (docs/decisions/0006 has what that costs)."""

EXACT_ALLOWED = 1_000
"""Rows that a filter may leave so that comparing them all costs less than a search of the lists."""

MATRIX_ROWS = 10 * EXACT_ROWS
"""More are not kept as floats while the approximate structure is still being built: they are read from the disk."""

MARGIN = 4
"""So many times the wanted rows are taken from the approximate search, for its scores are rough."""

WORN_ENTRIES = 20_000
SAVED_SHARE = 8
"""The approximate structure is saved anew once it grew by one part of so many."""


class StoreVectors:
    """Opened from its folder, which need not exist; what is damaged there is passed over, so position may be behind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = SharedLock()
        self._closing = Event()
        for leftover in (_beside(folder, "part"), _beside(folder, "old")):
            shutil.rmtree(leftover, ignore_errors=True)
        self._files = RowFiles(folder)
        self._table = RowTable(*self._files.load())
        self._near, self._saved = self._read_near()
        self._matrix = None if self._near or len(self._table) > MATRIX_ROWS else self._read_matrix()

    @property
    def position(self) -> int:
        """The number of the last change that is on disk."""
        return self._files.position

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        near = self._near.size if self._near else 0
        matrix = self._matrix.values.nbytes if self._matrix else 0
        return near + matrix + 17 * len(self._table) + 200 * len(self._table.ranges)

    @property
    def wants_building(self) -> bool:
        """Whether there are more vectors than are compared one by one, and no fresh inverted file of them."""
        rows = len(self._table)
        if self._closing.is_set() or rows <= EXACT_ROWS:
            return False
        return self._near is None or self._near.outgrown(rows)

    def apply(self, changes: Sequence[IndexChange], position: int) -> None:
        """Changes that are here already are passed over."""
        if position <= self.position:
            return
        gone, come = self._difference([change for change in changes if change.number > self.position])
        numbers = np.array([(chunk.seq, file) for file, chunks in come for chunk in chunks], np.int64).reshape(-1, 2)
        halves = self._vectors_of([chunk for _, chunks in come for chunk in chunks]).astype(np.float16)
        dead = [self._table.ranges[file] for file in gone]
        self._files.append(numbers, halves, dead=dead, position=position)
        self._take_in(numbers, halves.astype(np.float32), gone)
        if self._worn():
            self._compact()
        if len(self._table) * SAVED_SHARE > self._saved * (SAVED_SHARE + 1):
            self.save()

    def search(self, vector: bytes, *, most: int, files: Collection[int] | None) -> list[Hit]:
        """The `most` nearest chunks, best first, of these files (None: of all). ConfigurationError for a vector of another
        length.
        """
        with self._lock.shared():
            allowed, count = self._table.allowed(files)
            if not count or most < 1:
                return []
            query = np.frombuffer(vector, "<f4")
            _check(len(query), self._files.dimensions)
            rows = self._candidates(query, most, allowed, count)
            scores = self._scores(query, rows)
            best = _best(scores, most)
            chunks = self._table.numbers[best if rows is None else rows[best], 0]
            found = zip(chunks.tolist(), np.clip(scores[best], -1, 1).tolist(), strict=True)
            return [Hit(chunk, score) for chunk, score in found]

    def build(self) -> None:
        """Make the approximate structure for what is here by now; others search and apply meanwhile."""
        files, rows = self._files, len(self._table)
        sample = np.random.default_rng(rows).choice(rows, min(rows, SAMPLE * lists_for(rows)), replace=False)
        near = Approximate.learn(files.vectors()[np.sort(sample)].astype(np.float32), lists=lists_for(rows))
        done = 0
        while not self._closing.is_set() and files is self._files:
            while done < len(self._table) and not self._closing.is_set():
                block = files.vectors()[done : min(done + BLOCK, len(self._table))].astype(np.float32)
                near.add(block, np.arange(done, done + len(block)), near.lists_of(block))
                done += len(block)
            with self._lock.exclusive():
                if files is self._files and done == len(self._table):
                    self._near, self._matrix, self._saved = near, None, 0
                    return

    def stop_building(self) -> None:
        """build() returns soon, without having built, and is not wanted any more."""
        self._closing.set()

    def save(self) -> None:
        """Keep on disk what would take long to make again: the approximate structure, where there is one."""
        rows = len(self._table)
        if self._near is None or self._saved == rows:
            return
        self._near.write(self._folder / f"near.{rows}")
        for path in self._folder.glob("near.*"):
            if path.name != f"near.{rows}":
                path.unlink()
        sync_folder(self._folder)
        self._saved = rows

    def delete(self) -> None:
        """Everything that is on disk; nothing may be called after this."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _difference(self, changes: Sequence[IndexChange]) -> tuple[list[int], list[tuple[int, Sequence[IndexedChunk]]]]:
        """What the changes come to: the files whose rows go, and files with the chunks that come."""
        last = {change.file: change.chunks for change in changes}
        gone, come = [], []
        for file, chunks in last.items():
            here = self._table.chunks(file)
            if chunks is not None and [chunk.seq for chunk in chunks] == here:
                continue
            if here:
                gone.append(file)
            if chunks:
                come.append((file, chunks))
        return gone, come

    def _vectors_of(self, chunks: Sequence[IndexedChunk]) -> npt.NDArray[np.float32]:
        if not chunks:
            return np.empty((0, self._files.dimensions), np.float32)
        dimensions = self._files.dimensions or len(chunks[0].vector) // 4
        for chunk in chunks:
            _check(len(chunk.vector) // 4, dimensions)
        return np.frombuffer(b"".join(chunk.vector for chunk in chunks), "<f4").reshape(-1, dimensions)

    def _take_in(self, numbers: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32], gone: Sequence[int]) -> None:
        near = self._near
        lists = near.lists_of(vectors) if near and len(vectors) else None
        with self._lock.exclusive():
            for file in gone:
                self._table.bury(file)
            first = len(self._table)
            self._table.append(numbers)
            if self._near and len(vectors):
                if lists is None or self._near is not near:  # built just now
                    lists = self._near.lists_of(vectors)
                self._near.add(vectors, np.arange(first, first + len(vectors)), lists)
            elif self._matrix and len(self._table) <= MATRIX_ROWS:
                if not first:
                    self._matrix = Grown(np.empty(vectors.shape, np.float32)[:0])
                self._matrix.append(vectors)
            else:
                self._matrix = None

    def _candidates(
        self, query: npt.NDArray[np.float32], most: int, allowed: Mask | None, count: int
    ) -> npt.NDArray[np.int64] | None:
        """The rows to compare; None for all."""
        if self._near and count > max(EXACT_ALLOWED, MARGIN * most):
            return self._near.search(query, most=MARGIN * most, allowed=allowed, count=count)
        return None if allowed is None else np.flatnonzero(allowed)

    def _scores(self, query: npt.NDArray[np.float32], rows: npt.NDArray[np.int64] | None) -> npt.NDArray[np.float32]:
        if self._matrix:
            matrix = self._matrix.values
            if rows is None or len(rows) * 4 > len(matrix):
                scores: npt.NDArray[np.float32] = matrix @ query
                return scores if rows is None else scores[rows]
            scores = matrix[rows] @ query
            return scores
        vectors = self._files.vectors()
        chosen = np.arange(len(self._table)) if rows is None else rows
        blocks = [chosen[start : start + BLOCK] for start in range(0, len(chosen), BLOCK)]
        return np.concatenate([vectors[block].astype(np.float32) @ query for block in blocks])

    def _worn(self) -> bool:
        dead, rows = self._table.dead, len(self._table)
        return dead > max(rows // 2, 100) or self._files.entries > max(WORN_ENTRIES, 2 * len(self._table.ranges))

    def _compact(self) -> None:
        """Write what is alive into new files. A crash between the two renames costs the store: it is followed anew."""
        beside, old = _beside(self._folder, "part"), _beside(self._folder, "old")
        alive = self._table.alive
        fresh, vectors = RowFiles(beside), self._files.vectors()
        kept = np.flatnonzero(alive)
        for start in range(0, max(1, len(kept)), BLOCK):
            rows = kept[start : start + BLOCK]
            fresh.append(self._table.numbers[rows], vectors[rows], dead=[], position=self.position)
        with self._lock.exclusive():
            self._folder.rename(old)
            beside.rename(self._folder)
            fresh.folder = self._folder
            self._table = RowTable(self._table.numbers[kept], np.ones(len(kept), np.bool_))
            self._files, self._saved = fresh, 0
            if self._near and len(kept) > EXACT_ROWS:
                self._near.keep(alive)
            else:
                self._near, self._matrix = None, self._read_matrix()
        sync_folder(self._folder.parent)
        shutil.rmtree(old, ignore_errors=True)

    def _read_near(self) -> tuple[Approximate | None, int]:
        """The saved structure with the rows that came after, and how many rows are saved."""
        rows = len(self._table)
        for path in self._folder.glob("near.*"):
            covered = int(path.suffix[1:]) if path.suffix[1:].isdecimal() else rows + 1
            near = Approximate.read(path) if rows > EXACT_ROWS and covered <= rows else None
            if near is None:
                path.unlink()
                continue
            vectors = self._files.vectors()
            for start in range(covered, rows, BLOCK):
                block = vectors[start : start + BLOCK].astype(np.float32)
                near.add(block, np.arange(start, start + len(block)), near.lists_of(block))
            return near, covered
        return None, 0

    def _read_matrix(self) -> Grown:
        return Grown(self._files.vectors().astype(np.float32))


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f"{folder.name}.{what}")


def _best(scores: npt.NDArray[np.float32], most: int) -> npt.NDArray[np.int64]:
    """Places of the highest scores, highest first."""
    if len(scores) <= most:
        return np.argsort(-scores, kind="stable")
    top = np.argpartition(-scores, most - 1)[:most]
    best: npt.NDArray[np.int64] = top[np.argsort(-scores[top], kind="stable")]
    return best


def _check(dimensions: int, wanted: int) -> None:
    if dimensions != wanted:
        raise ConfigurationError(
            f"This vector store's vectors have {wanted} numbers each, and one came with {dimensions}: "
            "is its embedder still the one that it was made with?"
        )
