"""A CRF over words with the product's features and augmentation, and beside them what its rules find: dates, times, numbers, …

What few_shot learns for entities knows nothing of rules, which find theirs beside it; data sets whose slots are dates and times
label them in their own way (date_from, people), so that here one learns from the other. What was asked for is context.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from benchmarks.understanding.edits import Span
from zhuli.types.understanding.domain import Entity
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.language.entity_extraction.entity_extraction import find_entities
from zhuli.understanding.language.marked_examples import MARK, Marked
from zhuli.understanding.language.tagging.tagged_examples import (
    Listed,
    TaggedExample,
    asked_for,
    augmented,
    listed_values,
    spans,
)
from zhuli.understanding.language.tagging.tagger import tagged
from zhuli.understanding.language.tagging.word_features import Gazetteer, features
from zhuli.understanding.language.tokens import tokens

NOW = datetime(2022, 3, 15, 9, tzinfo=UTC)
"""Of nlupp; restaurant8k has none."""

BY_RULE = [Entity(name=kind, kind=kind) for kind in ("date", "time", "number", "money", "phone", "email")]


@dataclass(frozen=True, slots=True)
class Said:
    """A text with its spans. asked: the slots that were asked for."""

    text: str
    spans: tuple[Span, ...]
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """c2, rounds: of CRFsuite, the weight of squared weights, and rounds of L-BFGS. varied: whether examples are also learned in
    the variations of few_shot. least: texts that have a word, for it to be more than its form."""

    c2: float
    rounds: int
    varied: bool
    least: int


TRIED = (Settings(0.3, 60, True, 1), Settings(0.1, 60, True, 2), Settings(0.1, 100, False, 2))
"""Settings to choose from, the last for many texts."""

MOST_TRIED = 3_000
"""Texts beyond which few_shot varies none, and nothing is chosen here."""

PARTS = 4


class ChosenTagger:
    """For each slot the tagger whose settings were best at it on quarters of the examples, learned from the other three."""

    def __init__(self, examples: Sequence[Said]) -> None:
        self._score, best = _chosen(examples)
        used = set(best.values()) or {TRIED[-1]}
        self._best, self._taggers = best, {settings: SpanTagger(examples, settings) for settings in used}

    def find(self, text: str, asked: Sequence[str] = ()) -> list[Span]:
        """The likeliest spans; of those that overlap the one whose slot is found better."""
        found = [
            span
            for settings, tagger in self._taggers.items()
            for span in tagger.find(text, asked)
            if self._best.get(span.label, TRIED[-1]) == settings
        ]
        kept: list[Span] = []
        for span in sorted(found, key=lambda one: -self._score.get(one.label, 0.0)):
            if all(span.end <= other.start or other.end <= span.start for other in kept):
                kept.append(span)
        return kept


def _chosen(examples: Sequence[Said]) -> tuple[dict[str, float], dict[str, Settings]]:
    """Of each slot the best F1, and with which settings."""
    if len(examples) > MOST_TRIED:
        return {}, {}
    order = random.Random(0).sample(range(len(examples)), len(examples))
    score, best = dict[str, float](), dict[str, Settings]()
    for settings in TRIED:
        right, there = Counter[str](), Counter[str]()
        for part in range(PARTS):
            away = set(order[part::PARTS])
            tagger = SpanTagger([one for place, one in enumerate(examples) if place not in away], settings)
            for place in away:
                found = set(tagger.find(examples[place].text, examples[place].asked))
                wanted = set(examples[place].spans)
                there.update(span.label for span in [*found, *wanted])
                right.update(span.label for span in found & wanted)
        for slot, count in there.items():
            if slot not in score or 2 * right[slot] / count > score[slot]:
                score[slot], best[slot] = 2 * right[slot] / count, settings
    return score, best


class SpanTagger:
    """Learned from what was said, in seconds."""

    def __init__(self, examples: Sequence[Said], settings: Settings) -> None:
        import pycrfsuite

        cut = [replace(_tagged(one), context=_context(one.asked)) for one in examples]
        listed = listed_values(cut, {})
        self._gazetteer, self._words = Gazetteer(listed), _common(cut, settings.least)
        trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
        trainer.set_params({"c1": 0.0, "c2": settings.c2, "max_iterations": settings.rounds})
        for example in [*cut, *(_varied(cut, listed) if settings.varied else ())]:
            trainer.append(self._rows(example.words, example.context, _own(example)), example.tags)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model")
            trainer.train(str(path))
            self._model = path.read_bytes()  # crfsuite reads it where it lies
        self._tagger = pycrfsuite.Tagger()
        self._tagger.open_inmemory(self._model)

    def find(self, text: str, asked: Sequence[str] = ()) -> list[Span]:
        """The likeliest spans."""
        cut = tokens(text)
        if not cut:
            return []
        tags = self._tagger.tag(self._rows(tuple(token.text for token in cut), _context(asked), {}))
        return [Span(cut[first].start, cut[end - 1].end, label) for first, end, label in spans(tags)]

    def _rows(
        self, words: tuple[str, ...], context: Sequence[str], own: dict[tuple[str, ...], set[str]]
    ) -> list[list[str]]:
        listed = self._gazetteer.features([word.lower() for word in words], own)
        listed = [[*known, *by_rule] for known, by_rule in zip(listed, _ruled(words), strict=True)]
        return features(words, listed, context, self._words)


@lru_cache(maxsize=200_000)
def _ruled(words: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """For each word the kinds of values that begin with it or go on."""
    text = " ".join(words)
    starts, at = [], 0
    for word in words:
        starts.append(at)
        at += len(word) + 1
    found = find_entities(text, BY_RULE, language="en", now=NOW)
    return tuple(
        tuple(
            f"{'at' if one.start >= start else 'in'} rule {one.entity}"
            for one in found
            if one.start < start + len(word) and one.end > start
        )
        for start, word in zip(starts, words, strict=True)
    )


def _tagged(said: Said) -> TaggedExample:
    marks = [
        EntityFound(entity=one.label, text="", value="", start=one.start, end=one.end, source=MARK)
        for one in said.spans
    ]
    return tagged(Marked(said.text, marks))


def _context(asked: Iterable[str]) -> tuple[str, ...]:
    return tuple(asked_for(slot) for slot in sorted(asked)) or ("asked=",)


def _common(examples: Sequence[TaggedExample], least: int) -> frozenset[str]:
    """Lower-cased words that so many texts have."""
    counts = Counter(word for example in examples for word in {word.lower() for word in example.words})
    return frozenset(word for word, count in counts.items() if count >= least)


def _varied(examples: Sequence[TaggedExample], listed: Listed) -> Iterator[TaggedExample]:
    """As few_shot varies examples, without intents."""
    values = {label: [tuple(words) for words in known] for label, known in listed.items()}
    for one in augmented([(example, "") for example in examples], values):
        asked = tuple(fact for fact in one.context if not fact.startswith("intent="))
        yield replace(one, context=asked or _context(()))


def _own(example: TaggedExample) -> dict[tuple[str, ...], set[str]]:
    own: dict[tuple[str, ...], set[str]] = {}
    for first, end, label in spans(example.tags) if example.fresh else ():
        own.setdefault(tuple(word.lower() for word in example.words[first:end]), set()).add(label)
    return own
