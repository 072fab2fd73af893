"""A domain made of labelled messages, as a user would write it: intents with their examples, entities marked in them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.understanding.intent_sets import Message
from zhuli.types.understanding.domain import DomainFields, Entity, Intent, Language, UnderstanderSettings
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.language.marked_examples import read_marks, write_marks


def domain_of(
    messages: Sequence[Message],
    *,
    language: Language = "en",
    outside: Sequence[str] = (),
    entities: bool = True,
    **understander: Any,
) -> DomainFields:
    """understander: type and settings. Entities are learned from their marks."""
    by_intent = defaultdict[str, list[str]](list)
    for message in messages:
        by_intent[message.intent].append(marked(message) if entities else unmarked(message.text))
    labels = sorted({span.label for message in messages for span in message.spans}) if entities else []
    return DomainFields(
        languages=[language],
        understander=UnderstanderSettings(**understander),
        intents=[Intent(name=name, examples=examples) for name, examples in sorted(by_intent.items())],
        out_of_scope=list(outside),
        entities=[Entity(name=label) for label in labels],
    )


def marked(message: Message) -> str:
    """The example with its marks."""
    return write_marks(unmarked(message.text), _entities(message))


def unmarked(text: str) -> str:
    """Without brackets that would be read as marks, which hardly a text has; as long as before."""
    plain = text.replace("[", "(").replace("]", ")")
    assert read_marks(plain).text == plain
    return plain


def _entities(message: Message) -> Iterable[EntityFound]:
    for span in message.spans:
        text = message.text[span.start : span.end]
        yield EntityFound(entity=span.label, text=text, value=text, start=span.start, end=span.end, source="mark")
