"""Slot validation: a message's values fill, clear or are refused; only valid ones are kept. What goes where is slot filling's."""

from dataclasses import dataclass, field
from typing import Any

from zhuli.types.understanding.domain import Slot
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.dialogue.slots.slot_context import SlotContext
from zhuli.understanding.dialogue.slots.slot_values import fit, hours
from zhuli.understanding.dialogue.utterance.interpreted_utterance import Filled, How, Refused


@dataclass(slots=True)
class SlotUpdates:
    """filled: by slot, in the order in which they were filled. used: places of the message whose value has gone to a slot.
    reasons: why values went to these of several slots."""

    slot_context: SlotContext
    filled: dict[str, Filled] = field(default_factory=dict)
    cleared: list[str] = field(default_factory=list)
    refused: dict[str, Refused] = field(default_factory=dict)
    used: set[tuple[int, int]] = field(default_factory=set)
    reasons: list[str] = field(default_factory=list)

    def value_of(self, slot: Slot, mention: EntityFound) -> Any | None:
        """The value as the slot would hold it, None if it can't."""
        values = hours(mention, self.slot_context.value(slot.name)) if slot.type == "time" else [mention.value]
        fitting = (
            fit(slot, one, mention.text, language=self.slot_context.language, now=self.slot_context.now)
            for one in values
        )
        return next((one for one in fitting if one is not None), None)

    def offer(self, slot: Slot, mention: EntityFound) -> bool:
        """Give the value to the slot; whether it took it."""
        value = self.value_of(slot, mention)
        how: How = "reference" if mention.source == "reference" else "entity"
        if value is None:
            self.refused.setdefault(slot.name, Refused(slot.name, mention.text))
            return False
        self.keep(slot, self._held_with(slot, value), mention.text, how)
        self.used.add((mention.start, mention.end))
        return True

    def offer_text(self, slot: Slot, text: str) -> None:
        """Give it words as they stand."""
        value = fit(slot, text, text, language=self.slot_context.language, now=self.slot_context.now)
        if value is None:
            self.refused.setdefault(slot.name, Refused(slot.name, text))
        else:
            self.keep(slot, self._held_with(slot, value), text, "text")

    def deny(self, slot: Slot, mention: EntityFound) -> None:
        """The slot is not this: a list loses it, anything else is cleared if it held it."""
        held, value = self.slot_context.value(slot.name), self.value_of(slot, mention)
        if isinstance(held, list) and value in held:
            self.keep(slot, [item for item in held if item != value], mention.text, "correction")
        elif held is not None and value == held and slot.name not in self.cleared:
            self.cleared.append(slot.name)

    def keep(self, slot: Slot, value: Any, text: str, how: How) -> None:
        """Remember it, unless the slot holds it already."""
        self.refused.pop(slot.name, None)
        held = self.slot_context.value(slot.name)
        if held == value and type(held) is type(value):
            self.filled.pop(slot.name, None)
            return
        replaces = held is not None and slot.type != "list" and self.slot_context.open_before(slot.name)
        self.filled[slot.name] = Filled(
            slot.name, value, text, "correction" if replaces and how != "reference" else how
        )

    def _held_with(self, slot: Slot, item: Any) -> Any:
        """A list with the item behind what it holds; anything else holds one value."""
        if slot.type != "list":
            return item
        before = self.filled[slot.name].value if slot.name in self.filled else self.slot_context.value(slot.name)
        items = list(before) if isinstance(before, list) else []
        return items if item in items else [*items, item]
