"""A message laid out for filling slots: its entities, and which stretch of it is about what. Made by the interpreter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from zhuli.types.understanding.domain import DomainFields, Form, Language, Slot
from zhuli.types.understanding.understanding import DialogueState, EntityFound
from zhuli.understanding.dialogue.responses.responses import held


@dataclass(frozen=True, slots=True)
class Segment:
    """Characters [start, end) that are about one thing. form: whose slots they may fill, None for those of no form.

    intents: what is meant there. answers: whether it may answer what was asked. restates: it has the open form's own intent.
    """

    start: int
    end: int
    form: Form | None
    intents: frozenset[str]
    answers: bool
    restates: bool = False


@dataclass(frozen=True, slots=True)
class SlotContext:
    """state: as it stands when the slots are filled, which is after cancelling. asked: the slot that was asked for.

    yes: whether the message says yes or no. confirming: it answers whether all is right. referred: earlier values that it
    points to, with the slot that is to take each.
    """

    domain: DomainFields
    state: DialogueState
    text: str
    language: Language | None
    now: datetime
    entities: Sequence[EntityFound]
    segments: Sequence[Segment]
    asked: str | None
    yes: bool | None
    corrects: bool
    confirming: bool
    referred: Sequence[tuple[Slot, EntityFound]] = ()

    def value(self, slot: str) -> object:
        return held(self.state, slot)

    def turn_of(self, slot: str) -> int:
        """In which the slot was filled last."""
        known = self.state.slots.get(slot)
        return known.history[-1].turn if known and known.history else 0

    def open_before(self, slot: str) -> bool:
        """Whether the slot belongs to a form that was open before this message."""
        opened = {topic.form for topic in self.state.topics}
        forms = (form for form in self.domain.forms if form.name in opened)
        return any(slot in (*form.slots, *form.optional) for form in forms)
