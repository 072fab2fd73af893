"""What a message goes back to: the form that was acted upon last, and the message that was too unclear to act upon."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from zhuli.types.understanding.domain import DomainFields, Intent
from zhuli.types.understanding.understanding import Asked, DialogueState, SlotSet, StateChange, TopicOpened
from zhuli.understanding.dialogue.forms_and_slots import form_named, slots_of
from zhuli.understanding.dialogue.responses.responses import held
from zhuli.understanding.dialogue.slots.slot_context import Segment, SlotContext
from zhuli.understanding.dialogue.slots.slot_filling import filled
from zhuli.understanding.dialogue.utterance.interpreted_utterance import Filled, InterpretedUtterance

MOST_TURNS = 3
"""After a form was acted upon, in which a correction is about it: "actually, make it five people"."""


def reopening(domain: DomainFields, state: DialogueState) -> Iterator[StateChange]:
    """Changes that bring the form that was just acted upon back, with what it held; none if another is open."""
    done = state.done
    form = form_named(domain, done.form) if done else None
    if done is None or form is None or state.topics or state.turn - done.turn >= MOST_TURNS:
        return
    yield TopicOpened(intent=done.intent, form=form.name)
    for slot in slots_of(domain, form):
        if slot.name in done.values and held(state, slot.name) is None:
            yield SlotSet(slot=slot.name, value=done.values[slot.name], how="reference")


def mends(domain: DomainFields, utterance: InterpretedUtterance) -> bool:
    """Whether the message, interpreted as if its form were still open, changes something in it and wants nothing else."""
    changed = (
        {one.slot for one in utterance.filled}
        | {one.slot for one in utterance.refused}
        | {*utterance.cleared, utterance.named}
    )
    own = {slot.name for form in domain.forms for slot in slots_of(domain, form)}
    return bool(changed & own) and not utterance.opened and utterance.cancels is None and utterance.act != "handover"


def recalled(slot_context: SlotContext, asked: Asked | None, wanted: Iterable[Intent]) -> dict[str, Filled]:
    """What the message that had been unclear says about the slots of the intent that was chosen for it, if one was.

    wanted: the intents of the message now.
    """
    intent = next((one for one in wanted if asked and one.name in asked.intents), None)
    if asked is None or intent is None:
        return {}
    text = asked.text or ""
    form = form_named(slot_context.domain, intent.form)
    segment = Segment(0, len(text), form, frozenset({intent.name}), answers=False)
    before = replace(
        slot_context,
        text=text,
        entities=asked.entities,
        segments=[segment],
        asked=None,
        yes=None,
        corrects=False,
        confirming=False,
        referred=(),
    )
    return filled(before).filled
