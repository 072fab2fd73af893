"""Hold out parts of the training data: the same labels in each part, groups and duplicates whole, the same for a seed.

Why not scikit-learn's StratifiedGroupKFold: its time grows with groups × labels × folds, its parts have to be equal, and it
would hold out the only example of a label.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from zhuli.learning.training.data.duplicates import key
from zhuli.learning.training.data.report import Part

KEPT = 1
"""Units of a label that stay in training whatever the shares: nothing is learned of a label without examples."""

Unit = list[int]
"""Indexes of examples that stay together."""


def split(
    texts: Sequence[str],
    groups: Sequence[str],
    labels: Sequence[Sequence[str]],
    *,
    shares: Mapping[Part, float],
    seed: int,
) -> dict[Part, list[int]]:
    """The indexes of each part of `shares`, and under "train" those of the rest, each in the order of the data.

    What a label can't give to a part in whole units, the next label makes up for, so that the parts have their shares of
    all. A share is of the examples, from 0 to 1. No part has a label that training has not.
    """
    parts: dict[Part, list[Unit]] = {name: [] for name in shares}
    owed = dict.fromkeys(shares, 0.0)
    order = random.Random(seed)
    rest: list[Unit] = []
    for units in _strata(_units(texts, groups), labels):
        order.shuffle(units)
        size = sum(map(len, units))
        for name, share in shares.items():
            owed[name] += share * size
            while len(units) > KEPT and owed[name] >= len(units[-1]) / 2:
                unit = units.pop()
                owed[name] -= len(unit)
                parts[name].append(unit)
        rest += units
    known = {label for unit in rest for index in unit for label in labels[index]}
    learned = {
        name: [unit for unit in units if known.issuperset(_labels(unit, labels))] for name, units in parts.items()
    }
    held_out = {name: sorted(index for unit in units for index in unit) for name, units in learned.items()}
    out = {index for indexes in held_out.values() for index in indexes}
    return {"train": [index for index in range(len(texts)) if index not in out], **held_out}


def _labels(unit: Unit, labels: Sequence[Sequence[str]]) -> set[str]:
    return {label for index in unit for label in labels[index]}


def _units(texts: Sequence[str], groups: Sequence[str]) -> list[Unit]:
    """Examples that share a group or a text, also by way of others, are one unit (union-find)."""
    parent = list(range(len(texts)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = index = parent[parent[index]]
        return index

    first: dict[tuple[str, str], int] = {}
    for index, (text, group) in enumerate(zip(texts, groups, strict=True)):
        for mark in [("text", key(text)), *([("group", group)] if group else [])]:
            parent[root(index)] = root(first.setdefault(mark, index))
    units: dict[int, Unit] = defaultdict(list)
    for index in range(len(texts)):
        units[root(index)].append(index)
    return list(units.values())


def _strata(units: Sequence[Unit], labels: Sequence[Sequence[str]]) -> list[list[Unit]]:
    """Units by the rarest label in them, from the most frequent label to the rarest."""
    counts = Counter(label for several in labels for label in several)
    strata: dict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        strata[min(_labels(unit, labels), key=lambda label: (counts[label], label), default="")].append(unit)
    return [strata[label] for label in sorted(strata, key=lambda label: (-counts[label], label))]
