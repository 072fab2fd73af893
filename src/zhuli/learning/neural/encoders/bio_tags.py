"""Spans as tags of words and back: B-X begins a span of class X, I-X goes on with it, O is outside of all. Pure."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

OUTSIDE = "O"


class TaggedSpan(NamedTuple):
    """Words first … last - 1."""

    label: str
    first: int
    last: int


def tags(spans: Sequence[TaggedSpan], number: int) -> list[str]:
    """One a word; of spans that overlap, the earlier in the sequence stands."""
    found = [OUTSIDE] * number
    for label, first, last in spans:
        if all(tag == OUTSIDE for tag in found[first:last]):
            found[first:last] = [f"B-{label}", *[f"I-{label}"] * (last - first - 1)]
    return found


def spans(given: Sequence[str]) -> list[TaggedSpan]:
    """An I- that nothing goes before begins a span."""
    found: list[TaggedSpan] = []
    for place, tag in enumerate(given):
        if tag == OUTSIDE:
            continue
        label = tag[2:]
        if tag[0] == "I" and found and found[-1].last == place and found[-1].label == label:
            found[-1] = TaggedSpan(label, found[-1].first, place + 1)
        else:
            found.append(TaggedSpan(label, place, place + 1))
    return found


def legal(scores: NDArray[np.floating[Any]], names: Sequence[str]) -> list[int]:
    """The likeliest sequence of tags in which every I- goes on with a span of its class (Viterbi).

    scores: words × tags, logarithms of probabilities.
    """
    if not len(scores):
        return []
    allowed = _allowed(tuple(names))
    best = scores[0] + np.where([name.startswith("I-") for name in names], -np.inf, 0.0)
    came = np.zeros(scores.shape, dtype=np.int64)
    for place in range(1, len(scores)):
        ways = best[:, None] + allowed
        came[place] = ways.argmax(axis=0)
        best = ways.max(axis=0) + scores[place]
    path = [int(best.argmax())]
    for place in range(len(scores) - 1, 0, -1):
        path.append(int(came[place, path[-1]]))
    return path[::-1]


@lru_cache(maxsize=8)
def _allowed(names: tuple[str, ...]) -> NDArray[np.float64]:
    """tags before × tags: 0 where one may follow the other, else minus infinity."""
    found = np.zeros((len(names), len(names)))
    for column, name in enumerate(names):
        if name.startswith("I-"):
            rows = [before[2:] != name[2:] or before == OUTSIDE for before in names]
            found[rows, column] = -np.inf
    return found
