"""Near neighbours among many vectors, by faiss: an inverted file whose lists hold one byte a number.

Rows are numbers of ours and the scores are rough: whoever asks compares the exact vectors of the rows that come back. Filters
are part of the search, and rows are never looked for where none can be. docs/decisions/0006 says why it is this one.
"""

import os
from math import isqrt
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

PROBES = 48
"""Lists that an unfiltered search looks into."""

SAMPLE = 64
"""Vectors a list that its centre is learned from: with 256, faiss's default, it takes four times as long to no gain."""

ROUNDS = 10
"""Of k-means; more move recall by less than its noise."""

OUTGROWN = 4
"""With this many times the rows it was learned for, the centres are learned anew."""

MOST_LISTS = 65_536

BLOCK = 16_384
"""Rows that are taken in at once."""


class Approximate:
    """Made by learn() or read(). Searches may run at once; add() and keep() must be alone."""

    def __init__(self, index: faiss.IndexIVFScalarQuantizer) -> None:
        self._index = index

    @classmethod
    def learn(cls, sample: Floats, *, lists: int) -> "Approximate":
        """An empty one whose centres fit these vectors."""
        dimensions = sample.shape[1]
        index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(dimensions),
            dimensions,
            lists,
            faiss.ScalarQuantizer.QT_8bit,
            faiss.METRIC_INNER_PRODUCT,
        )
        index.cp.spherical, index.cp.niter, index.cp.max_points_per_centroid = True, ROUNDS, SAMPLE
        index.train(sample)
        return cls(index)

    @classmethod
    def read(cls, path: Path) -> "Approximate | None":
        """None when the file is not one, or is damaged."""
        try:
            index = faiss.read_index(str(path))
        except RuntimeError:
            return None
        return cls(index) if isinstance(index, faiss.IndexIVFScalarQuantizer) else None

    def write(self, path: Path) -> None:
        """Beside its place first, then moved there."""
        beside = path.with_name(path.name + ".part")
        faiss.write_index(self._index, str(beside))
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return int(self._index.ntotal * (self._index.d + 8) + self._index.nlist * self._index.d * 4)

    def outgrown(self, rows: int) -> bool:
        return lists_for(rows) ** 2 > OUTGROWN * int(self._index.nlist) ** 2

    def lists_of(self, vectors: Floats) -> Rows:
        """The list that each vector belongs into: most of the work of adding, and it need not be alone."""
        _, lists = self._index.quantizer.search(vectors, 1)
        found: Rows = lists.ravel()
        return found

    def add(self, vectors: Floats, rows: Rows, lists: Rows) -> None:
        pointers = (faiss.swig_ptr(np.ascontiguousarray(array)) for array in (vectors, rows, lists))
        self._index.add_core(len(rows), *pointers)

    def keep(self, alive: Mask) -> None:
        """Forget the rows that are not alive; the others close up, as they do in the files."""
        bits = np.packbits(alive, bitorder="little")
        self._index.remove_ids(faiss.IDSelectorNot(faiss.IDSelectorBitmap(bits)))
        new = np.cumsum(alive, dtype=np.int64) - 1
        lists = self._index.invlists
        for number in range(self._index.nlist):
            if size := lists.list_size(number):
                rows = faiss.rev_swig_ptr(lists.get_ids(number), size)
                rows[:] = new[rows]

    def search(self, query: Floats, *, most: int, allowed: Mask | None, count: int) -> Rows:
        """Rows near to the query, in no promised order: `most`, or all `count` that are allowed if they are fewer."""
        selector, probes = None, PROBES
        if allowed is not None:
            selector = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
            # A filter thins out every list alike, so that many more lists have as many rows.
            probes = PROBES * len(allowed) // max(1, count)
        found = self._probe(query, most, probes, selector)
        if len(found) < min(most, count) and probes < self._index.nlist:
            found = self._probe(query, most, int(self._index.nlist), selector)
        return found

    def _probe(self, query: Floats, most: int, probes: int, selector: faiss.IDSelector | None) -> Rows:
        parameters = faiss.SearchParametersIVF(nprobe=probes, sel=selector)
        _, rows = self._index.search(query.reshape(1, -1), most, params=parameters)
        found: Rows = rows[0]
        return found[found >= 0]


def lists_for(rows: int) -> int:
    """So many that finding the lists and looking through them cost alike: the square root."""
    return max(1, min(MOST_LISTS, isqrt(rows)))
