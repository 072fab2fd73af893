"""Which rows make a batch, and in which order: of like length, so that little of a batch is padding, and yet shuffled.

The order follows from the seed and the epoch alone, so that a tuning goes on after a crash where it was.
"""

import random
from collections.abc import Sequence

POOL = 64
"""Batches that are sorted by length together: enough for near-equal lengths, few enough to keep the order random."""


def batches(lengths: Sequence[int], size: int, *, bucketing: bool, seed: int, epoch: int) -> list[list[int]]:
    """Numbers of rows in batches of `size`, each row once; the last batch may be smaller."""
    order = list(range(len(lengths)))
    shuffle = random.Random(f"{seed}/{epoch}").shuffle
    shuffle(order)
    if not bucketing:
        return _cut(order, size)
    made: list[list[int]] = []
    for pool in _cut(order, size * POOL):
        made += _cut(sorted(pool, key=lengths.__getitem__, reverse=True), size)
    shuffle(made)
    return made


def by_length(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Batches for reading only, the longest first: memory that does not suffice is seen at once."""
    return _cut(sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True), size)


def parts(batch: Sequence[int], lengths: Sequence[int], *, most: int | None) -> list[list[int]]:
    """The batch in parts of at most `most` tokens, padding included, or of one row; as it is without a limit."""
    made: list[list[int]] = []
    longest = 0
    for row in batch:
        longest = max(longest, lengths[row])
        if not made or (most is not None and longest * (len(made[-1]) + 1) > most):
            made.append([])
            longest = lengths[row]
        made[-1].append(row)
    return made


def steps(made: Sequence[list[int]], accumulation: int) -> list[list[list[int]]]:
    """The batches of an epoch, so many to a step; the last step may have fewer."""
    return [list(made[start : start + accumulation]) for start in range(0, len(made), accumulation)]


def _cut(order: list[int], size: int) -> list[list[int]]:
    return [order[start : start + size] for start in range(0, len(order), size)]
