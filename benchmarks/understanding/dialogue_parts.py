"""What a task dialogue is made of, whatever set it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from benchmarks.understanding.intent_sets import IntentSet, Message
from zhuli.types.understanding.domain import DomainFields, Language
from zhuli.types.understanding.understanding import Asked

Values = Mapping[str, frozenset[str]]
"""By slot, what its value may be written like; as normal() writes it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A user's message and where it stands.

    told: slots that the message gives a value, as annotated. goal: the state after it, of all services. service: which one it is
    about; active: the annotated intent of that. Of the system's turn before: asked, what it asked for; confirmed, values that it
    asked to confirm; offered, of its last offer.
    """

    message: Message
    told: Values
    goal: Values
    service: str
    active: str | None = None
    asked: Asked | None = None
    confirmed: Mapping[str, str] = field(default_factory=dict)
    offered: Mapping[str, str] = field(default_factory=dict)


Dialogue = Sequence[Turn]


class Completing(Protocol):
    """Gives a domain of examples the entities, slots and forms of the set."""

    def __call__(self, domain: DomainFields) -> DomainFields: ...


@dataclass(frozen=True, slots=True)
class DialogueSet:
    """now: the day on which the dialogues take place. complete: what a domain has beside its intents' examples.

    all_services: whether the joint goal is that of all services, or of the one that the turn is about.
    """

    language: Language
    now: datetime
    train: Sequence[Dialogue]
    test: Sequence[Dialogue]
    complete: Completing
    all_services: bool

    def messages(self) -> IntentSet:
        """The users' turns, each by itself."""
        train, test = ([turn.message for dialogue in part for turn in dialogue] for part in (self.train, self.test))
        return IntentSet(self.language, train, test)


def normal(value: object) -> str:
    """Without regard to case, width of brackets and space; the items of a list in alphabetical order."""
    if isinstance(value, list):
        return " ".join(sorted(map(normal, value)))
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return "".join(text.translate(_BRACKETS).lower().split())


_BRACKETS = str.maketrans("（）：，", "():,")
