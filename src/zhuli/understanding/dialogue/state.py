"""The state of a dialogue: the fold of what happened to it, and of nothing else.

It needs no domain: what a domain makes of a state that was folded under an older version of it is for tracking and policy.
"""

from collections.abc import Iterable

from zhuli.types.understanding.understanding import (
    Asked,
    Confirmed,
    DialogueState,
    Did,
    HandedOver,
    SlotCleared,
    SlotSet,
    SlotState,
    SlotValue,
    StateChange,
    Topic,
    TopicClosed,
    TopicDone,
    TopicOpened,
    TurnTaken,
)

MOST_TOPICS = 8
"""More than these wait for nobody: the oldest is forgotten."""

MOST_RECENT = 24
"""Names that are kept of what happened last; a rule looks back at most 16."""


def fold(changes: Iterable[StateChange], state: DialogueState | None = None) -> DialogueState:
    """The state after the changes, which began with `state` (None: a new one). Nothing that is given is altered."""
    changes = list(changes)
    if state is not None and not changes:
        return state
    folded = state.model_copy(deep=True) if state is not None else DialogueState()
    for change in changes:
        _apply(folded, change)
    return folded


def _apply(state: DialogueState, change: StateChange) -> None:
    match change:
        case TurnTaken():
            state.turn += 1
            state.language = change.language or state.language
            state.intent, state.confidence, state.asked = change.intent, change.confidence, None
        case SlotSet() | SlotCleared():
            _fill(state, change)
        case TopicOpened():
            _open(state, change)
        case TopicClosed():
            _close(state, change)
        case Asked():
            state.asked = change
        case Confirmed():
            if state.topics:
                state.topics[-1].confirmed = True
        case HandedOver():
            state.handed_over = not change.released
            state.taken = change.taken and not change.released
        case Did():
            state.recent = [*state.recent, *change.names][-MOST_RECENT:]


def _fill(state: DialogueState, change: SlotSet | SlotCleared) -> None:
    slot = state.slots.setdefault(change.slot, SlotState())
    if isinstance(change, SlotCleared):
        slot.value = None
        return
    slot.value = change.value
    slot.history.append(
        SlotValue(value=change.value, text=change.text, how=change.how, message_id=change.message_id, turn=state.turn)
    )


def _open(state: DialogueState, change: TopicOpened) -> None:
    """A form is on the stack at most once: opening one that waits brings it up."""
    waiting = [topic for topic in state.topics if topic.form is None or topic.form != change.form]
    state.topics = [*waiting, Topic(intent=change.intent, form=change.form)][-MOST_TOPICS:]
    state.asked = state.done = None


def _close(state: DialogueState, change: TopicClosed) -> None:
    if state.topics and change.how == "done":
        topic = state.topics[-1]
        state.done = TopicDone(intent=topic.intent, form=topic.form, turn=state.turn, values=change.values)
    state.topics, state.asked = state.topics[:-1], None
