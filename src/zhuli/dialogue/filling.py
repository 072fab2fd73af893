"""Which slot takes which value of a message.

In this order: what the message denies is cleared; the asked slot takes what fits it; every other value goes, in the order of the
message, to the slot that it is named for, or that has its role, or that is still empty, or (a correction) was filled last;
intents fill what they are mapped to; and what was asked for but not found is looked for by its type, or taken as it was said.
A value fills one slot. Segments that are about something else fill no slots of the open form.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from zhuli.dialogue.answering import is_bare
from zhuli.dialogue.calling import named_at, names_in, side_of_mention, side_of_slot
from zhuli.dialogue.heard import Filled, How, Refused
from zhuli.dialogue.mappings import (
    free_slots,
    mappings_of,
    slot_named,
    slots_of,
    takes_text,
    typed_entity,
    waiting_slots,
)
from zhuli.dialogue.scene import Scene, Segment
from zhuli.dialogue.values import fit, hours
from zhuli.dialogue.wishes import short_answer
from zhuli.language.entities import find_entities
from zhuli.types.domain import Entity, FromEntity, FromIntent, Slot
from zhuli.types.understanding import EntityFound

_HOLDS_NUMBERS = frozenset(("date", "time", "money", "phone", "email"))


@dataclass(slots=True)
class Filling:
    """What becomes of the slots. filled: by slot, in the order in which they were filled."""

    scene: Scene
    filled: dict[str, Filled] = field(default_factory=dict)
    cleared: list[str] = field(default_factory=list)
    refused: dict[str, Refused] = field(default_factory=dict)
    used: set[tuple[int, int]] = field(default_factory=set)

    def run(self) -> "Filling":
        for slot, mention in self.scene.referred:
            self._offer(slot, mention)
        for segment in self.scene.segments:
            slots = self._slots(segment)
            mentions = self._mentions(segment, slots)
            self._deny(slots, [one for one in mentions if one.negated])
            said = [one for one in mentions if not one.negated]
            asked = next((slot for slot in slots if slot.name == self.scene.asked), None) if segment.answers else None
            if asked is not None and self._answers_as_text(asked):
                self._take_text(asked, segment)
                continue
            self._answer(asked, slots, said, segment)
            for mention in said:
                self._place(mention, slots, segment)
            self._take_intents(segment)
            self._look_closer(asked, slots, segment)
        return self

    # ── which values there are ──

    def _slots(self, segment: Segment) -> list[Slot]:
        """Those that the segment may fill: of its form, then of forms that wait if it answers, and of no form."""
        slots = slots_of(self.scene.domain, segment.form)
        slots += waiting_slots(self.scene.domain, self.scene.state) if segment.answers else []
        return list({slot.name: slot for slot in (*slots, *free_slots(self.scene.domain))}.values())

    def _mentions(self, segment: Segment, slots: list[Slot]) -> list[EntityFound]:
        """Entities of the segment that a slot could take, without those that are only a piece of another."""
        inside = [one for one in self.scene.entities if segment.start <= one.start and one.end <= segment.end]
        wanted = [one for one in inside if any(self._takes(slot, one, segment) for slot in slots)]
        kinds = {entity.name: entity.kind for entity in self.scene.domain.entities}

        def swallowed(one: EntityFound) -> bool:
            longer = [other for other in inside if _covers(other, one)]
            return any(other in wanted or kinds.get(other.entity, other.source) in _HOLDS_NUMBERS for other in longer)

        return sorted((one for one in wanted if not swallowed(one)), key=lambda one: (one.start, -one.end))

    def _takes(self, slot: Slot, mention: EntityFound, segment: Segment) -> bool:
        return self._mapping(slot, mention, segment.intents) is not None

    def _mapping(self, slot: Slot, mention: EntityFound, intents: frozenset[str]) -> FromEntity | None:
        """How the slot takes it. A value without a role may have any; the best mapping is one with its role."""
        fitting = [
            mapping
            for mapping in mappings_of(self.scene.domain, slot)
            if isinstance(mapping, FromEntity)
            and mapping.entity == mention.entity
            and (mapping.role is None or mention.role in (None, mapping.role))
            and (not mapping.intents or intents.intersection(mapping.intents))
        ]
        return max(fitting, key=lambda mapping: mapping.role is not None and mapping.role == mention.role, default=None)

    # ── denied values ──

    def _deny(self, slots: list[Slot], mentions: Iterable[EntityFound]) -> None:
        for mention in mentions:
            for slot in slots:
                held = self.scene.value(slot.name)
                if held is None or not any(self._takes(slot, mention, segment) for segment in self.scene.segments):
                    continue
                value = self._fit(slot, mention)
                if isinstance(held, list) and value in held:
                    self._keep(slot, [item for item in held if item != value], mention.text, "correction")
                elif value == held and slot.name not in self.cleared:
                    self.cleared.append(slot.name)

    # ── the asked slot ──

    def _answers_as_text(self, asked: Slot) -> bool:
        """A slot that takes nothing but the whole message takes it, unless the message corrects something else."""
        fills_by_entity = any(isinstance(one, FromEntity) for one in mappings_of(self.scene.domain, asked))
        free = asked.name not in self.filled and not self.scene.corrects
        return free and not fills_by_entity and takes_text(self.scene.domain, asked)

    def _answer(self, asked: Slot | None, slots: list[Slot], mentions: list[EntityFound], segment: Segment) -> None:
        if asked is None or asked.name in self.filled:
            return
        if asked.type == "boolean" and self.scene.yes is not None:
            self._keep(asked, self.scene.yes, self.scene.text, "intent")
            return
        names = names_in(self.scene.text, slots)
        fitting = [one for one in mentions if self._takes(asked, one, segment)]
        fitting = [one for one in fitting if named_at(names, one.start, one.end) in (None, asked.name)]
        if self.scene.corrects and any(self._filled_elsewhere(asked, slots, one, segment) for one in fitting):
            return
        best = max(fitting, key=lambda one: self._on_its_side(asked, one, segment), default=None)
        if best is not None and self._on_its_side(asked, best, segment) >= 0:
            self._offer(asked, best)
        elif len(mentions) == 1 and self._is_hour(asked, mentions[0], segment):
            self._offer(asked, mentions[0])

    def _is_hour(self, asked: Slot, mention: EntityFound, segment: Segment) -> bool:
        """Whether a number that stands alone is the time that was asked for."""
        alone = is_bare(self.scene.text, segment.start, segment.end, [mention], wordless=True)
        return alone and not self.scene.corrects and _called_hour(asked, mention, asked.name)

    def _filled_elsewhere(self, asked: Slot, slots: list[Slot], mention: EntityFound, segment: Segment) -> bool:
        others = (slot for slot in slots if slot.name != asked.name and self._takes(slot, mention, segment))
        return any(self.scene.value(slot.name) is not None for slot in others)

    def _on_its_side(self, slot: Slot, mention: EntityFound, segment: Segment) -> int:
        """1: role or wording say that it is this slot's; -1: they say that it is the other's; 0: they say nothing."""
        mapping = self._mapping(slot, mention, segment.intents)
        if mapping is None:
            return -1
        if mapping.role is not None and mention.role is not None:
            return 1
        side, cue = side_of_slot(slot, mapping), side_of_mention(self.scene.text, mention.start)
        return 0 if side is None or cue is None else (1 if side == cue else -1)

    # ── all other values ──

    def _place(self, mention: EntityFound, slots: list[Slot], segment: Segment) -> None:
        if (mention.start, mention.end) in self.used:
            return
        names = names_in(self.scene.text, slots)
        named = named_at(names, mention.start, mention.end)
        taking = [slot for slot in slots if self._takes(slot, mention, segment) or _called_hour(slot, mention, named)]
        open_to_it = [slot for slot in taking if self._may(slot, mention, named, segment)]
        current = slots_of(self.scene.domain, segment.form)

        def order(slot: Slot) -> tuple[bool, bool, int, bool, int]:
            empty = self.scene.value(slot.name) is None
            side = self._on_its_side(slot, mention, segment) if len(taking) > 1 else 0
            newest = 0 if empty else -self._set_in_turn(slot)
            return slot.name != named, slot not in current, -side, empty == self.scene.corrects, newest

        before = dict(self.refused)
        ordered = sorted(open_to_it, key=order)
        if any(self._offer(slot, mention) for slot in ordered):
            self.refused = {name: one for name, one in before.items() if name not in self.filled}
        else:
            first = {slot.name: self.refused[slot.name] for slot in ordered[:1] if slot.name in self.refused}
            self.refused = first | before

    def _may(self, slot: Slot, mention: EntityFound, named: str | None, segment: Segment) -> bool:
        """Whether the slot is free for it: not filled by this message already, and not by chance a number like its own."""
        if slot.name in self.filled:
            return self.scene.corrects or slot.type == "list"
        if self.scene.value(slot.name) is None or slot.type == "list":
            return True
        if self.scene.corrects or segment.restates or named == slot.name or self.scene.asked in (None, slot.name):
            return True
        return mention.source != "number" or is_bare(self.scene.text, segment.start, segment.end, [mention])

    def _set_in_turn(self, slot: Slot) -> int:
        known = self.scene.state.slots.get(slot.name)
        return known.history[-1].turn if known and known.history else 0

    # ── intents, and what was asked for but not found ──

    def _take_intents(self, segment: Segment) -> None:
        for slot in [*slots_of(self.scene.domain, segment.form), *free_slots(self.scene.domain)]:
            for mapping in slot.mappings:
                if not isinstance(mapping, FromIntent) or not segment.intents.intersection(mapping.intents):
                    continue
                if slot.name not in self.filled and (not mapping.asked or self.scene.asked == slot.name):
                    self._keep(slot, mapping.value, self.scene.text[segment.start : segment.end], "intent")

    def _look_closer(self, asked: Slot | None, slots: list[Slot], segment: Segment) -> None:
        """The asked slot, or one that is named in a correction, by its type: "8" is a time if the time was asked for."""
        names = names_in(self.scene.text[segment.start : segment.end], slots)
        named = [slot_named(self.scene.domain, name) for _, _, name in names] if self._changes else []
        for slot in (asked, *named):
            if slot is None or slot.name in self.filled or slot.name in self.refused:
                continue
            if (found := self._by_type(slot, segment)) is not None:
                self._offer(slot, found)
            elif slot is asked and not self.filled and self._in_own_words(slot, segment):
                self._take_text(slot, segment)

    def _in_own_words(self, slot: Slot, segment: Segment) -> bool:
        if self.scene.corrects or self.scene.yes is not None:
            return False
        text = self.scene.text[segment.start : segment.end]
        return takes_text(self.scene.domain, slot) or short_answer(self.scene.domain, slot, text)

    @property
    def _changes(self) -> bool:
        return self.scene.corrects or self.scene.confirming

    def _by_type(self, slot: Slot, segment: Segment) -> EntityFound | None:
        text = self.scene.text[segment.start : segment.end]
        wanted = [entity for entity in (typed_entity(slot),) if entity]
        if slot.type == "time":
            wanted.append(Entity(name=slot.name, kind="number"))
        for entity in wanted:
            for one in find_entities(text, [entity], language=self.scene.language, now=self.scene.now):
                place = (one.start + segment.start, one.end + segment.start)
                if place not in self.used and not self._negated(place):
                    return one.model_copy(update={"start": place[0], "end": place[1]})
        return None

    def _negated(self, place: tuple[int, int]) -> bool:
        return any(one.negated and one.start <= place[0] and place[1] <= one.end for one in self.scene.entities)

    def _take_text(self, slot: Slot, segment: Segment) -> None:
        text = self.scene.text[segment.start : segment.end].strip()
        value = fit(slot, text, text, language=self.scene.language, now=self.scene.now)
        self._settle(slot, value, text, "text")

    # ── keeping ──

    def _offer(self, slot: Slot, mention: EntityFound) -> bool:
        """Give the value to the slot; whether it took it. What it refuses may still suit another."""
        value = self._fit(slot, mention)
        if slot.type == "list" and value is not None:
            value = self._added(slot, value)
        how: How = "reference" if mention.source == "reference" else "entity"
        if not self._settle(slot, value, mention.text, how):
            return False
        self.used.add((mention.start, mention.end))
        return True

    def _added(self, slot: Slot, item: Any) -> list[Any]:
        before = self.filled[slot.name].value if slot.name in self.filled else self.scene.value(slot.name)
        items = list(before) if isinstance(before, list) else []
        return items if item in items else [*items, item]

    def _fit(self, slot: Slot, mention: EntityFound) -> Any | None:
        values = hours(mention, self.scene.value(slot.name)) if slot.type == "time" else [mention.value]
        fitting = (fit(slot, one, mention.text, language=self.scene.language, now=self.scene.now) for one in values)
        return next((one for one in fitting if one is not None), None)

    def _settle(self, slot: Slot, value: Any | None, text: str, how: How) -> bool:
        if value is None:
            self.refused.setdefault(slot.name, Refused(slot.name, value, text))
            return False
        self._keep(
            slot, value if slot.type != "list" or isinstance(value, list) else self._added(slot, value), text, how
        )
        return True

    def _keep(self, slot: Slot, value: Any, text: str, how: How) -> None:
        """Remember it, unless the slot holds it already."""
        self.refused.pop(slot.name, None)
        held = self.scene.value(slot.name)
        if held == value and type(held) is type(value):
            return
        replaces = held is not None and slot.type != "list" and self.scene.open_before(slot.name)
        self.filled[slot.name] = Filled(
            slot.name, value, text, "correction" if replaces and how != "reference" else how
        )


def _covers(other: EntityFound, one: EntityFound) -> bool:
    longer = other.end - other.start > one.end - one.start
    return longer and other.start <= one.start and one.end <= other.end


def _called_hour(slot: Slot, mention: EntityFound, named: str | None) -> bool:
    """Whether a bare number is an hour, for the slot is called by name: "the time should be 8"."""
    return slot.name == named and slot.type == "time" and mention.source == "number"
