"""Makes what a tagger learns from: the marked examples, and shorter and changed ones that follow from them.

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
class Lesson:
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


def known_words(lessons: Iterable[Lesson], listed: Listed) -> frozenset[str]:
    """The lower-cased words of the lessons, of answers that name nothing, and of the values."""
    said = (word.lower() for lesson in (*lessons, *_answers()) for word in lesson.words)
    return frozenset([*said, *(word for values in listed.values() for value in values for word in value)])


def listed_values(lessons: Iterable[Lesson], more: Mapping[str, Iterable[str]]) -> Listed:
    """The values that the lessons mark, and `more` by entity."""
    listed: Listed = {}
    for lesson in lessons:
        for first, end, label in spans(lesson.tags):
            listed.setdefault(entity_of(label), []).append([word.lower() for word in lesson.words[first:end]])
    for entity, texts in more.items():
        for text in texts:
            if words := [token.text.lower() for token in tokens(text)]:
                listed.setdefault(entity, []).append(words)
    return listed


def lessons(examples: Sequence[tuple[Lesson, str]], listed: Values) -> list[Lesson]:
    """Everything that is learned from, of marked examples with their intents. listed: all values that are known."""
    if len(examples) > MOST:
        return [Lesson(lesson.words, lesson.tags, (meant(intent),)) for lesson, intent in examples]
    made = [shown for lesson, intent in examples for shown in _whole(lesson, intent)]
    values = _values(examples, listed)
    chance = random.Random(0)
    entities = sorted(values)
    for number, (lesson, intent) in enumerate(examples):
        marks = spans(lesson.tags)
        for _ in range(SWAPPED if marks else 0):
            other = _swapped(lesson, values, chance)
            made += [other, Lesson(other.words, other.tags, (meant(intent),), fresh=False)]
        if marks:
            made.append(_unheard(lesson))
        if entities:
            made.append(Lesson(lesson.words, lesson.tags, (asked_for(entities[number % len(entities)]),)))
        made += _windows(lesson, marks)
    made += _alone(values)
    for number, answer in enumerate(_answers()):
        if entities and not any(answer.words in said for said in values.values()):
            made += [answer, Lesson(answer.words, answer.tags, (asked_for(entities[number % len(entities)]),))]
    return made


def _answers() -> list[Lesson]:
    """Texts without any entity, such as yes and no."""
    cut = [tuple(token.text for token in tokens(text)) for texts in ANSWERS.values() for text in texts]
    return [Lesson(words, ("O",) * len(words)) for words in cut]


def _whole(lesson: Lesson, intent: str) -> Iterator[Lesson]:
    """The example with its intent known, and, as somebody writes it who has no capitals, without."""
    yield Lesson(lesson.words, lesson.tags, (meant(intent),))
    yield Lesson(tuple(word.lower() for word in lesson.words), lesson.tags)


def _values(examples: Sequence[tuple[Lesson, str]], listed: Values) -> dict[str, list[tuple[str, ...]]]:
    """Each entity's values in order: as they are written in the examples, in lower case those that are only listed."""
    values: dict[str, set[tuple[str, ...]]] = {}
    for lesson, _ in examples:
        for first, end, label in spans(lesson.tags):
            values.setdefault(entity_of(label), set()).add(lesson.words[first:end])
    for entity, known in listed.items():
        written = values.setdefault(entity, set())
        low = {tuple(word.lower() for word in words) for words in written}
        written.update(words for words in map(tuple, known) if words not in low)
    return {entity: sorted(known) for entity, known in values.items()}


def _swapped(lesson: Lesson, values: Values, chance: random.Random) -> Lesson:
    """The example with another value of the same entity in each place."""
    words, tags, at = [], [], 0
    for start, end, label in spans(lesson.tags):
        value = chance.choice(values[entity_of(label)])
        words += [*lesson.words[at:start], *value]
        tags += [*lesson.tags[at:start], f"B-{label}", *[f"I-{label}"] * (len(value) - 1)]
        at = end
    return Lesson((*words, *lesson.words[at:]), (*tags, *lesson.tags[at:]), fresh=False)


def _windows(lesson: Lesson, marks: Sequence[tuple[int, int, str]]) -> Iterator[Lesson]:
    """Each value with the word before it, and with one word more, as an answer to a question."""
    for start, end, label in marks:
        for before in (1, 2):
            if start >= before and all(tag == "O" for tag in lesson.tags[start - before : start]):
                cut = slice(start - before, end)
                yield Lesson(lesson.words[cut], lesson.tags[cut], (asked_for(entity_of(label)),))
                yield Lesson(lesson.words[cut], lesson.tags[cut])


def _alone(values: Values) -> Iterator[Lesson]:
    """Each value by itself: asked for, and out of nowhere. The role, which words beside it would say, is not known then."""
    for entity, said in values.items():
        for value in said:
            tags = (f"B-{entity}", *[f"I-{entity}"] * (len(value) - 1))
            yield Lesson(value, tags, (asked_for(entity),))
            yield Lesson(value, tags, fresh=False)
            yield _unheard(Lesson(value, tags, (asked_for(entity),)))


def _unheard(lesson: Lesson) -> Lesson:
    """The text with values that nobody ever said, so that only what is beside them can tell."""
    said = zip(lesson.words, lesson.tags, strict=True)
    return Lesson(tuple(word if tag == "O" else _unknown(word) for word, tag in said), lesson.tags, lesson.context)


def _unknown(word: str) -> str:
    """A word of the same form that is none: backwards, or a character that nobody writes."""
    if unspaced(word):
        return NOBODY_S
    return word[::-1].title() if word.istitle() else word[::-1]
