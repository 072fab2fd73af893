"""Tagged examples, which a tagger learns from: the marked ones, and by augmentation shorter and changed ones.

Users answer a question with half a sentence ("tomorrow", "to Paris"), and say values that no example has. So values are also
shown alone and with the words beside them, and each in the place of others of its entity. All of it is deterministic.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from zhuli.understanding.language.acts.small_talk import ANSWERS
from zhuli.understanding.language.entity_extraction.entity_labels import entity_of
from zhuli.understanding.language.tokens import tokens, unspaced

MOST = 3000
"""Texts beyond which examples are not varied: so many show enough by themselves, and learning stays quick."""

SWAPPED = 3
"""Copies of an example with other values; on snips with 70 examples one to four find alike, within a point of F1."""

NOBODY_S = "\U00020000"
"""A Chinese character that no text has."""


@dataclass(frozen=True, slots=True)
class TaggedExample:
    """A text in words, with the tag of each: O, or B- and I- with the label. context: as in word_features.

    fresh: its values are as a user's are that nobody listed.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    context: tuple[str, ...] = ()
    fresh: bool = True


Listed = dict[str, list[list[str]]]
"""Values that are known, by entity, as lower-cased words; each as often as examples have it. Roles are not what values tell."""

Values = Mapping[str, Sequence[tuple[str, ...]]]
"""The values of each entity in words."""


def asked_for(entity: str) -> str:
    """The context of a text that answers a question for this entity."""
    return f"asked={entity}"


def meant(intent: str) -> str:
    """The context of a text with this intent."""
    return f"intent={intent}"


def spans(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """(first word, word after the last, label) of what the tags say; an I- without its beginning begins."""
    found: list[tuple[int, int, str]] = []
    for place, tag in enumerate(tags):
        kind, _, label = tag.partition("-")
        goes_on = kind == "I" and found and found[-1][1] == place and found[-1][2] == label
        if goes_on:
            found[-1] = (found[-1][0], place + 1, label)
        elif kind != "O":
            found.append((place, place + 1, label))
    return found


def known_words(examples: Iterable[TaggedExample], listed: Listed) -> frozenset[str]:
    """The lower-cased words of the examples, of answers that name nothing, and of the values."""
    said = (word.lower() for example in (*examples, *_answers()) for word in example.words)
    return frozenset([*said, *(word for values in listed.values() for value in values for word in value)])


def listed_values(examples: Iterable[TaggedExample], more: Mapping[str, Iterable[str]]) -> Listed:
    """The values that the examples mark, and `more` by entity."""
    listed: Listed = {}
    for example in examples:
        for first, end, label in spans(example.tags):
            listed.setdefault(entity_of(label), []).append([word.lower() for word in example.words[first:end]])
    for entity, texts in more.items():
        for text in texts:
            if words := [token.text.lower() for token in tokens(text)]:
                listed.setdefault(entity, []).append(words)
    return listed


def augmented(examples: Sequence[tuple[TaggedExample, str]], listed: Values) -> list[TaggedExample]:
    """Everything that is learned from, of marked examples with their intents. listed: all values that are known."""
    if len(examples) > MOST:
        return [TaggedExample(example.words, example.tags, (meant(intent),)) for example, intent in examples]
    made = [shown for example, intent in examples for shown in _whole(example, intent)]
    values = _values(examples, listed)
    chance = random.Random(0)
    entities = sorted(values)
    for number, (example, intent) in enumerate(examples):
        marks = spans(example.tags)
        for _ in range(SWAPPED if marks else 0):
            other = _swapped(example, values, chance)
            made += [other, TaggedExample(other.words, other.tags, (meant(intent),), fresh=False)]
        if marks:
            made.append(_with_unknown_values(example))
        if entities:
            made.append(TaggedExample(example.words, example.tags, (asked_for(entities[number % len(entities)]),)))
        made += _windows(example, marks)
    made += _alone(values)
    for number, answer in enumerate(_answers()):
        if entities and not any(answer.words in said for said in values.values()):
            made += [answer, TaggedExample(answer.words, answer.tags, (asked_for(entities[number % len(entities)]),))]
    return made


def _answers() -> list[TaggedExample]:
    """Texts without any entity, such as yes and no."""
    cut = [tuple(token.text for token in tokens(text)) for texts in ANSWERS.values() for text in texts]
    return [TaggedExample(words, ("O",) * len(words)) for words in cut]


def _whole(example: TaggedExample, intent: str) -> Iterator[TaggedExample]:
    """The example with its intent known, and, as somebody writes it who has no capitals, without."""
    yield TaggedExample(example.words, example.tags, (meant(intent),))
    yield TaggedExample(tuple(word.lower() for word in example.words), example.tags)


def _values(examples: Sequence[tuple[TaggedExample, str]], listed: Values) -> dict[str, list[tuple[str, ...]]]:
    """Each entity's values in order: as they are written in the examples, in lower case those that are only listed."""
    values: dict[str, set[tuple[str, ...]]] = {}
    for example, _ in examples:
        for first, end, label in spans(example.tags):
            values.setdefault(entity_of(label), set()).add(example.words[first:end])
    for entity, known in listed.items():
        written = values.setdefault(entity, set())
        low = {tuple(word.lower() for word in words) for words in written}
        written.update(words for words in map(tuple, known) if words not in low)
    return {entity: sorted(known) for entity, known in values.items()}


def _swapped(example: TaggedExample, values: Values, chance: random.Random) -> TaggedExample:
    """The example with another value of the same entity in each place."""
    words, tags, at = [], [], 0
    for start, end, label in spans(example.tags):
        value = chance.choice(values[entity_of(label)])
        words += [*example.words[at:start], *value]
        tags += [*example.tags[at:start], f"B-{label}", *[f"I-{label}"] * (len(value) - 1)]
        at = end
    return TaggedExample((*words, *example.words[at:]), (*tags, *example.tags[at:]), fresh=False)


def _windows(example: TaggedExample, marks: Sequence[tuple[int, int, str]]) -> Iterator[TaggedExample]:
    """Each value with the word before it, and with one word more, as an answer to a question."""
    for start, end, label in marks:
        for before in (1, 2):
            if start >= before and all(tag == "O" for tag in example.tags[start - before : start]):
                cut = slice(start - before, end)
                yield TaggedExample(example.words[cut], example.tags[cut], (asked_for(entity_of(label)),))
                yield TaggedExample(example.words[cut], example.tags[cut])


def _alone(values: Values) -> Iterator[TaggedExample]:
    """Each value by itself: asked for, and out of nowhere. The role, which words beside it would say, is not known then."""
    for entity, said in values.items():
        for value in said:
            tags = (f"B-{entity}", *[f"I-{entity}"] * (len(value) - 1))
            yield TaggedExample(value, tags, (asked_for(entity),))
            yield TaggedExample(value, tags, fresh=False)
            yield _with_unknown_values(TaggedExample(value, tags, (asked_for(entity),)))


def _with_unknown_values(example: TaggedExample) -> TaggedExample:
    """The text with values that nobody ever said, so that only what is beside them can tell."""
    said = zip(example.words, example.tags, strict=True)
    return TaggedExample(
        tuple(word if tag == "O" else _unknown(word) for word, tag in said), example.tags, example.context
    )


def _unknown(word: str) -> str:
    """A word of the same form that is none: backwards, or a character that nobody writes."""
    if unspaced(word):
        return NOBODY_S
    return word[::-1].title() if word.istitle() else word[::-1]
