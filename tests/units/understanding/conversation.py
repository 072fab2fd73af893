"""A dialogue without an understander: what each message is read as is written down beside it.

    talk = Conversation(DOMAIN)
    talk.says("a table for 4", "book")             the intent, decided for
    talk.says("to Paris", "book city#to=Paris")    with a learned entity, which stands in the text
    talk.says("hi, book it", ["greet", "book"])    a reading for each clause of the message
    talk.says("hm", "")                            out of scope
    talk.says("well", "book|hours")                one of two

Every message checks what holds for all: the state is the fold of its changes, and nothing in it is impossible.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from zhuli.types.understanding.domain import DomainFields, Language
from zhuli.types.understanding.understanding import (
    Decision,
    DialogueState,
    EntityFound,
    IntentScore,
    Reading,
    StateChange,
)
from zhuli.understanding.dialogue.forms_and_slots import form_named, slot_named, slots_of
from zhuli.understanding.dialogue.interpreter import interpret
from zhuli.understanding.dialogue.policy.policy import decide
from zhuli.understanding.dialogue.slots.slot_values import allowed
from zhuli.understanding.dialogue.state import MOST_TOPICS, fold
from zhuli.understanding.dialogue.state_tracking import track
from zhuli.understanding.dialogue.utterance.clause_splitting import split_clauses
from zhuli.understanding.dialogue.utterance.interpreted_utterance import InterpretedUtterance
from zhuli.understanding.dialogue.utterance.multi_intent import Clause

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
"""A Monday."""

SURE = 0.94


class Conversation:
    def __init__(self, domain: DomainFields, *, language: Language = "en", now: datetime = NOW) -> None:
        self.domain, self.language, self.now = domain, language, now
        self.changes: list[StateChange] = []
        self.state = DialogueState()
        self.utterance = InterpretedUtterance("", language)
        self.decision = Decision(act="talk")
        self.unlikely, self.in_scope = 0.005, 1.0

    def says(self, text: str, meant: str | Sequence[str] = "", *, language: Language | None = None) -> Decision:
        """The user's next message; the decision that follows."""
        language = self.language = language or self.language
        spans = split_clauses(text, language)
        each = [meant] * len(spans) if isinstance(meant, str) else meant
        clauses = [(span, self.reading(text, read)) for span, read in zip(spans, each, strict=True)]
        return self.read(text, self.reading(text, each[-1]), clauses if len(clauses) > 1 else [])

    def read(self, text: str, whole: Reading, clauses: Sequence[Clause] = ()) -> Decision:
        """The decision that follows, however the message was read."""
        self.utterance = interpret(
            self.domain, self.state, text, language=self.language, now=self.now, whole=whole, clauses=clauses
        )
        tracked = track(self.domain, self.state, self.utterance, message_id=f"msg_{self.state.turn}")
        self.decision, decided = decide(self.domain, fold(tracked, self.state), self.utterance)
        self.changes += [*tracked, *decided]
        self.state = fold([*tracked, *decided], self.state)
        check(self.domain, self.state)
        assert self.state == fold(self.changes)
        return self.decision

    def reading(self, text: str, meant: str) -> Reading:
        words = meant.split()
        names = [name for word in words if "=" not in word for name in word.split("|")]
        likely = [IntentScore(name=name, confidence=SURE / len(names)) for name in names]
        others = [
            IntentScore(name=one.name, confidence=self.unlikely) for one in self.domain.intents if one.name not in names
        ]
        entities = [_entity(text, *word.split("=", 1)) for word in words if "=" in word]
        return Reading([*likely, *others], self.in_scope if names else 0.1, 0.5, entities)

    @property
    def slots(self) -> dict[str, object]:
        """What is known."""
        return {name: slot.value for name, slot in self.state.slots.items() if slot.value is not None}

    @property
    def forms(self) -> list[str | None]:
        return [topic.form for topic in self.state.topics]

    @property
    def asked(self) -> str | None:
        return self.state.asked.slot if self.state.asked else None

    @property
    def reply(self) -> str:
        return self.decision.text or ""


def _entity(text: str, name: str, value: str) -> EntityFound:
    """`value` stands in the text, with spaces as underscores."""
    name, _, role = name.partition("#")
    words = value.replace("_", " ")
    at = text.index(words)
    return EntityFound(
        entity=name, text=words, value=words, start=at, end=at + len(words), source="learned", role=role or None
    )


def check(domain: DomainFields, state: DialogueState) -> None:
    """What no dialogue may lead to."""
    assert len(state.topics) <= MOST_TOPICS
    opened = [topic.form for topic in state.topics]
    assert len(opened) == len(set(opened))
    if state.asked and state.asked.slot:
        assert state.asked.slot in [slot.name for slot in slots_of(domain, form_named(domain, state.form))]
    for name, known in state.slots.items():
        slot = slot_named(domain, name)
        assert slot is not None
        if known.value is not None:
            values = known.value if slot.type == "list" else [known.value]
            assert all(allowed(slot.validation, value) for value in values)
            if slot.values:
                assert all(value in [one.value for one in slot.values] for value in values)
