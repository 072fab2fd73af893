"""What is understood of a message, what follows for the dialogue's state, and what is done next.

A message's Understanding holds `changes`; the state is the fold of the changes of a thread's understandings, in the order of
their messages, and of nothing else (understanding/dialogue/state). So it can be replayed, whatever became of the domain.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from zhuli.types.understanding.commands import Commands
from zhuli.types.understanding.domain import Language
from zhuli.types.wire import Request, Wire, by_type, optional


class IntentScore(Wire):
    """confidence: calibrated, from 0 to 1. start, end: the characters of the message that it is about."""

    name: str
    confidence: float
    start: int | None = optional()
    end: int | None = optional()


class EntityFound(Wire):
    """text: as it stands in the message at [start, end), in characters. value: normalised, such as 2026-11-23 of "tomorrow".

    source: the kind of the entity, or "reference" for what refers to an earlier value ("the same day"). negated: the message
    says that it is not this.
    """

    entity: str
    text: str
    value: Any
    start: int
    end: int
    source: str
    role: str | None = optional()
    confidence: float | None = optional()
    negated: bool = False


@dataclass(frozen=True, slots=True)
class ActsRead:
    """Dialogue acts of a text, several at once. certainty: of each, from 0 to 1, calibrated; said: those that it does."""

    certainty: Mapping[str, float] = field(default_factory=dict)
    said: frozenset[str] = frozenset()

    def of(self, act: str) -> float:
        """How certain it is; 0 where nothing is known of it."""
        return self.certainty.get(act, 0.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an understander says to one text.

    ranking: intents, likeliest first; confidences are calibrated and sum to at most 1. in_scope: how likely any of the
    domain's intents is meant. threshold: what in_scope × best confidence must reach for the best intent to be decided for.
    acts: None where the understander does not tell any; the packaged ones have those of the packaged heads beside them.
    commands: of an understander that writes some: what is done with the message then follows from them, and its clauses are not
    looked at.
    """

    ranking: list[IntentScore]
    in_scope: float
    threshold: float
    entities: list[EntityFound] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    acts: ActsRead | None = None
    commands: Commands | None = None


# What happened to a state. Each is applied by understanding/dialogue/state.fold.


class TurnTaken(Wire):
    """A message was understood. intent: None for out of scope."""

    type: Literal["turn"] = "turn"
    message_id: str | None = None
    language: Language | None = None
    intent: str | None = None
    confidence: float | None = None


class SlotSet(Wire):
    """how: what the value comes from; a "correction" replaces what was said before."""

    type: Literal["slot_set"] = "slot_set"
    slot: str
    value: Any
    text: str = ""
    how: Literal["entity", "intent", "text", "reference", "correction", "initial", "given"]
    message_id: str | None = None


class SlotCleared(Wire):
    """A slot holds nothing any more."""

    type: Literal["slot_cleared"] = "slot_cleared"
    slot: str
    why: Literal["negated", "invalid", "form_done", "form_cancelled", "given"]


class TopicOpened(Wire):
    """A topic is on top of the stack: an intent, with its form if it has one."""

    type: Literal["topic_opened"] = "topic_opened"
    intent: str
    form: str | None = None


class TopicClosed(Wire):
    """values: of a form that is done, what its slots held."""

    type: Literal["topic_closed"] = "topic_closed"
    how: Literal["done", "cancelled"]
    values: dict[str, Any] = Field(default={}, exclude_if=lambda values: not values)


class Asked(Wire):
    """The user was asked: for a slot, to confirm (slot None), or which intent was meant (intents).

    failed: how many answers in a row could not be used. text, entities: the message that was unclear, and what was found in
    it: when its intent is chosen, they fill its slots.
    """

    type: Literal["asked"] = "asked"
    slot: str | None = None
    intents: list[str] = []
    failed: int = 0
    text: str | None = optional()
    entities: list[EntityFound] = Field(default=[], exclude_if=lambda entities: not entities)


class Confirmed(Wire):
    """What was asked to be confirmed is confirmed."""

    type: Literal["confirmed"] = "confirmed"


class Did(Wire):
    """What a turn consisted of, for rules that look back: "/intent", then responses that were said and functions called."""

    type: Literal["did"] = "did"
    names: list[str]


class HandedOver(Wire):
    """released: given back to the assistant. taken: a person has begun to answer, and the user can't take it back."""

    type: Literal["handed_over"] = "handed_over"
    released: bool = False
    taken: bool = Field(default=False, exclude_if=lambda taken: not taken)


StateChange = Annotated[
    Annotated[TurnTaken, Tag("~turn")]
    | Annotated[SlotSet, Tag("~slot_set")]
    | Annotated[SlotCleared, Tag("~slot_cleared")]
    | Annotated[TopicOpened, Tag("~topic_opened")]
    | Annotated[TopicClosed, Tag("~topic_closed")]
    | Annotated[Asked, Tag("~asked")]
    | Annotated[Confirmed, Tag("~confirmed")]
    | Annotated[HandedOver, Tag("~handed_over")]
    | Annotated[Did, Tag("~did")],
    by_type(),
]


class SlotValue(Wire):
    """A value that a slot had. turn: in which it was set."""

    value: Any
    text: str
    how: str
    message_id: str | None
    turn: int


class SlotState(Wire):
    """history: oldest first; the last is the present one unless the slot was cleared."""

    value: Any = None
    history: list[SlotValue] = []


class Topic(Wire):
    """Something that is being talked about; the last of the stack is now, the others wait."""

    intent: str
    form: str | None = None
    confirmed: bool = False


class TopicDone(Wire):
    """A topic that was acted upon, in this turn, with these values of its slots."""

    intent: str
    form: str | None = None
    turn: int
    values: dict[str, Any] = {}


class DialogueState(Wire):
    """Of a thread. turn: messages understood. asked: what the last reply asked for, None if it asked for nothing.

    done: what was acted upon last, until another topic is opened; a correction takes it up again. recent: what happened last, as
    Did has it, kept where the domain's rules look back. taken: a person has begun to answer the thread that was handed over.
    """

    object: Literal["thread.state"] = "thread.state"
    thread_id: str | None = None
    domain: str | None = None
    turn: int = 0
    language: Language | None = None
    intent: str | None = None
    confidence: float | None = None
    slots: dict[str, SlotState] = {}
    topics: list[Topic] = []
    asked: Asked | None = None
    done: TopicDone | None = optional()
    handed_over: bool = False
    recent: list[str] = Field(default=[], exclude_if=lambda names: not names)
    taken: bool = Field(default=False, exclude_if=lambda taken: not taken)

    @property
    def form(self) -> str | None:
        """The open form, if the present topic has one."""
        return self.topics[-1].form if self.topics else None


class FurtherCall(Wire):
    """A function that is called together with the first one of a decision."""

    function: str
    arguments: dict[str, Any] = {}


class Decision(Wire):
    """What the policy does after a message.

    text: what is said (ask, confirm, respond, clarify, cancel, hand_over). function, arguments, response: of a call.
    query: of a search. instructions: for the model, of talk and search. why: for people who read the log. then: responses that
    are said with the output of a call, after `response`. also: functions that are called with the first. did: names of the
    responses and the functions, in their order.
    """

    act: Literal["ask", "confirm", "respond", "clarify", "cancel", "hand_over", "call", "search", "talk"]
    text: str | None = optional()
    slot: str | None = optional()
    function: str | None = optional()
    arguments: dict[str, Any] | None = optional()
    response: str | None = optional()
    query: str | None = optional()
    instructions: str | None = optional()
    why: str = ""
    then: list[str] = Field(default=[], exclude_if=lambda names: not names)
    also: list[FurtherCall] = Field(default=[], exclude_if=lambda calls: not calls)
    did: list[str] = Field(default=[], exclude=True)


class Understanding(Wire):
    """What was understood of one message, and what was decided.

    intent: None when nothing was understood (an empty message); out_of_scope is an intent like others. intents: all that the
    message has, in its order, where it has several. slots: those that this message set, by name.
    """

    id: str
    object: Literal["understanding"] = "understanding"
    created_at: int
    domain: str
    version: int
    text: str
    thread_id: str | None = None
    message_id: str | None = None
    run_id: str | None = None
    language: Language | None = None
    intent: IntentScore | None = None
    intents: list[IntentScore] = []
    ranking: list[IntentScore] = []
    entities: list[EntityFound] = []
    slots: dict[str, Any] = {}
    changes: list[StateChange] = []
    decision: Decision | None = None
    reasons: list[str] = []
    state: DialogueState | None = optional()


class MessageUnderstanding(Wire):
    """What a message shows of its understanding."""

    id: str
    intent: IntentScore | None = None
    entities: list[EntityFound] = []
    slots: dict[str, Any] = {}


class UnderstandingCreate(Request):
    """domain: an id. thread: whose state the message meets; or else state, as an answer gave it; with neither a new one."""

    domain: str
    input: Annotated[str, Field(max_length=256_000)]
    thread: str | None = None
    state: dict[str, Any] | None = None


class StateGive(Request):
    """What a client knows of a thread's state. slots: by name; null clears, as `clear` does. release: a thread that was handed
    over is the assistant's again. take: a person begins to answer it, so that the user can't take it back. domain:
    whose slots they are; None: the one by which the thread was understood last."""

    slots: dict[str, Any] = {}
    clear: list[str] = []
    release: bool = False
    take: bool = False
    domain: str | None = None
