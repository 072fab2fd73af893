"""What was found by rule and what was learned, put together without saying the same twice."""

from collections.abc import Sequence

from zhuli.types.understanding.understanding import EntityFound


def merged(rules: Sequence[EntityFound], learned: Sequence[EntityFound]) -> list[EntityFound]:
    """All that was found, in the order of the text; entities may overlap others, but not themselves.

    Of two overlapping findings of one entity the longer stays, of two as long the one by rule, which knows the value. If it has
    no role, it takes the surest that was learned for what it overlaps. What was learned of roles alone (source "role") never
    stands for itself.
    """
    kept: list[EntityFound] = []
    for one in sorted(
        [*rules, *(one for one in learned if one.source != "role")], key=lambda found: found.start - found.end
    ):
        if not any(_same(one, other) for other in kept):
            kept.append(one)
    return sorted((_with_role(one, learned) for one in kept), key=lambda found: (found.start, found.end))


def _with_role(one: EntityFound, learned: Sequence[EntityFound]) -> EntityFound:
    roles = [other for other in learned if other.role is not None and _same(one, other)]
    if one.role is not None or not roles:
        return one
    return one.model_copy(update={"role": max(roles, key=lambda other: other.confidence or 0.0).role})


def _same(one: EntityFound, other: EntityFound) -> bool:
    return one.entity == other.entity and one.start < other.end and other.start < one.end
