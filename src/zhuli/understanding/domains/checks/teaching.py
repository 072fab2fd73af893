"""What a domain's examples teach: too little, the same twice, or two things at once. Only the words are compared.

How far intents overlap in meaning is seen when the domain is learned.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice

from zhuli.types.understanding.domain import OUT_OF_SCOPE, DomainFields, Entity, Finding
from zhuli.understanding.domains.checks.findings import error, warning
from zhuli.understanding.language.marked_examples import BadMark, Marked, read_marks
from zhuli.understanding.language.plain_text import plain
from zhuli.understanding.language.tokens import tokens

FEWEST = 5
"""Examples of an intent, and marks of an entity, from which few_shot learns what it is meant to, and in_context with it."""

LEARNS_FROM_EXAMPLES = ("few_shot", "in_context")

_LONGEST = 40
"""Words of an example that are compared; two that begin with the same forty are told apart by nobody."""

_SHORTEST = 4
"""Words that must be the same in examples that are called alike."""

_ALIKE = 0.8
"""Of two words: the share of characters (difflib's ratio) from which one may be a form or a misspelling of the other."""

_IN_ONE_BUCKET = 12
"""Examples that are compared with each other; among more that differ in one word, that word is what they are about."""


@dataclass(frozen=True, slots=True)
class Example:
    """words: without case and punctuation, which understanding does not go by."""

    intent: str
    where: str
    marked: Marked
    words: tuple[str, ...]


def check_examples(domain: DomainFields) -> Iterator[Finding]:
    """Errors for marks that can't be read; all else are warnings."""
    examples: list[Example] = []
    for intent, where, text in _texts(domain):
        try:
            marked = read_marks(text)
        except BadMark as bad:
            yield error("bad_mark", where, str(bad))
            continue
        words = _words(marked.text)
        if not words:
            yield warning("empty_example", where, "This example says nothing. Write what a user would say.")
        examples.append(Example(intent, where, marked, words))
    yield from _how_many(domain)
    yield from _said_twice(examples)
    yield from _alike(examples)
    yield from _of_entities(domain, examples)


def count_examples(domain: DomainFields) -> int:
    """Of all intents together."""
    return sum(len(intent.examples) for intent in domain.intents)


def _texts(domain: DomainFields) -> Iterator[tuple[str, str, str]]:
    """Intent, place and text of every example, those out of scope too."""
    for index, intent in enumerate(domain.intents):
        for number, text in enumerate(intent.examples):
            yield intent.name, f"intents[{index}].examples[{number}]", text
    for number, text in enumerate(domain.out_of_scope):
        yield OUT_OF_SCOPE, f"out_of_scope[{number}]", text


def _words(text: str) -> tuple[str, ...]:
    found = (token.text for token in tokens(plain(text)))
    return tuple(islice((word for word in found if any(map(str.isalnum, word))), _LONGEST))


def _how_many(domain: DomainFields) -> Iterator[Finding]:
    """Whether there is enough to learn from, for understanders that learn from the domain alone."""
    if not domain.intents:
        yield warning("no_intents", "intents", "There are no intents, so nothing but entities will be understood.")
    kind = domain.understander.type
    for index, intent in enumerate(domain.intents):
        where, count = f"intents[{index}].examples", len(intent.examples)
        if kind in LEARNS_FROM_EXAMPLES and 0 < count < FEWEST:
            text = f"The intent '{intent.name}' has {count} of the {FEWEST} examples that it needs. Add some, worded differently."
            yield warning("few_examples", where, text)
        elif not count and intent.act is None and kind in LEARNS_FROM_EXAMPLES:
            text = (
                f"The intent '{intent.name}' has no examples, so it will not be understood. Give it {FEWEST} or more."
            )
            yield warning("no_examples", where, text)
        elif not count and intent.act is None and kind == "llm" and not intent.description:
            text = f"The intent '{intent.name}' has neither description nor examples: its name alone tells the model."
            yield warning("no_examples", where, text)


def _said_twice(examples: Iterable[Example]) -> Iterator[Finding]:
    first: dict[tuple[str, ...], Example] = {}
    for example in examples:
        earlier = first.setdefault(example.words, example)
        if earlier is example or not example.words:
            continue
        if earlier.intent == example.intent:
            yield warning("duplicate_example", example.where, f"This is there already, at {earlier.where}.")
        else:
            text = (
                f"'{example.marked.text}' is said to be '{example.intent}' here and '{earlier.intent}' at "
                f"{earlier.where}. Leave it to one of them."
            )
            yield warning("contradicting_example", example.where, text)


def _alike(examples: Iterable[Example]) -> Iterator[Finding]:
    """Examples of different intents with the same words in another order, or with one word in another form."""
    buckets: dict[tuple[str, ...], list[tuple[Example, str]]] = defaultdict(list)
    for example in examples:
        if len(example.words) > _SHORTEST:
            for rest, left_out in _without_one(sorted(example.words)):
                buckets[rest].append((example, left_out))
    told: set[tuple[str, str]] = set()
    for bucket in buckets.values():
        for number, (one, word) in enumerate(bucket[:_IN_ONE_BUCKET]):
            for other, its in bucket[number + 1 : _IN_ONE_BUCKET]:
                pair = (one.where, other.where)
                if one.intent != other.intent and one.words != other.words and pair not in told and _like(word, its):
                    told.add(pair)
                    yield _similar(one, other)


def _without_one(words: list[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Sorted words without one of them, and that one."""
    for number, word in enumerate(words):
        if number == 0 or words[number - 1] != word:
            yield tuple(words[:number] + words[number + 1 :]), word


def _like(one: str, other: str) -> bool:
    return one == other or SequenceMatcher(None, one, other).ratio() >= _ALIKE


def _similar(one: Example, other: Example) -> Finding:
    text = (
        f"'{other.marked.text}' ({other.intent}) is nearly '{one.marked.text}' ({one.intent}) at {one.where}. "
        "Word them so that a person could tell the intents apart, or join the intents."
    )
    return warning("similar_examples", other.where, text)


def _of_entities(domain: DomainFields, examples: Iterable[Example]) -> Iterator[Finding]:
    """Learned entities need marks; what is marked as an entity of another kind must be one."""
    marks: Counter[str] = Counter()
    listed = {entity.name: _listed(entity) for entity in domain.entities if entity.kind == "lookup"}
    for example in examples:
        for mark in example.marked.entities:
            marks[mark.entity] += 1
            if mark.entity in listed and isinstance(mark.value, str):
                yield from _against_list(mark.entity, mark.text, mark.value, listed[mark.entity], example.where)
    if domain.understander.type not in LEARNS_FROM_EXAMPLES:
        return
    for index, entity in enumerate(domain.entities):
        if entity.kind == "learned" and marks[entity.name] < FEWEST:
            text = (
                f"The entity '{entity.name}' is marked {marks[entity.name]} times in the examples. Mark it at least "
                f"{FEWEST} times, as [words]({entity.name}), or give it a kind that needs no examples."
            )
            yield warning("few_marks", f"entities[{index}]", text)


def _listed(entity: Entity) -> dict[str, str]:
    """Every word of the list → the value that it stands for."""
    words = {plain(synonym): value.value for value in entity.values for synonym in value.synonyms}
    return words | {plain(value.value): value.value for value in entity.values}


def _against_list(entity: str, text: str, value: str, listed: dict[str, str], where: str) -> Iterator[Finding]:
    found = listed.get(plain(text))
    meant = listed.get(plain(value))
    if meant is None:
        text = (
            f"'{value}' is marked as {entity}, but it is not in its list. Add it to `values`, or to a value's synonyms."
        )
        yield warning("unlisted_mark", where, text)
    elif found is not None and found != meant:
        text = f"'{text}' is marked as the {entity} '{meant}', but in its list it stands for '{found}'."
        yield warning("unlisted_mark", where, text)
