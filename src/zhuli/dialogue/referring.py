"""What a message refers to: "the same day", "there", "还是那家" are values that slots had earlier in the dialogue.

Any slot's history counts, whichever form it was for and whether or not it was cleared when that form was done.
"""

import re
from collections.abc import Sequence

from zhuli.dialogue.calling import side_of_slot
from zhuli.dialogue.mappings import mappings_of
from zhuli.language.references import Reference
from zhuli.types.domain import DomainFields, FromEntity, Slot
from zhuli.types.understanding import DialogueState, SlotValue

_WIDE = frozenset("city area town district region country 城市 区域 地区 城区".split())
_PLACES = frozenset(
    "place location address where hotel restaurant station destination venue cinema theatre attraction shop airport to branch "
    "地点 地方 位置 地址 酒店 宾馆 餐厅 餐馆 饭店 景点 目的地 车站 机场 影院 门店 出发地 起点 终点".split()
)
_PEOPLE = frozenset(
    "person name contact doctor stylist agent guest recipient customer 姓名 联系人 医生 客人 收款人".split()
)


def resolved(
    domain: DomainFields, state: DialogueState, references: Sequence[Reference], slots: Sequence[Slot]
) -> list[tuple[Reference, Slot, SlotValue]]:
    """What each reference gives to which of the slots, which come in the order of preference. Each slot takes one."""
    given: list[tuple[Reference, Slot, SlotValue]] = []
    for reference in references:
        free = [slot for slot in slots if all(slot.name != taken.name for _, taken, _ in given)]
        if reference.about == "all":
            given += [(reference, slot, value) for slot in free if (value := _own(state, slot))]
            continue
        fitting = [slot for slot in free if _is_about(domain, slot, reference.about)]
        found = ((slot, _earlier(domain, state, slot)) for slot in fitting)
        given += [(reference, slot, value) for slot, value in found if value is not None][:1]
    return given


def _own(state: DialogueState, slot: Slot) -> SlotValue | None:
    """What the slot itself held before it was cleared."""
    known = state.slots.get(slot.name)
    return known.history[-1] if known and known.value is None and known.history else None


def _earlier(domain: DomainFields, state: DialogueState, target: Slot) -> SlotValue | None:
    """The value that suits the target best: of the same entity rather than of the same kind, where one went to rather than
    where one left from, exact rather than wide, newest."""

    def preference(source: Slot) -> tuple[bool, bool, bool, int]:
        same = bool(_entities(domain, source) & _entities(domain, target))
        left = any(
            side_of_slot(source, one) == "from" for one in mappings_of(domain, source) if isinstance(one, FromEntity)
        )
        return same, not left, not _words(domain, source) & _WIDE, state.slots[source.name].history[-1].turn

    sources = [source for source in domain.slots if _lends(domain, state, source, target)]
    return state.slots[max(sources, key=preference).name].history[-1] if sources else None


def _lends(domain: DomainFields, state: DialogueState, source: Slot, target: Slot) -> bool:
    known = state.slots.get(source.name)
    if known is None or not known.history or (source.name == target.name and known.value is not None):
        return False
    if source.type in ("date", "time", "number") or target.type in ("date", "time", "number"):
        return source.type == target.type
    if _entities(domain, source) & _entities(domain, target) or source.name == target.name:
        return True
    one, other = _words(domain, source), _words(domain, target)
    if other & _WIDE:
        return bool(one & _WIDE)
    return any(one & kind and other & kind for kind in (_PLACES | _WIDE, _PEOPLE))


def _is_about(domain: DomainFields, slot: Slot, about: str) -> bool:
    match about:
        case "date" | "time":
            return slot.type == about
        case "place":
            return slot.type in ("text", "category") and bool(_words(domain, slot) & (_PLACES | _WIDE))
        case "person":
            return slot.type in ("text", "category") and bool(_words(domain, slot) & _PEOPLE)
    return slot.type in ("text", "category", "number")


def _entities(domain: DomainFields, slot: Slot) -> set[str]:
    return {mapping.entity for mapping in mappings_of(domain, slot) if isinstance(mapping, FromEntity)}


def _words(domain: DomainFields, slot: Slot) -> set[str]:
    """What the names of the slot and of its entities are made of; Chinese ones count for what they contain."""
    names = " ".join((slot.name, *_entities(domain, slot))).lower()
    contained = {word for word in _WIDE | _PLACES | _PEOPLE if not word.isascii() and word in names}
    return set(re.split(r"[\s_\-]+", names)) | contained
