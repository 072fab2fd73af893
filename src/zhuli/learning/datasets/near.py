"""Which of a million texts are nearly the same: MinHash (Broder 1997) in numpy, a thousand texts at a time.

datasketch does one text after another, a fifth of a millisecond each; here a million take seconds. What counts as nearly the
same is as for tunings (training/data/duplicates): 0.8 of all groups of four characters.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from zhuli.learning.training.data.duplicates import NEAR, SHINGLE, shingles, similarity

BANDS, ROWS = 8, 4
"""A pair of similarity 0.8 is met with a chance of 1 - (1 - 0.8⁴)⁸ = 0.985, one of 0.9 with 0.9997."""

LONGEST = 400
"""Characters of a text that are hashed. Candidates are compared whole."""

_PIECE = 1_000
"""Texts that are hashed at once: what a processor keeps near."""

_LIKELY = 0.5
"""Share of equal hashes from which a pair is compared: one of similarity 0.8 has less with a chance below 0.001."""

MOST_COMPARED = 300_000
"""Pairs that are compared exactly, some ten seconds; of further ones the share of equal hashes decides."""


def near_pairs(keys: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs (earlier, later) of texts that are nearly the same; of a group, each with its first one."""
    if len(keys) < 2:
        return
    hashes = np.concatenate([_signatures(keys[at : at + _PIECE]) for at in range(0, len(keys), _PIECE)])
    pairs = _candidates(hashes)
    shares = np.concatenate(
        [np.empty(0), *((hashes[part[:, 0]] == hashes[part[:, 1]]).mean(axis=1) for part in _pieces(pairs))]
    )
    likely = shares >= _LIKELY
    for number, ((earlier, later), share) in enumerate(
        zip(pairs[likely].tolist(), shares[likely].tolist(), strict=True)
    ):
        exact = number < MOST_COMPARED
        if (similarity(shingles(keys[earlier]), shingles(keys[later])) if exact else share) >= NEAR:
            yield earlier, later


def _pieces(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    return (rows[at : at + 100_000] for at in range(0, len(rows), 100_000))


def _candidates(hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Pairs with an equal band, a row each, each once, in order."""
    found: list[NDArray[np.int64]] = []
    mix = np.random.default_rng(1).integers(1, 1 << 62, ROWS, dtype=np.uint64) | np.uint64(1)
    for band in range(BANDS):
        part = hashes[:, band * ROWS : (band + 1) * ROWS].astype(np.uint64)
        key = np.zeros(len(part), dtype=np.uint64)
        for row in range(ROWS):
            key = (key ^ part[:, row]) * mix[row]
            key ^= key >> np.uint64(31)
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        same = np.concatenate([[False], ordered[1:] == ordered[:-1]])
        if not same.any():
            continue
        begins = np.flatnonzero(~same)
        leader = order[begins[np.cumsum(~same) - 1]]
        found.append(leader[same].astype(np.int64) * len(hashes) + order[same])
    if not found:
        return np.empty((0, 2), dtype=np.int64)
    pairs = np.unique(np.concatenate(found))
    return np.stack([pairs // len(hashes), pairs % len(hashes)], axis=1)


def _signatures(keys: Sequence[str]) -> NDArray[np.uint32]:
    """texts × (BANDS · ROWS): the smallest of each hash over a text's groups of four characters."""
    padded = [key[:LONGEST].ljust(SHINGLE, "\0") for key in keys]
    lengths = np.fromiter(map(len, padded), dtype=np.int64, count=len(padded))
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    mixed = np.zeros(len(codes) - SHINGLE + 1, dtype=np.uint32)
    for place, factor in enumerate((0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F)):
        mixed += codes[place : len(codes) - SHINGLE + 1 + place] * np.uint32(factor)
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x2C1B3C6D)
    mixed ^= mixed >> np.uint32(12)
    ends = np.cumsum(lengths)
    whole = np.ones(len(mixed), dtype=bool)
    for back in range(1, SHINGLE):  # groups that reach into the next text
        at = ends[:-1] - back
        whole[at[at < len(whole)]] = False
    mixed = mixed[whole]
    counts = lengths - SHINGLE + 1
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    factors = np.random.default_rng(0).integers(1, 1 << 31, BANDS * ROWS, dtype=np.uint32) | np.uint32(1)
    offsets = np.random.default_rng(2).integers(0, 1 << 32, BANDS * ROWS, dtype=np.uint64).astype(np.uint32)
    found = np.empty((len(padded), BANDS * ROWS), dtype=np.uint32)
    for row in range(BANDS * ROWS):
        hashed = mixed * factors[row] + offsets[row]
        hashed ^= hashed >> np.uint32(16)
        hashed *= np.uint32(0x7FEB352D)
        found[:, row] = np.minimum.reduceat(hashed, starts)
    return found
