"""Single messages with their intent and entities: banking77, clinc150 with what is out of scope, and snips.

Published splits where there are any. Nothing but `train` and `outside_train` is ever learned from; `validation` is for choosing a
threshold where that is measured.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from benchmarks.learning.tuning import class_sets, word_sets
from benchmarks.learning.tuning.drawing import Fields
from benchmarks.understanding.edits import Span
from zhuli.learning.training.data.report import Part
from zhuli.types.understanding.domain import Language


@dataclass(frozen=True, slots=True)
class Message:
    text: str
    intent: str
    spans: Sequence[Span] = ()


@dataclass(frozen=True, slots=True)
class IntentSet:
    """outside_…: texts that none of the intents covers."""

    language: Language
    train: Sequence[Message]
    test: Sequence[Message]
    validation: Sequence[Message] = ()
    outside: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def drawn(self, each: int, seed: int) -> list[Message]:
        """So many training examples of each intent, or as many as it has; all with 0."""
        if not each:
            return list(self.train)
        choice, by_intent = random.Random(seed), defaultdict[str, list[Message]](list)
        for message in self.train:
            by_intent[message.intent].append(message)
        return [
            one
            for intent in sorted(by_intent)
            for one in choice.sample(by_intent[intent], min(each, len(by_intent[intent])))
        ]


def banking77(data: Path) -> IntentSet:
    """As published: 10,003 for training, 3,080 for testing."""
    train, test = (_messages(class_sets.table(data / f"banking77/{part}.csv")) for part in ("train", "test"))
    return IntentSet("en", train, test)


def banking77_part(data: Path) -> IntentSet:
    """Ten of its intents, drawn with seed 0: for models whose window has no room for 77."""
    whole = banking77(data)
    names = set(random.Random(0).sample(sorted({message.intent for message in whole.train}), 10))
    train, test = ([one for one in part if one.intent in names] for part in (whole.train, whole.test))
    return IntentSet("en", train, test)


def clinc150(data: Path) -> IntentSet:
    """As published: 15,000, 3,000 and 4,500 in scope; 100, 100 and 1,000 out of scope."""
    inside, whole = class_sets.clinc150(data, 0), class_sets.clinc150_oos(data, 0)
    names: dict[Part, str] = {"train": "train", "validation": "val", "test": "test"}
    outside = {name: [one["text"] for one in whole[part][len(inside[part]) :]] for part, name in names.items()}
    parts = {part: _messages(inside[part]) for part in names}
    return IntentSet("en", parts["train"], parts["test"], parts["validation"], outside)


def snips(data: Path) -> IntentSet:
    """The published validation part is the test, 700 sentences of train are held out: the split of benchmarks.learning.tuning."""
    texts, tags = word_sets.snips_intents(data, 0), word_sets.snips_slots(data, 0)
    parts = {
        part: [
            Message(one["text"], one["label"], _spans(tagged["tokens"], tagged["tags"]))
            for one, tagged in zip(texts[part], tags[part], strict=True)
        ]
        for part in texts
    }
    return IntentSet("en", parts["train"], parts["test"], parts["validation"])


def _spans(words: Sequence[str], tags: Sequence[str]) -> list[Span]:
    """Where the tagged words stand in the text that blanks join."""
    spans: list[Span] = []
    at = 0
    for word, tag in zip(words, tags, strict=True):
        kind, _, label = tag.partition("-")
        if kind == "B":
            spans.append(Span(at, at + len(word), label))
        elif kind == "I":
            spans[-1] = Span(spans[-1].start, at + len(word), label)
        at += len(word) + 1
    return spans


def _messages(labelled: Sequence[Fields]) -> list[Message]:
    return [Message(one["text"].strip(), one["label"]) for one in labelled]


READERS = {"banking77": banking77, "banking77_part": banking77_part, "clinc150": clinc150, "snips": snips}


@cache
def read(name: str, data: Path) -> IntentSet:
    return READERS[name](data)
