"""State tracking: what a message changes: the turn, what is cancelled and opened, what slots take. What is done is policy's."""

from collections.abc import Iterator

from zhuli.types.understanding.domain import OUT_OF_SCOPE, DomainFields
from zhuli.types.understanding.understanding import (
    DialogueState,
    SlotCleared,
    SlotSet,
    StateChange,
    TopicClosed,
    TurnTaken,
)
from zhuli.understanding.dialogue.state import fold
from zhuli.understanding.dialogue.topics.topic_stack import closed, stale
from zhuli.understanding.dialogue.utterance.interpreted_utterance import InterpretedUtterance


def track(
    domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance, *, message_id: str | None
) -> list[StateChange]:
    """The changes, in the order in which they happen."""
    intent = utterance.intent
    turn = TurnTaken(
        message_id=message_id,
        language=utterance.language,
        intent=intent.name if intent and intent.name != OUT_OF_SCOPE else None,
        confidence=intent.confidence if intent else None,
    )
    changes: list[StateChange] = [turn, *stale(domain, state), *_begun(domain, state), *utterance.reopened]
    if utterance.cancels or (utterance.leaves and state.form is not None and not utterance.opened):
        changes += closed(domain, fold(changes, state), "cancelled")
    elif utterance.leaves and state.form is not None:  # for another form: it keeps what it knows, but does not wait
        changes.append(TopicClosed(how="cancelled"))
    changes += utterance.opened
    changes += [SlotCleared(slot=name, why="negated") for name in utterance.cleared]
    for one in utterance.filled:
        changes.append(SlotSet(slot=one.slot, value=one.value, text=one.text, how=one.how, message_id=message_id))
    return changes


def _begun(domain: DomainFields, state: DialogueState) -> Iterator[SlotSet]:
    """Initial values of slots of which the state knows nothing yet."""
    for slot in domain.slots:
        if slot.initial is not None and slot.name not in state.slots:
            yield SlotSet(slot=slot.name, value=slot.initial, how="initial")
