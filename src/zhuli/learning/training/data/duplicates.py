"""When two texts count as the same, and which texts are nearly the same.

The same: equal but for case, width (ＡＢＣ), and white space. Nearly the same: most groups of four characters in common.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

SHINGLE = 4
"""Characters that are compared together."""

NEAR = 0.8
"""Jaccard similarity of shingles from which texts are nearly the same; 0.8 as in the deduplication of C4 (Lee et al. 2022)."""

BANDS, ROWS = 16, 4
"""Of MinHash: a pair of similarity 0.8 is met with a chance of 1 - (1 - 0.8⁴)¹⁶ = 0.9998, one of 0.3 with 0.12."""

LONGEST = 2_000
"""Characters of a text that are compared."""

MOST = 8
"""Candidates of a band that are compared: what a thousand texts share says little."""


def key(text: str) -> str:
    """What is equal for texts that count as the same."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().casefold()


class NearTexts:
    """The texts of the training data, to ask which of them is nearly the same as another; by MinHash (Broder 1997)."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._bands: dict[bytes, list[int]] = {}
        for index, text in enumerate(texts):
            for band in _bands(shingles(text)):
                candidates = self._bands.setdefault(band, [])
                if len(candidates) < MOST:
                    candidates.append(index)

    def near(self, text: str) -> int | None:
        """The index of one that is nearly the same as `text`, if there is one."""
        own = shingles(text)
        candidates = {index for band in _bands(own) for index in self._bands.get(band, ())}
        return next(
            (index for index in sorted(candidates) if similarity(own, shingles(self._texts[index])) >= NEAR), None
        )


def shingles(text: str) -> frozenset[int]:
    plain = key(text[:LONGEST])
    return frozenset(_hashes(plain[at : at + SHINGLE] for at in range(max(1, len(plain) - SHINGLE + 1))))


def similarity(one: frozenset[int], other: frozenset[int]) -> float:
    """Jaccard's: 0 to 1."""
    return len(one & other) / len(one | other)


def _hashes(parts: Iterable[str]) -> Iterator[int]:
    return (crc32(part.encode("utf-8", "surrogatepass")) for part in parts)


def _factors() -> NDArray[np.uint64]:
    """Odd multipliers, always the same."""
    return np.random.default_rng(0).integers(1, 1 << 62, BANDS * ROWS, dtype=np.uint64) | np.uint64(1)


_FACTORS = _factors()


def _bands(hashes: frozenset[int]) -> list[bytes]:
    """Keys that are equal for texts whose smallest hashes agree, a key a band: multiply-shift hashing, modulo 2⁶⁴."""
    mixed = np.fromiter(hashes, dtype=np.uint64, count=len(hashes))[:, None] * _FACTORS[None, :]
    lowest = mixed.min(axis=0).reshape(BANDS, ROWS)
    return [bytes([band]) + row.tobytes() for band, row in enumerate(lowest)]
