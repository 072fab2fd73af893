"""How well examples are read that were not learned: parts of them in turn, or one share. Nothing of it is kept."""

import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from zhuli.types.understanding.domain import OUT_OF_SCOPE, DomainFields
from zhuli.types.understanding.domain_test import Confusion, ExampleScores, Scores
from zhuli.types.understanding.understanding import Understanding
from zhuli.understanding.language.marked_examples import BadMark, Marked, read_marks

Reads = Callable[[DomainFields, Sequence[str]], Awaitable[list[Understanding]]]
"""Texts, understood by what this domain teaches, each at the start of a dialogue."""

MOST_CONFUSIONS = 50
SEED = 0

_Mark = tuple[int, int, str]
"""[start, end) and the name; of an intent the places are 0."""


@dataclass(slots=True)
class _Tally:
    """What is right, what is wrongly there, what is missing, by name."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)

    def scores(self) -> Iterator[Scores]:
        for name in sorted(self.right.keys() | self.wrong.keys() | self.missing.keys()):
            right, wrong, missing = self.right[name], self.wrong[name], self.missing[name]
            precision = right / (right + wrong) if right + wrong else 0.0
            recall = right / (right + missing) if right + missing else 0.0
            f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
            yield Scores(name=name, precision=precision, recall=recall, f1=f1, support=right + missing)


async def scored(domain: DomainFields, reads: Reads, *, folds: int, holdout: float | None) -> ExampleScores:
    """Each intent's examples are dealt over the parts, so that each part has some of all."""
    parts = _parts(domain, folds) if holdout is None else _one_part(domain, holdout)
    intents, entities = _Tally(), _Tally()
    confused: Counter[tuple[str, str]] = Counter()
    shown: dict[tuple[str, str], str] = {}
    count = 0
    for part in parts:
        tested = [(name, marked) for name, _, marked in part]
        made = await reads(_without(domain, part), [marked.text for _, marked in tested])
        for (name, marked), understood in zip(tested, made, strict=True):
            count += 1
            taken = understood.intent.name if understood.intent else OUT_OF_SCOPE
            _count(intents, [(0, 0, name)], [(0, 0, taken)])
            if taken != name:
                confused[name, taken] += 1
                shown.setdefault((name, taken), marked.text)
            _count(entities, _marks(marked), [(one.start, one.end, one.entity) for one in understood.entities])
    right = sum(intents.right.values())
    return ExampleScores(
        examples=count,
        accuracy=right / count if count else 0.0,
        intents=list(intents.scores()),
        entities=list(entities.scores()),
        confusions=[
            Confusion(intent=pair[0], taken_for=pair[1], count=number, example=shown[pair])
            for pair, number in confused.most_common(MOST_CONFUSIONS)
        ],
    )


_Example = tuple[str, str, Marked]
"""Intent, the example as it is written, and read."""


def _dealt(domain: DomainFields) -> dict[str, list[_Example]]:
    """Of each intent, and out of scope, in an order that is drawn once."""
    found: dict[str, list[_Example]] = defaultdict(list)
    given = [(intent.name, text) for intent in domain.intents for text in intent.examples]
    for name, text in [*given, *((OUT_OF_SCOPE, text) for text in domain.out_of_scope)]:
        try:
            found[name].append((name, text, read_marks(text)))
        except BadMark:
            continue
    drawn = random.Random(SEED)
    for examples in found.values():
        drawn.shuffle(examples)
    return found


def _parts(domain: DomainFields, folds: int) -> list[list[_Example]]:
    parts: list[list[_Example]] = [[] for _ in range(folds)]
    for examples in _dealt(domain).values():
        if len(examples) < 2:
            continue  # one alone can't be told by the others
        for number, example in enumerate(examples):
            parts[number % folds].append(example)
    return [part for part in parts if part]


def _one_part(domain: DomainFields, share: float) -> list[list[_Example]]:
    held = [
        example
        for examples in _dealt(domain).values()
        for example in examples[: min(round(len(examples) * share), len(examples) - 1)]
    ]
    return [held] if held else []


def _without(domain: DomainFields, part: Sequence[_Example]) -> DomainFields:
    gone = {(name, text) for name, text, _ in part}
    intents = [
        intent.model_copy(update={"examples": [text for text in intent.examples if (intent.name, text) not in gone]})
        for intent in domain.intents
    ]
    outside = [text for text in domain.out_of_scope if (OUT_OF_SCOPE, text) not in gone]
    return domain.model_copy(update={"intents": intents, "out_of_scope": outside})


def _marks(marked: Marked) -> list[_Mark]:
    return [(one.start, one.end, one.entity) for one in marked.entities]


def _count(tally: _Tally, truths: Sequence[_Mark], found: Sequence[_Mark]) -> None:
    """Each once."""
    wanted, there = set(truths), set(found)
    for one in wanted | there:
        into = tally.right if one in wanted and one in there else tally.missing if one in wanted else tally.wrong
        into[one[2]] += 1
