"""An interpreted utterance: its intents, its entities, and what they say about slots. State tracking and policy read it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from zhuli.types.understanding.domain import OUT_OF_SCOPE, Act, Language, Rule, SmallTalk
from zhuli.types.understanding.understanding import Asked, EntityFound, IntentScore, StateChange, TopicOpened

How = Literal["entity", "intent", "text", "reference", "correction"]


@dataclass(frozen=True, slots=True)
class Filled:
    """A slot and its new value, which is valid. text: as the user said it. how: as in SlotSet."""

    slot: str
    value: Any
    text: str
    how: How


@dataclass(frozen=True, slots=True)
class Refused:
    """A value that the slot can't have."""

    slot: str
    text: str


@dataclass(frozen=True, slots=True)
class InterpretedUtterance:
    """One message, as this domain understands it in this state.

    asked: what had been asked for before it. intents: in the order of the message, out of scope among them, empty only for an
    empty message; intent: the one that counts most. ranking: of the whole message. act: yes, no and their like, by intent or
    wording. corrects: the wording says that something was wrong. unclear: two intents are about as likely; they lead the ranking.
    filled, cleared, refused: what becomes of slots. named: a slot that is to be changed, the message does not say to what.
    goes_on: it says not to cancel. cancels: the form that is left. opened: forms to open, the last on top. reopened:
    changes that bring back the form that was acted upon last, which the message corrects. rules: of the domain that hold, by
    intent; leaves: one of them leaves the form. talk: small talk that is to be
    answered, where the message is nothing else. doubtful: intents whose action can't be taken back, and that are not certain
    enough for it. takes_back: it wants no person after all. knowledge: it asks what documents may
    answer. reasons: why, in the order of the decisions.
    """

    text: str
    language: Language | None
    intents: list[IntentScore] = field(default_factory=list)
    intent: IntentScore | None = None
    ranking: list[IntentScore] = field(default_factory=list)
    entities: list[EntityFound] = field(default_factory=list)
    act: Act | None = None
    corrects: bool = False
    unclear: bool = False
    reasons: list[str] = field(default_factory=list)
    asked: Asked | None = None
    filled: list[Filled] = field(default_factory=list)
    cleared: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    named: str | None = None
    goes_on: bool = False
    cancels: str | None = None
    opened: list[TopicOpened] = field(default_factory=list)
    reopened: list[StateChange] = field(default_factory=list)
    rules: dict[str, Rule] = field(default_factory=dict)
    leaves: bool = False
    talk: SmallTalk | None = None
    doubtful: frozenset[str] = frozenset()
    takes_back: bool = False
    knowledge: bool = False

    @property
    def out_of_scope(self) -> bool:
        return self.intent is not None and self.intent.name == OUT_OF_SCOPE

    @property
    def usable(self) -> bool:
        """Whether the message said anything about a slot, if only what it shall not be."""
        said = self.filled or self.cleared or self.named or self.goes_on
        return bool(said) or any(one.negated for one in self.entities)
