"""What of a domain is told to a chat model for one message: all of a small one, of a large one what is nearest to the message.

A prompt has a bounded size, whatever the domain: of thousands of intents and examples those are shown whose sentence vectors are
most like the message's, beside what the dialogue is about now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import NDArray

from zhuli.types.understanding.domain import (
    DomainFields,
    FromEntity,
    Intent,
    Slot,
    SmallTalk,
)
from zhuli.types.understanding.understanding import DialogueState
from zhuli.understanding.language.commands.knowledge import searches
from zhuli.understanding.language.entity_extraction.entity_labels import label_of
from zhuli.understanding.language.entity_extraction.listed_values import find_listed
from zhuli.understanding.language.marked_examples import Marked, read_marks
from zhuli.understanding.language.plain_text import plain

MOST_INTENTS, MOST_SLOTS, MOST_VALUES = 40, 60, 30
"""That are told of; values of each slot."""

LONGEST_VALUE = 80
"""Characters: of those that are longer the model is not told."""

MOST_EXAMPLES, MOST_OF_AN_INTENT = 60, 5
"""In a prompt: what models of every size still read well."""

LONGEST_EXAMPLE, LONGEST_DESCRIPTION = 200, 300
"""Characters."""

MOST_CHARACTERS = 6_000
"""Of all examples together."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shown:
    """An example: its intent, and its text with what is marked there."""

    intent: str
    marked: Marked


@dataclass(frozen=True, slots=True)
class DomainTexts:
    """A domain's intents and examples as texts to be embedded. owners: the intent's number of each text, names first. labels:
    learned entities that no slot takes, "city" or with a role "city#to", and texts that were marked so."""

    texts: list[str]
    owners: NDArray[np.int64]
    examples: list[Shown]
    labels: dict[str, list[str]]

    @classmethod
    def of(cls, domain: DomainFields) -> Self:
        """Intents that only say yes, no and the like are commands of their own, and left out."""
        wanted = [(number, intent) for number, intent in enumerate(domain.intents) if intent.act is None]
        examples = [
            (number, Shown(intent.name, read_marks(text)))
            for number, intent in wanted
            for text in intent.examples
            if text.strip()
        ]
        named = [f"{intent.name.replace('_', ' ')}. {intent.description or ''}".strip() for _, intent in wanted]
        return cls(
            [*named, *(shown.marked.text for _, shown in examples)],
            np.array([*(number for number, _ in wanted), *(number for number, _ in examples)], np.int64),
            [shown for _, shown in examples],
            _unslotted(domain, [shown for _, shown in examples]),
        )

    @property
    def fits(self) -> bool:
        """Whether all of it can be told."""
        return len(self.texts) - len(self.examples) <= MOST_INTENTS and len(self.examples) <= MOST_EXAMPLES


@dataclass(frozen=True, slots=True)
class Excerpt:
    """intents: with the examples of each. slots: that may be set. labels: learned entities that no slot takes, with texts that
    were marked so. knowledge: whether there are documents to ask."""

    intents: list[Intent]
    examples: dict[str, list[Marked]]
    slots: list[Slot]
    values: dict[str, list[str]]
    labels: dict[str, list[str]]
    knowledge: bool


def excerpt(
    domain: DomainFields,
    texts: DomainTexts,
    text: str,
    state: DialogueState,
    *,
    likeness: Vectors | None = None,
    part: float = 1.0,
) -> Excerpt:
    """What is told for this message. likeness: of each of `texts` to it, -1 to 1; None: the first of each intent are shown.

    part: of what may be told at most, from 0 to 1.
    """
    numbers = _intents(domain, texts, state, likeness)[: int(MOST_INTENTS * part)]
    intents = [domain.intents[number] for number in sorted(numbers)]
    slots = _slots(domain, intents, state, int(MOST_SLOTS * part))
    read = plain(text)
    return Excerpt(
        intents,
        _examples(texts, numbers, likeness, part),
        slots,
        {slot.name: _values(slot, read)[: int(MOST_VALUES * part)] for slot in slots if slot.values},
        texts.labels,
        searches(domain) is not None,
    )


def _unslotted(domain: DomainFields, examples: Iterable[Shown]) -> dict[str, list[str]]:
    taken = {entity for slot in domain.slots for entity, _ in sources(slot)}
    free = [entity.name for entity in domain.entities if entity.kind == "learned" and entity.name not in taken]
    labels: dict[str, list[str]] = {name: [] for name in free}
    for shown in examples:
        for one in shown.marked.entities:
            if one.entity in free:
                labels.setdefault(label_of(one.entity, one.role), []).append(one.text)
    return {label: list(dict.fromkeys(said))[:MOST_OF_AN_INTENT] for label, said in list(labels.items())[:MOST_SLOTS]}


def sources(slot: Slot) -> list[tuple[str, str | None]]:
    """Entities and roles that fill the slot: by its mappings, or of its own name."""
    if not slot.mappings:
        return [(slot.name, None)]
    return [(mapping.entity, mapping.role) for mapping in slot.mappings if isinstance(mapping, FromEntity)]


def talks() -> Sequence[SmallTalk]:
    """Kinds of small talk."""
    return get_args(SmallTalk)


def _intents(domain: DomainFields, texts: DomainTexts, state: DialogueState, likeness: Vectors | None) -> list[int]:
    """Numbers of those that the dialogue is about, then of the others, the nearest first."""
    owners = np.unique(texts.owners)
    if likeness is not None and len(owners):
        best = np.full(len(domain.intents), -1.0, np.float32)
        np.maximum.at(best, texts.owners, likeness)
        owners = owners[np.argsort(-best[owners], kind="stable")]
    now = {*(topic.intent for topic in state.topics), *(state.asked.intents if state.asked else [])}
    now |= {state.done.intent} if state.done else set()
    return sorted(map(int, owners), key=lambda number: domain.intents[number].name not in now)


def _examples(
    texts: DomainTexts, numbers: Sequence[int], likeness: Vectors | None, part: float
) -> dict[str, list[Marked]]:
    """Of each intent the nearest one, then the nearest of all, until the prompt is full; in the order of the domain."""
    named = len(texts.texts) - len(texts.examples)
    places = np.flatnonzero(np.isin(texts.owners[named:], numbers))
    near = np.zeros(len(places)) if likeness is None else likeness[named:][places]
    order = [int(place) for place in places[np.argsort(-near, kind="stable")]]
    first = dict[str, int]()
    for place in order:
        first.setdefault(texts.examples[place].intent, place)
    chosen, room, counts = list[int](), int(MOST_CHARACTERS * part), dict[str, int]()
    for place in dict.fromkeys([*first.values(), *order]):
        shown = texts.examples[place]
        size = min(len(shown.marked.text), LONGEST_EXAMPLE)
        if counts.get(shown.intent, 0) >= MOST_OF_AN_INTENT or size > room:
            continue
        chosen.append(place)
        room -= size
        counts[shown.intent] = counts.get(shown.intent, 0) + 1
        if len(chosen) >= MOST_EXAMPLES * part:
            break
    found: dict[str, list[Marked]] = {}
    for place in sorted(chosen):
        found.setdefault(texts.examples[place].intent, []).append(texts.examples[place].marked)
    return found


def _slots(domain: DomainFields, intents: Sequence[Intent], state: DialogueState, most: int) -> list[Slot]:
    """Those of the open form, of what waits, what was done last, and what may be started; then those of no form, and others.

    In the order of the domain, so that a prompt begins alike whatever the state is.
    """
    done = [state.done.form] if state.done else []
    wanted = [*(topic.form for topic in reversed(state.topics)), *done, *(intent.form for intent in intents)]
    forms = {form.name: form for form in domain.forms}
    of_forms = [
        name for form in wanted if form in forms for name in dict.fromkeys([*forms[form].slots, *forms[form].optional])
    ]
    taken = {name for form in domain.forms for name in (*form.slots, *form.optional)}
    free = [slot.name for slot in domain.slots if slot.name not in taken]
    named = list(dict.fromkeys([*of_forms, *free, *(slot.name for slot in domain.slots)]))[:most]
    return [slot for slot in domain.slots if slot.name in named]


def _values(slot: Slot, read: str) -> list[str]:
    """Those that the message names, by whatever name, then the first."""
    named = [str(span.value) for span, _ in find_listed(read, slot.values)] if len(slot.values) > MOST_VALUES else []
    known = dict.fromkeys([*named, *(one.value for one in slot.values[: 2 * MOST_VALUES])])
    return [value for value in known if len(value) <= LONGEST_VALUE]


def state_told(state: DialogueState, slots: Sequence[Slot]) -> Mapping[str, Any]:
    """What of the state says how the message is meant: data, each value shortened."""
    shown = {slot.name for slot in slots}
    held = {name: slot.value for name, slot in state.slots.items() if slot.value is not None and name in shown}
    asked: Any = None
    if state.asked is not None:
        choice = {"which of": state.asked.intents} if state.asked.intents else "whether all of it is right"
        asked = state.asked.slot or choice
    return {
        "open": state.topics[-1].intent if state.topics else None,
        "waiting": [topic.intent for topic in state.topics[:-1]],
        "just done": state.done.intent if state.done else None,
        "known": {name: _short(value) for name, value in held.items()},
        "asked": asked,
    }


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value[:LONGEST_EXAMPLE]
    return [_short(one) for one in value[:MOST_VALUES]] if isinstance(value, list) else value
