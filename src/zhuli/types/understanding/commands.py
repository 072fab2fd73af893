"""Commands: what an understander that reads a whole message at once writes of it, in a small closed language.

They only propose: each is checked against the domain, the state and the message before it counts
(understanding/dialogue/commands).
"""

from dataclasses import dataclass
from typing import Any

from zhuli.types.understanding.domain import SmallTalk


@dataclass(frozen=True, slots=True)
class SetSlot:
    """words: those of the message that say the value. value: what they mean; None: it holds nothing any more, or, of a
    correction, is to be something else that is not said. corrects: what was known before was wrong."""

    slot: str
    words: str
    value: Any
    corrects: bool = False


@dataclass(frozen=True, slots=True)
class StartIntent:
    """The user wants this: its form is opened, or its action done."""

    intent: str


@dataclass(frozen=True, slots=True)
class CancelForm:
    """The user leaves the open form."""


@dataclass(frozen=True, slots=True)
class ClarifyIntents:
    """Any of these may be meant."""

    intents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallPerson:
    """The user wants a person."""


@dataclass(frozen=True, slots=True)
class AskKnowledge:
    """A question that no intent is for, and that documents may answer."""


@dataclass(frozen=True, slots=True)
class SayYesOrNo:
    """An answer to a question of yes or no."""

    yes: bool


@dataclass(frozen=True, slots=True)
class MakeSmallTalk:
    """What is said whatever the domain is for."""

    kind: SmallTalk


@dataclass(frozen=True, slots=True)
class MentionEntity:
    """A learned entity that no slot takes: it counts in conditions of rules."""

    entity: str
    role: str | None
    words: str
    value: Any


Command = (
    SetSlot
    | StartIntent
    | CancelForm
    | ClarifyIntents
    | CallPerson
    | AskKnowledge
    | SayYesOrNo
    | MakeSmallTalk
    | MentionEntity
)


@dataclass(frozen=True, slots=True)
class Commands:
    """Of one message, in its order; none where it is about nothing that the domain knows. certainty: from 0 to 1, as its writer
    says it."""

    given: tuple[Command, ...]
    certainty: float
