"""The end of the topic on top: its slots go where they should, and the topic that waited is on top again."""

from typing import Literal

from zhuli.types.understanding.domain import DomainFields
from zhuli.types.understanding.understanding import DialogueState, SlotCleared, SlotSet, StateChange, TopicClosed
from zhuli.understanding.dialogue.forms_and_slots import form_named, open_slots, slots_of
from zhuli.understanding.dialogue.responses.responses import held


def closed(domain: DomainFields, state: DialogueState, how: Literal["done", "cancelled"]) -> list[StateChange]:
    """Changes that close the topic on top.

    A form that is done keeps the slots that are to be kept; one that was cancelled keeps none, so that it can be begun anew.
    What a waiting form also has stays. A slot with an initial value goes back to it.
    """
    waiting = {slot.name for topic in state.topics[:-1] for slot in slots_of(domain, form_named(domain, topic.form))}
    own = open_slots(domain, state)
    values = {slot.name: held(state, slot.name) for slot in own if how == "done" and held(state, slot.name) is not None}
    slots = [slot for slot in own if slot.name not in waiting]
    gone = [slot for slot in slots if held(state, slot.name) is not None and (how == "cancelled" or not slot.keep)]
    changes: list[StateChange] = []
    for slot in gone:
        changes.append(SlotCleared(slot=slot.name, why="form_done" if how == "done" else "form_cancelled"))
        if slot.initial is not None:
            changes.append(SlotSet(slot=slot.name, value=slot.initial, how="initial"))
    return [*changes, TopicClosed(how=how, values=values)]


def stale(domain: DomainFields, state: DialogueState) -> list[StateChange]:
    """Closes topics whose form the domain no longer has, down to one that it has."""
    known = {form.name for form in domain.forms}
    changes: list[StateChange] = []
    for topic in reversed(state.topics):
        if topic.form in known:
            break
        changes.append(TopicClosed(how="cancelled"))
    return changes
