"""The best stretches of a text as answers, from how likely each place is their beginning and their end. Pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

BEST = 20
"""Beginnings and ends that are tried with each other, as in BERT's script for SQuAD (run_squad.py, n_best_size)."""

LONGEST = 30
"""Words of an answer, as there (max_answer_length), where it counts pieces."""


class Answer(NamedTuple):
    """Words first … last of the text. score: a sum of logits."""

    first: int
    last: int
    score: float


def best_answers(starts: Floats, ends: Floats, words: Sequence[int], *, longest: int = LONGEST) -> list[Answer]:
    """The best first. starts, ends: logits of each place; words: the number of the word that each place belongs to."""
    found = [
        Answer(words[start], words[end], float(starts[start] + ends[end]))
        for start in np.argsort(-starts, kind="stable")[:BEST].tolist()
        for end in np.argsort(-ends, kind="stable")[:BEST].tolist()
        if 0 <= words[end] - words[start] < longest
    ]
    return sorted(found, key=lambda answer: -answer.score)[:BEST]


def shares(scores: Sequence[float]) -> list[float]:
    """Softmax: how the belief is divided among answers."""
    powers = np.exp(np.array(scores) - max(scores))
    divided: list[float] = (powers / powers.sum()).tolist()
    return divided


def chosen_margin(margins: Floats, answered: NDArray[np.bool_], gains: Floats) -> float:
    """From which margin on it is better to say that there is no answer.

    margins: of no answer over the best answer. gains: what giving the answer brings, its F1. Of the limits between the
    examples' margins, the one that brings most; as SQuAD 2.0's script finds its threshold.
    """
    order = np.argsort(margins)
    sorted_margins = margins[order]
    given = np.concatenate([[0.0], np.cumsum(np.where(answered[order], gains[order], 0.0))])
    withheld = np.concatenate([np.cumsum((~answered[order]).astype(float)[::-1])[::-1], [0.0]])
    best = int(np.argmax(given + withheld))
    limits = np.concatenate(
        [[sorted_margins[0] - 1], (sorted_margins[1:] + sorted_margins[:-1]) / 2, [sorted_margins[-1] + 1]]
    )
    return float(limits[best])
