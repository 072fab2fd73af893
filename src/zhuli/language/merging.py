"""What was found by rule and what was learned, put together without saying the same twice."""

from collections.abc import Sequence

from zhuli.types.understanding import EntityFound


def merged(rules: Sequence[EntityFound], learned: Sequence[EntityFound]) -> list[EntityFound]:
    """All that was found, in the order of the text; entities may overlap others, but not themselves.

    Of two overlapping findings of one entity the longer stays, of two as long the one by rule, which knows the value. It takes
    the role that was learned for the other.
    """
    kept: list[EntityFound] = []
    for one in sorted([*rules, *learned], key=lambda found: found.start - found.end):
        place = next((place for place, other in enumerate(kept) if _same(one, other)), None)
        if place is None:
            kept.append(one)
        elif kept[place].role is None and one.role is not None:
            kept[place] = kept[place].model_copy(update={"role": one.role})
    return sorted(kept, key=lambda found: (found.start, found.end))


def _same(one: EntityFound, other: EntityFound) -> bool:
    return one.entity == other.entity and one.start < other.end and other.start < one.end
