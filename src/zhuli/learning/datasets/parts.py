"""Which examples are held out: by thread and user, the same labels in both parts, and what was held out stays so. Pure.

Nobody's words are on both sides: examples that share a thread, a user, a group, also by way of others, are one unit. A unit
that an earlier version has stays where it was, so that a model is never measured on what an earlier one learned. Where two
units of different sides have grown together, they are in training.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Part = Literal["train", "validation"]


@dataclass(frozen=True, slots=True)
class Member:
    """An example as the split sees it. marks: what it shares with others of its unit, like ("user", "u-17")."""

    id: str
    marks: Sequence[tuple[str, str]]
    labels: Sequence[str]


def split(members: Sequence[Member], *, share: float, seed: int, earlier: Mapping[str, Part]) -> list[Part]:
    """The part of each. share: of the examples that are held out, in each label as far as whole units can give it."""
    units = _units(members)
    parts: list[Part] = ["train"] * len(members)
    counts = Counter(label for member in members for label in member.labels)
    strata: dict[str, list[list[int]]] = defaultdict(list)
    fixed: dict[str, list[tuple[list[int], Part]]] = defaultdict(list)
    for unit in units:
        labels = set(members[unit[0]].labels).union(*(members[index].labels for index in unit[1:]))
        stratum = min(labels, key=lambda label: (counts[label], label)) if len(labels) > 1 else next(iter(labels), "")
        was = {earlier[members[index].id] for index in unit if members[index].id in earlier} if earlier else None
        if was:
            fixed[stratum].append((unit, "train" if "train" in was else "validation"))
        else:
            strata[stratum].append(unit)
    order, owed = random.Random(seed), 0.0
    for stratum in sorted(strata.keys() | fixed.keys(), key=lambda label: (-counts[label], label)):
        held = [unit for unit, part in fixed[stratum] if part == "validation"]
        learned = sum(part == "train" for _, part in fixed[stratum])
        fresh = sorted(strata[stratum], key=lambda unit: members[unit[0]].id)
        order.shuffle(fresh)
        size = sum(map(len, fresh)) + sum(len(unit) for unit, _ in fixed[stratum])
        owed += share * size - sum(map(len, held))
        while fresh and (learned or len(fresh) > 1) and owed >= len(fresh[-1]) / 2:
            unit = fresh.pop()
            owed -= len(unit)
            held.append(unit)
        for unit in held:
            for index in unit:
                parts[index] = "validation"
    _bring_back(members, units, parts)
    return parts


def _bring_back(members: Sequence[Member], units: Sequence[Sequence[int]], parts: list[Part]) -> None:
    """No label is held out that training has not: what has one goes to training."""
    known = {label for member, part in zip(members, parts, strict=True) if part == "train" for label in member.labels}
    for unit in units:
        if parts[unit[0]] == "validation" and not all(
            label in known for index in unit for label in members[index].labels
        ):
            for index in unit:
                parts[index] = "train"
            known.update(label for index in unit for label in members[index].labels)


def _units(members: Sequence[Member]) -> list[list[int]]:
    """Union-find over marks."""
    parent = list(range(len(members)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = index = parent[parent[index]]
        return index

    first: dict[tuple[str, str], int] = {}
    for index, member in enumerate(members):
        for mark in member.marks:
            parent[root(index)] = root(first.setdefault(mark, index))
    units: dict[int, list[int]] = defaultdict(list)
    for index in range(len(members)):
        units[root(index)].append(index)
    return list(units.values())


def replayed(labels: Sequence[Sequence[str]], old: Sequence[bool], *, share: float, seed: int) -> list[bool]:
    """Which training examples stay: all new ones, and of the old ones so many that they are `share` of all, label by label.

    Where there are too few old ones, all of them stay.
    """
    fresh = sum(not one for one in old)
    wanted = min(sum(old), round(fresh * share / (1 - share))) if fresh else sum(old)
    strata: dict[str, list[int]] = defaultdict(list)
    for index, is_old in enumerate(old):
        if is_old:
            strata[labels[index][0] if labels[index] else ""].append(index)
    order, kept = random.Random(seed), set[int]()
    total, owed = max(1, sum(old)), 0.0
    for label in sorted(strata):
        order.shuffle(strata[label])
        owed += wanted * len(strata[label]) / total
        take = min(len(strata[label]), max(1, round(owed)) if wanted else 0)
        owed -= take
        kept.update(strata[label][:take])
    return [not is_old or index in kept for index, is_old in enumerate(old)]
