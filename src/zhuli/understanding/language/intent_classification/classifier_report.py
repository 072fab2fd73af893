"""What learning an intent classifier shows about the examples: intents that overlap, examples that speak for another intent, and
how well all of it can be expected to work. For people; nothing is decided by it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from zhuli.types.understanding.domain import Finding
from zhuli.understanding.language.intent_classification.classifier_training import Learned
from zhuli.understanding.language.intent_classification.softmax_regression import Floats, Whole

MOST = 20
"""Findings of a kind: more are not read."""

OVERLAP = 0.15
"""Of the examples of two intents, how many are taken for the other when they overlap; at least two examples."""

SURE, UNLIKELY = 0.75, 0.2
"""An example contradicts its intent when another is at least so sure, and its own no likelier than this."""

FEW_REFUSED = 0.7


@dataclass(frozen=True, slots=True)
class IntentExample:
    """An example. intent, number: its places in the domain."""

    text: str
    intent: int
    number: int


def accuracy(learned: Learned, labels: Whole) -> float | None:
    """Of the examples that were classified by ones that had not seen them; None where there were none."""
    if not len(learned.checked):
        return None
    return float((learned.shares.argmax(axis=1) == labels[learned.checked]).mean())


def findings(
    learned: Learned, vectors: Floats, examples: Sequence[IntentExample], names: Sequence[str]
) -> list[Finding]:
    """All warnings. vectors: of the examples, which are in the order in which they were learned. names: of the intents."""
    return [
        *_overlaps(learned, vectors, examples, names),
        *_contradictions(learned, examples, names),
        *_outside(learned),
    ]


def _overlaps(
    learned: Learned, vectors: Floats, examples: Sequence[IntentExample], names: Sequence[str]
) -> Iterator[Finding]:
    """Pairs of intents whose examples are taken for each other's, worst first."""
    truths = [examples[place].intent for place in learned.checked]
    guessed = learned.shares.argmax(axis=1).tolist()
    sizes = Counter(truths)
    mixed = Counter((min(pair), max(pair)) for pair in zip(truths, guessed, strict=True) if pair[0] != pair[1])
    for (one, other), count in sorted(mixed.items(), key=lambda found: (-found[1], found[0]))[:MOST]:
        total = sizes[one] + sizes[other]
        if count >= 2 and count >= OVERLAP * total:
            left, right = _closest(vectors, examples, one, other)
            text = (
                f"'{names[one]}' and '{names[other]}' overlap: of their {total} examples {count} are taken for the other. "
                f"Closest are '{_short(left)}' ({names[one]}) and '{_short(right)}' ({names[other]}). Make the examples "
                "more different, or join the intents and tell them apart by a slot."
            )
            yield Finding(level="warning", code="overlap", where=f"intents[{one}]", message=text)


def _closest(vectors: Floats, examples: Sequence[IntentExample], one: int, other: int) -> tuple[str, str]:
    left = [place for place, example in enumerate(examples) if example.intent == one]
    right = [place for place, example in enumerate(examples) if example.intent == other]
    near = vectors[left] @ vectors[right].T
    row, column = np.unravel_index(int(near.argmax()), near.shape)
    return examples[left[int(row)]].text, examples[right[int(column)]].text


def _contradictions(learned: Learned, examples: Sequence[IntentExample], names: Sequence[str]) -> Iterator[Finding]:
    """Examples that the others say belong to another intent, the surest first."""
    found = []
    for row, place in enumerate(learned.checked):
        example, shares = examples[place], learned.shares[row]
        best = int(shares.argmax())
        if best != example.intent and shares[best] >= SURE and shares[example.intent] <= UNLIKELY:
            found.append((-float(shares[best]), int(place), best))
    for sure, place, best in sorted(found)[:MOST]:
        example = examples[place]
        text = (
            f"'{_short(example.text)}' is an example of '{names[example.intent]}', but by the other examples it is "
            f"'{names[best]}' ({-sure:.0%}). Move it, or say it in another way."
        )
        where = f"intents[{example.intent}].examples[{example.number}]"
        yield Finding(level="warning", code="contradiction", where=where, message=text)


def _outside(learned: Learned) -> Iterator[Finding]:
    if learned.refused is not None and learned.refused < FEW_REFUSED:
        text = (
            f"Of messages that no intent covers, only about {learned.refused:.0%} would be told as such. More examples of "
            "each intent, and messages under out_of_scope, help."
        )
        yield Finding(level="warning", code="out_of_scope", where="out_of_scope", message=text)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}…"
