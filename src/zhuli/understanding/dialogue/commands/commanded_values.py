"""Values that commands give to slots: what the words of the message say is read by the same rules as without a model.

A value must stand in the message or have been known before: a model's invention is dropped, and said. Dates are read by rule
alone, for a model does not know what day it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from zhuli.types.understanding.commands import SetSlot
from zhuli.types.understanding.domain import Entity, FromEntity, Slot
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.dialogue.slot_mappings import implied_entities, kind_asked, loose_entities, mappings_of
from zhuli.understanding.dialogue.slots.slot_validation import SlotUpdates
from zhuli.understanding.dialogue.slots.slot_values import fit
from zhuli.understanding.dialogue.utterance.interpreted_utterance import Refused
from zhuli.understanding.language.entity_extraction.entity_extraction import find_entities
from zhuli.understanding.language.plain_text import plain

Place = tuple[int, int]

_YES_NO = {"true": True, "yes": True, "是": True, "false": False, "no": False, "否": False}


@dataclass(slots=True)
class CommandedValues:
    """What becomes of the slots, with what was dropped and why. named: a slot that is to be changed, it is not said to what."""

    updates: SlotUpdates
    reasons: list[str]
    named: str | None = None

    def take(self, slot: Slot, command: SetSlot) -> None:
        """Give the slot what the command says, if the message says so."""
        if command.value is None:
            self._clear(slot, command)
            return
        mention = self._mention(slot, command)
        if isinstance(mention, str):
            self.reasons.append(f"The value {_shown(command)} of '{slot.name}' was dropped: {mention}.")
            return
        if slot.type == "list" and command.corrects:
            value = self.updates.value_of(slot, mention)
            if value is not None:
                self.updates.keep(slot, [value], mention.text, "correction")
                return
        if not self.updates.offer(slot, mention):
            self.reasons.append(f"The value {_shown(command)} can't be the slot '{slot.name}'.")

    def _clear(self, slot: Slot, command: SetSlot) -> None:
        held = self.updates.slot_context.value(slot.name)
        if command.corrects or held is None:
            self.named = self.named or slot.name
            return
        if isinstance(held, list):
            place = self._place(command.words)
            found = self._by_rule(slot, place, None) if place else None
            if found is not None:
                self.updates.deny(slot, found)
                return
        if slot.name not in self.updates.cleared:
            self.updates.cleared.append(slot.name)

    def _mention(self, slot: Slot, command: SetSlot) -> EntityFound | str:
        """The value where it stands; or why there is none."""
        place = self._place(command.words) or self._place(command.value if isinstance(command.value, str) else "")
        if place is None:
            earlier = self._earlier(slot, command.value)
            if earlier is not None:
                return _found(slot, command.words or str(command.value), earlier, (0, 0), "reference")
            closed = slot.type == "boolean" or (slot.type == "category" and bool(slot.values))
            if not (closed and self.updates.slot_context.asked == slot.name):
                return "its words are not in the message"
            place = (0, len(self._text))
        if (found := self._by_rule(slot, place, command.value)) is not None and not self._counted(
            found, place, command
        ):
            return found
        value = self._by_model(slot, place, command.value)
        if value is None:
            words = self._text[place[0] : place[1]]
            if slot.name == self.updates.slot_context.asked:
                self.updates.refused.setdefault(slot.name, Refused(slot.name, words))
            return f"it is no {slot.type}"
        return _found(slot, self._text[place[0] : place[1]], value, place, "learned")

    @property
    def _text(self) -> str:
        return self.updates.slot_context.text

    def _place(self, words: str) -> Place | None:
        """Where the words stand, whatever their case and width."""
        read = plain(words).strip(" .,!?，！？")
        at = plain(self._text).find(read) if read else -1
        return (at, at + len(read)) if at >= 0 else None

    def _by_rule(self, slot: Slot, place: Place, value: Any) -> EntityFound | None:
        """What rules find at the words for this slot, first for its entities, then for its type: of several what the model means,
        or the longest."""
        domain = self.updates.slot_context.domain
        wanted = {one.entity for one in mappings_of(domain, slot) if isinstance(one, FromEntity)}
        mapped = [one for one in (*domain.entities, *implied_entities(domain)) if one.name in wanted]
        tried = (self._read([one], place, slot) for one in (*mapped, *loose_entities(slot)) if one.kind != "learned")
        found = next((each for each in tried if each), [])
        return _best(found, place, value)

    def _read(self, entities: Sequence[Entity], place: Place, slot: Slot) -> list[EntityFound]:
        """Read in the whole message, for its other words say which half of the day is meant, or else in the words alone."""
        context = self.updates.slot_context
        asked = kind_asked(context.domain, slot) or entities[0].kind
        for start, text in ((0, self._text), (place[0], self._text[place[0] : place[1]])):
            read = find_entities(text, entities, language=context.language, now=context.now, asked=asked)
            moved = [one.model_copy(update={"start": one.start + start, "end": one.end + start}) for one in read]
            if met := [one for one in moved if _meets((one.start, one.end), place)]:
                return met
        return []

    def _counted(self, found: EntityFound, place: Place, command: SetSlot) -> bool:
        """Whether the model has added up what no rule does: "me and my two sons" are three."""
        value = _number(command.value)
        if found.source != "number" or value is None or value == found.value:
            return False
        rest = self._text[place[0] : place[1]].replace(found.text, " ", 1)
        return len(rest.split()) > 1 if rest.isascii() else len("".join(rest.split())) > 2

    def _by_model(self, slot: Slot, place: Place, value: Any) -> Any | None:
        words = self._text[place[0] : place[1]]
        match slot.type:
            case "boolean":
                return value if isinstance(value, bool) else _YES_NO.get(plain(str(value)).strip())
            case "number":
                return _number(value)
            case "date":
                return None
            case "text":
                return self._worded(slot, place, value)
            case "list" if not slot.values:
                return self._worded(slot, place, value)
        context = self.updates.slot_context
        fitting = (fit(slot, one, "", language=context.language, now=context.now) for one in (value, words))
        found = next((one for one in fitting if one is not None), None)
        return found if found is not None or slot.values or slot.type == "time" else words

    def _worded(self, slot: Slot, place: Place, value: Any) -> Any:
        """The model's value where the message has it or it was known before, or else the words as they stand."""
        inside = self._place(value) if isinstance(value, str) else None
        if inside is not None:
            return self._text[inside[0] : inside[1]]
        earlier = self._earlier(slot, value)
        return earlier if earlier is not None else self._text[place[0] : place[1]]

    def _earlier(self, slot: Slot, value: Any) -> Any | None:
        """The value as some slot of the dialogue had it."""
        context = self.updates.slot_context
        typed = fit(slot, value, str(value), language=context.language, now=context.now)
        histories = (known.history for known in context.state.slots.values())
        had = (one.value for history in histories for one in reversed(history))
        return next((one for one in had if typed is not None and one in (typed, value)), None)


def _best(found: Sequence[EntityFound], place: Place, value: Any) -> EntityFound | None:
    def order(one: EntityFound) -> tuple[bool, int]:
        meant = value is not None and (
            one.value == value or plain(str(value)) in (plain(str(one.value)), plain(one.text))
        )
        return meant, min(one.end, place[1]) - max(one.start, place[0])

    return max(found, key=order, default=None)


def _meets(one: Place, other: Place) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _found(slot: Slot, text: str, value: Any, place: Place, source: Literal["learned", "reference"]) -> EntityFound:
    return EntityFound(entity=slot.name, text=text, value=value, start=place[0], end=place[1], source=source)


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        read = float(str(value).replace(",", ""))
    except ValueError:
        return None
    return int(read) if read.is_integer() else read


def _shown(command: SetSlot) -> str:
    return repr(command.value if command.value is not None else command.words)[:80]
