"""Tests of a domain: conversations that are expected to go in a certain way, and what came of them; how well it is learned."""

from typing import Annotated, Any, Literal

from pydantic import Field

from zhuli.types.understanding.domain import Name
from zhuli.types.wire import Integer, Request, Wire, optional


class Expectation(Request):
    """What must be so after a message; what is not given may be anything.

    does: responses, functions and the form that asks, by name, in their order. says: a response among them. calls: functions
    with arguments, of which all that are given must be so; {} for none. asks: the slot. confirms: whether the form's values
    are asked to be confirmed. form: the open one, null for none. slots: by name, null for nothing. either: one of these
    must be so too.
    """

    intent: Name | None = None
    does: list[str] | None = None
    says: str | None = None
    calls: dict[str, dict[str, Any]] | None = None
    asks: Name | None = None
    confirms: bool | None = None
    form: str | None = optional()
    slots: dict[Name, Any] = {}
    hand_over: bool | None = None
    either: list["Expectation"] = []


class TestTurn(Request):
    """user: what is said, or the payload of a button. given: slots that the app sets after it.

    completes: the form whose other slots the app fills then; then: what is done when it is complete; given_then: slots that the
    app sets after that. meant, open: the intent, and the form that is open behind it, from which a corrected test goes on.
    """

    user: Annotated[str, Field(max_length=8192)]
    expect: Expectation = Expectation()
    given: dict[str, Any] = {}
    completes: Name | None = None
    then: list[str] = []
    given_then: dict[str, Any] = {}
    meant: Name | None = None
    open: Name | None = None


class ConversationTest(Request):
    """corrected: each turn is judged as if those before had gone as expected, as Rasa does it; otherwise as they went."""

    name: str
    turns: Annotated[list[TestTurn], Field(min_length=1, max_length=1000)]
    corrected: bool = False


class DomainTestCreate(Request):
    """conversations: tests; files: others in YAML by name, ours or stories of Rasa's with `user:` texts. now: when it is, in ISO
    form. folds: parts of the examples that are read in turn by what the others teach; 0: none. holdout: or one share of them."""

    conversations: Annotated[list[ConversationTest], Field(max_length=1000)] = []
    files: Annotated[dict[str, str], Field(max_length=256)] = {}
    now: str | None = None
    folds: Annotated[Integer, Field(ge=0, le=20)] = 0
    holdout: Annotated[float, Field(gt=0, lt=1)] | None = None


class TurnDifference(Wire):
    """A turn that went otherwise. turn: from 1. what: the field of the expectation. why: what was read, and decided why."""

    conversation: str
    turn: int
    user: str
    what: str
    expected: Any
    found: Any
    why: str


class Scores(Wire):
    """Of an intent or an entity. support: how often it is there; an entity is right with its words and its name."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


class Confusion(Wire):
    """Examples of one intent that were taken for another."""

    intent: str
    taken_for: str
    count: int
    example: str


class ExampleScores(Wire):
    """How examples are read that were not learned. confusions: the most frequent first."""

    examples: int
    accuracy: float
    intents: list[Scores]
    entities: list[Scores]
    confusions: list[Confusion]


class DomainTest(Wire):
    """turns, right: of conversations. examples: of folds or the held-out share, if that was asked for."""

    object: Literal["domain.test"] = "domain.test"
    conversations: int = 0
    conversations_right: int = 0
    turns: int = 0
    right: int = 0
    differences: list[TurnDifference] = []
    examples: ExampleScores | None = None
