"""One assignment of a message's values to slots: of all ways to give each value a slot the one that suits best as a whole."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

MOST_STATES: Final = 512
"""Partial assignments that are followed from value to value: exact for nine slots that compete, and the best beyond."""


def assigned(scores: Sequence[Mapping[str, float]], many: Collection[str] = ()) -> list[str | None]:
    """For each value the slot that it goes to, None for none; a slot takes one value, those in `many` any number.

    scores: of each value, how well it suits the slots that could take it. A value goes nowhere rather than where it suits by 0
    or less. Of equal sums the one that gives the earlier slots to the earlier values.
    """
    states: dict[frozenset[str], tuple[float, tuple[str | None, ...]]] = {frozenset(): (0.0, ())}
    for row in scores:
        following: dict[frozenset[str], tuple[float, tuple[str | None, ...]]] = {}
        for used, (total, chosen) in states.items():
            free = {slot: score for slot, score in row.items() if score > 0 and slot not in used}
            for slot, score in (*free.items(), (None, 0.0)):
                now_used = used if slot is None or slot in many else used | {slot}
                if now_used not in following or total + score > following[now_used][0]:
                    following[now_used] = (total + score, (*chosen, slot))
        best = sorted(following.items(), key=lambda state: -state[1][0])
        states = dict(best[:MOST_STATES])
    return list(max(states.values(), key=lambda state: state[0])[1])
