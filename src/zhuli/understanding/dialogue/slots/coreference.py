"""What a message refers to: "the same day", "there", "还是那家" are values that slots had earlier in the dialogue.

Any slot's history counts, whichever form it was for and whether or not it was cleared when that form was done.
"""

import re
from collections.abc import Sequence

from zhuli.types.understanding.domain import DomainFields, FromEntity, Slot
from zhuli.types.understanding.understanding import DialogueState, EntityFound, SlotValue
from zhuli.understanding.dialogue.forms_and_slots import open_slots, slots_of
from zhuli.understanding.dialogue.slot_mappings import mappings_of
from zhuli.understanding.dialogue.slots.slot_context import Segment
from zhuli.understanding.dialogue.utterance.slot_names import Side, side_of_slot
from zhuli.understanding.dialogue.utterance.utterance_context import UtteranceContext
from zhuli.understanding.language.acts.references import Reference

_WIDE = frozenset("city area town district region country 城市 区域 地区 城区".split())
_PLACES = frozenset(
    "place location address where hotel restaurant station destination venue cinema theatre attraction shop airport to branch "
    "地点 地方 位置 地址 酒店 宾馆 餐厅 餐馆 饭店 景点 目的地 车站 机场 影院 门店 出发地 起点 终点".split()
)
_PEOPLE = frozenset(
    "person name contact doctor stylist agent guest recipient customer payee beneficiary 姓名 联系人 医生 客人 收款人".split()
)


def referred(
    context: UtteranceContext, state: DialogueState, segments: Sequence[Segment], *, pointing: Sequence[Reference]
) -> list[tuple[Slot, EntityFound]]:
    """Earlier values that the message points to, with the slot that is to take each. pointing: its references."""
    given: list[tuple[Slot, EntityFound]] = []
    for segment in segments:
        inside = [one for one in pointing if segment.start <= one.start and one.end <= segment.end]
        slots = slots_of(context.domain, segment.form)
        slots = [slot for slot in slots if _waits(context, state, slot)]
        slots.sort(key=lambda slot: context.slot is None or slot.name != context.slot.name)
        for reference, slot, value in _resolved(context.domain, state, inside, slots):
            mention = EntityFound(
                entity=slot.name,
                text=reference.text,
                value=value.value,
                start=reference.start,
                end=reference.end,
                source="reference",
            )
            given.append((slot, mention))
    return given


def _waits(context: UtteranceContext, state: DialogueState, slot: Slot) -> bool:
    known = state.slots.get(slot.name)
    return known is None or known.value is None or (context.slot is not None and context.slot.name == slot.name)


def _resolved(
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

    def preference(lent: tuple[Slot, SlotValue]) -> tuple[bool, bool, bool, int]:
        source, value = lent
        same = bool(_entities(domain, source) & _entities(domain, target))
        return same, _side(domain, source) != "from", not _words(domain, source) & _WIDE, value.turn

    lending = (source for source in domain.slots if _lends(domain, source, target))
    lent = [(source, value) for source in lending if (value := _past(domain, state, source, target)) is not None]
    return max(lent, key=preference)[1] if lent else None


def _lends(domain: DomainFields, source: Slot, target: Slot) -> bool:
    """Whether what one slot held may be what the other is to hold."""
    if source.type in ("date", "time", "number") or target.type in ("date", "time", "number"):
        return source.type == target.type
    if _entities(domain, source) & _entities(domain, target) or source.name == target.name:
        return True
    one, other = _words(domain, source), _words(domain, target)
    if other & _WIDE:
        return bool(one & _WIDE)
    return any(one & kind and other & kind for kind in (_PLACES | _WIDE, _PEOPLE))


def _past(domain: DomainFields, state: DialogueState, source: Slot, target: Slot) -> SlotValue | None:
    """The newest value of the source that can be meant.

    Not what the target holds already, nor a place that is another one of the open form: nobody goes where they are.
    """
    apart = [target] if target.type in ("date", "time", "number") else open_slots(domain, state)
    held = [known.value for slot in apart if (known := state.slots.get(slot.name)) and known.value is not None]
    known = state.slots.get(source.name)
    return next((value for value in reversed(known.history) if value.value not in held), None) if known else None


def _side(domain: DomainFields, slot: Slot) -> Side | None:
    """Which end of a way the slot is."""
    sides = (side_of_slot(slot, one) for one in mappings_of(domain, slot) if isinstance(one, FromEntity))
    return next((side for side in sides if side), None)


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
