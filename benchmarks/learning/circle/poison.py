"""How many poisoned batches the gate's look at labels stops, and how many honest ones, with the model that serves.

A batch is feedback on 200 messages, of which a share are messages of one intent with the label of another; every ordered pair of
intents is tried. What is asked is the gate's own question (retuning.gating.contradictions), which needs no candidate.
"""

import random
from collections.abc import Sequence
from itertools import permutations

from benchmarks.learning.circle.recorded import Recorded
from zhuli.learning.retuning import gating
from zhuli.learning.retuning.gating import Answered
from zhuli.types.learning.retuning import GateTerms

BATCH = 200
HONEST = 200
"""Batches without poison."""


def told(traffic: Sequence[Recorded], fixed: Sequence[Recorded], shares: Sequence[float]) -> None:
    """Print it. traffic: messages of known intents that the model has not learned. fixed: what its errors are told by."""
    held_out = [_answered(each, each.label) for each in fixed]
    known = sorted({each.label for each in fixed})
    dice = random.Random(0)
    batches = (dice.sample(traffic, BATCH) for _ in range(HONEST))
    stopped = sum(_stopped([_answered(each, each.label) for each in batch], held_out, known) for batch in batches)
    print(f"honest batches of {BATCH}: {stopped} of {HONEST} stopped")
    for share in shares:
        number = round(share * BATCH)
        tried, found = 0, 0
        for taken, given in permutations(known, 2):
            flipped = [each for each in traffic if each.label == taken]
            if len(flipped) < number:
                continue
            flipped = dice.sample(flipped, number)
            others = dice.sample([each for each in traffic if each not in flipped], BATCH - number)
            batch = [*(_answered(each, given) for each in flipped), *(_answered(each, each.label) for each in others)]
            tried += 1
            found += _stopped(batch, held_out, known)
        print(f"{number} of {BATCH} labels flipped ({share:.0%}): {found} of {tried} pairs of intents stopped")


def _stopped(batch: Sequence[Answered], held_out: Sequence[Answered], known: Sequence[str]) -> bool:
    return any(not reason.passed for reason in gating.contradictions(batch, held_out, known, GateTerms()))


def _answered(each: Recorded, label: str) -> Answered:
    return Answered(each.text, (label,), each.said, each.score, float(each.said == label))
