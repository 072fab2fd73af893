"""Which slots of a segment could take which of its values: by entity, role and intent, and by the words around the value."""

from dataclasses import dataclass, field

from zhuli.types.understanding.domain import FromEntity, Slot
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.dialogue.forms_and_slots import free_slots, slots_of, waiting_slots
from zhuli.understanding.dialogue.slot_mappings import mappings_of
from zhuli.understanding.dialogue.slots.slot_context import Segment, SlotContext
from zhuli.understanding.dialogue.utterance.answers import is_bare
from zhuli.understanding.dialogue.utterance.slot_names import (
    named_at,
    names_in,
    side_of_mention,
    side_of_name,
    side_of_slot,
)
from zhuli.understanding.language.numbers.counting import takes
from zhuli.understanding.language.plain_text import plain

_HOLDS_NUMBERS = frozenset(("date", "time", "money", "phone", "email"))


@dataclass(slots=True)
class SlotCandidates:
    """One segment. slots: those that it may fill, of its form, then of forms that wait if it answers, and of no form."""

    slot_context: SlotContext
    segment: Segment
    slots: list[Slot] = field(init=False)
    current: list[Slot] = field(init=False)
    names: list[tuple[int, int, str]] = field(init=False)

    def __post_init__(self) -> None:
        domain = self.slot_context.domain
        self.current = slots_of(domain, self.segment.form)
        waiting = waiting_slots(domain, self.slot_context.state) if self.segment.answers else []
        self.slots = list({slot.name: slot for slot in (*self.current, *waiting, *free_slots(domain))}.values())
        self.names = names_in(self.slot_context.text, self.slots)

    @property
    def text(self) -> str:
        return self.slot_context.text[self.segment.start : self.segment.end]

    @property
    def asked(self) -> Slot | None:
        """The slot that was asked for, if the segment may answer."""
        if not self.segment.answers:
            return None
        return next((slot for slot in self.slots if slot.name == self.slot_context.asked), None)

    def mentions(self) -> list[EntityFound]:
        """Values that a slot could take, in their order, without those that are only a piece of another."""
        inside = [
            one for one in self.slot_context.entities if self.segment.start <= one.start and one.end <= self.segment.end
        ]
        wanted = [one for one in inside if any(self.takes(slot, one) for slot in self.slots)]
        kinds = {entity.name: entity.kind for entity in self.slot_context.domain.entities}

        def swallowed(one: EntityFound) -> bool:
            longer = [other for other in inside if _covers(other, one)]
            return any(other in wanted or kinds.get(other.entity, other.source) in _HOLDS_NUMBERS for other in longer)

        return sorted((one for one in wanted if not swallowed(one)), key=lambda one: (one.start, -one.end))

    def takes(self, slot: Slot, mention: EntityFound) -> bool:
        return self._mapping(slot, mention) is not None

    def taking(self, mention: EntityFound) -> list[Slot]:
        """Slots that could take it, those that are called by name for it among them."""
        return [slot for slot in self.slots if self.takes(slot, mention) or self._called_hour(slot, mention)]

    def named(self, mention: EntityFound) -> str | None:
        """The slot that the message calls by name for this value."""
        return named_at(self.names, mention.start, mention.end)

    def side(self, slot: Slot, mention: EntityFound) -> int:
        """1: role or wording say that it is this slot's; -1: they say that it is the other's; 0: they say nothing."""
        mapping = self._mapping(slot, mention)
        if mapping is None:
            return -1
        if mapping.role is not None and _role(mention, self.slot_context.text) is not None:
            return 1
        side, cue = side_of_slot(slot, mapping), side_of_mention(self.slot_context.text, mention.start)
        return 0 if side is None or cue is None else (1 if side == cue else -1)

    def is_hour(self, slot: Slot, mention: EntityFound) -> bool:
        """Whether a number that stands alone is the time that was asked for."""
        alone = self._is_bare(mention, wordless=True)
        return alone and not self.slot_context.corrects and slot.type == "time" and mention.source == "number"

    def by_chance(self, mention: EntityFound) -> bool:
        """Whether it may be a number of something else than the slots that take numbers."""
        if mention.source != "number" or self.slot_context.corrects or self.segment.restates:
            return False
        return not self._is_bare(mention, wordless=False)

    def _counts(self, slot: Slot, mention: EntityFound) -> bool:
        """Whether the noun behind a number lets it be this slot's, unasked: "a 4 star hotel" is for no nights."""
        names = [other.name for other in self.slots if other.type == "number"]
        return takes(slot.name, plain(self.slot_context.text), mention.end, names=names)

    def _is_bare(self, mention: EntityFound, *, wordless: bool) -> bool:
        place = (mention.start, mention.end)
        return is_bare(self.slot_context.text, self.segment.start, self.segment.end, [place], wordless=wordless)

    def _called_hour(self, slot: Slot, mention: EntityFound) -> bool:
        """ "The time should be 8": the number is an hour."""
        return slot.type == "time" and mention.source == "number" and slot.name == self.named(mention)

    def _mapping(self, slot: Slot, mention: EntityFound) -> FromEntity | None:
        """How the slot takes it. A value without a role may have any; the best mapping is one with its role."""
        if mention.source == "number" and slot.name != self.slot_context.asked and not self._counts(slot, mention):
            return None
        role = _role(mention, self.slot_context.text)
        fitting = [
            mapping
            for mapping in mappings_of(self.slot_context.domain, slot)
            if isinstance(mapping, FromEntity)
            and mapping.entity == mention.entity
            and (mapping.role is None or role in (None, mapping.role))
            and (not mapping.intents or self.segment.intents.intersection(mapping.intents))
            and (not mapping.asked or slot.name == self.slot_context.asked)
        ]
        return max(fitting, key=lambda mapping: mapping.role is not None and mapping.role == role, default=None)


def _covers(other: EntityFound, one: EntityFound) -> bool:
    longer = other.end - other.start > one.end - one.start
    return longer and other.start <= one.start and one.end <= other.end


def _role(mention: EntityFound, text: str) -> str | None:
    """Its role, unless the word before it says the opposite: roles are learned from few examples, "to" is plain."""
    side = side_of_name(mention.role) if mention.role else None
    cue = side_of_mention(text, mention.start)
    return mention.role if side is None or cue in (None, side) else None
