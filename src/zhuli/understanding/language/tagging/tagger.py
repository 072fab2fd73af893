"""Finds the entities of a text that were learned from a few marked examples: a conditional random field over words.

The CRF is python-crfsuite's (Lafferty et al. 2001; Okazaki 2007); tagger_training makes its model. A value is what an
example said of the same words, or the words themselves: nothing is normalised here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.language.entity_extraction.entity_labels import entity_of, label_of, role_of
from zhuli.understanding.language.marked_examples import Marked
from zhuli.understanding.language.tagging.tagged_examples import Listed, TaggedExample, asked_for, meant, spans
from zhuli.understanding.language.tagging.word_features import Gazetteer, features
from zhuli.understanding.language.tokens import Token, tokens

SOURCE = "learned"

LEAST = 0.5
"""Confidence below which a span is not told: the likeliest tags may still be unlikely. On snips 0.2 to 0.5 have the same F1."""

Said = dict[str, dict[str, Any]]
"""What lower-cased text stands for, by entity, where it stands for something else than itself."""


@dataclass
class Tagger:
    """model: the CRF as bytes. words: those that examples have, in lower case. May be asked by several threads."""

    model: bytes
    words: frozenset[str]
    listed: Listed
    said: Said

    def __post_init__(self) -> None:
        import pycrfsuite

        self._gazetteer = Gazetteer(self.listed)
        self._tagger = pycrfsuite.Tagger()
        self._tagger.open_inmemory(self.model)
        self._one_at_a_time = Lock()

    def find(self, text: str, *, intent: str | None = None, asked: str | None = None) -> list[EntityFound]:
        """The entities in `text`. intent: if it is known; asked: the entity that was asked for, if one was."""
        cut = tokens(text)
        context = [*([meant(intent)] if intent else []), *([asked_for(asked)] if asked else [])]
        words = [token.text for token in cut]
        listed = self._gazetteer.features([word.lower() for word in words], {})
        return [
            self._entity(text, cut[first].start, cut[end - 1].end, label, confidence)
            for first, end, label, confidence in self._spans(features(words, listed, context, self.words))
        ]

    def _spans(self, rows: list[list[str]]) -> list[tuple[int, int, str, float]]:
        """Likeliest spans, each with the least of its words' marginals."""
        if not rows:
            return []
        with self._one_at_a_time:  # the CRF keeps the text that it is asked about
            self._tagger.set(rows)
            tags = self._tagger.tag()
            found = [
                (first, end, label, min(self._tagger.marginal(tags[place], place) for place in range(first, end)))
                for first, end, label in spans(tags)
            ]
        return [span for span in found if span[3] >= LEAST]

    def _entity(self, text: str, start: int, end: int, label: str, confidence: float) -> EntityFound:
        entity, part = entity_of(label), text[start:end]
        return EntityFound(
            entity=entity,
            text=part,
            value=self.said.get(entity, {}).get(part.lower(), part),
            start=start,
            end=end,
            source=SOURCE,
            role=role_of(label),
            confidence=round(min(confidence, 1.0), 4),
        )


def tagged(marked: Marked) -> TaggedExample:
    """The marked text in words and tags; of marks that overlap the first counts."""
    cut = tokens(marked.text)
    tags = ["O"] * len(cut)
    for entity in marked.entities:
        inside = [place for place, token in enumerate(cut) if _overlap(token, entity.start, entity.end)]
        if inside and all(tags[place] == "O" for place in inside):
            label = label_of(entity.entity, entity.role)
            for place in inside:
                tags[place] = f"I-{label}" if place > inside[0] else f"B-{label}"
    return TaggedExample(tuple(token.text for token in cut), tuple(tags))


def said_values(examples: Sequence[Marked], more: Mapping[str, Mapping[str, str]]) -> Said:
    """What the examples' marks, and `more` by entity, say that words stand for."""
    said: Said = {entity: {text.lower(): value for text, value in pairs.items()} for entity, pairs in more.items()}
    for example in examples:
        for mark in example.entities:
            if mark.value != mark.text:
                said.setdefault(mark.entity, {})[mark.text.lower()] = mark.value
    return said


def _overlap(token: Token, start: int, end: int) -> bool:
    return token.start < end and token.end > start
