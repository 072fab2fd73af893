"""Understands from a few examples the moment a domain is saved: a classifier on sentence vectors tells intents, a CRF over words
finds entities. No model is trained or tuned; what is learned in seconds is kept in the domain's folder.
"""

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter
from threadpoolctl import threadpool_limits

from zhuli.core.errors import BackendError
from zhuli.ports import Services
from zhuli.types.understanding.domain import DomainFields, DomainReport, FromEntity, Intent
from zhuli.types.understanding.understanding import DialogueState, EntityFound, IntentScore, Reading
from zhuli.understanding.language.acts.small_talk import ANSWERS, SMALL_TALK
from zhuli.understanding.language.intent_classification import (
    classifier_report,
    classifier_training,
    kept_vectors,
    learned_file,
)
from zhuli.understanding.language.intent_classification.classifier_report import IntentExample
from zhuli.understanding.language.intent_classification.domain_examples import DomainExamples, TaggerExamples
from zhuli.understanding.language.intent_classification.learned_file import DomainModel
from zhuli.understanding.language.intent_classification.softmax_regression import Floats, unit
from zhuli.understanding.language.intent_classification.word_features import WordFeatures
from zhuli.understanding.language.tagging.tagger import Tagger
from zhuli.understanding.language.tagging.tagger_training import train

FORMAT = 5
"""Part of what names the file: grows when something else is learned from the same domain."""

VECTORS = "vectors.npz"
"""The file with the vectors of the last version that was learned, in the domain's folder."""

NEAR = 0.45
"""Cosine to an example, around the middle of the domain's, from which on small talk is not taken to be outside of it."""

SAME = 0.999
"""Cosine of two vectors of a text by the same embedder."""

ROLE = "role"
"""The source of a finding whose value is found by rule: it says which role that has."""

_RANKING = TypeAdapter(list[IntentScore])


class Plugin:
    """Implements ports.Understander. Setting: `embedder`, a name; without it the one that suits the domain's languages."""

    def __init__(self, domain: DomainFields, services: Services) -> None:
        self.report: DomainReport | None = None
        self._domain = domain
        self._services = services
        self._kinds = {entity.name: entity.kind for entity in domain.entities}
        self._model: DomainModel | None = None

    async def prepare(self) -> None:
        path = self._services.folder / f"few_shot-{await asyncio.to_thread(_digest, self._domain)}.npz"
        model = await asyncio.to_thread(learned_file.read, path)
        if model is None or not await self._fits(model):
            model = await self._learned()
            await asyncio.to_thread(_keep_model, path, model)
        self._model, self.report = model, model.report

    async def read(self, texts: Sequence[str], state: DialogueState) -> list[Reading]:
        if self._model is None:
            await self.prepare()
        assert self._model is not None
        said = list(dict.fromkeys(text for text in texts if text.strip()))
        vectors = await self._vectors(said) if said and self._model.classifier else np.zeros((len(said), 0), np.float32)
        asked = asked_entity(self._domain, state)
        read = await asyncio.to_thread(self._readings, self._model, said, vectors, asked) if said else []
        readings = dict(zip(said, read, strict=True))
        nothing = Reading([], 0.0, self._threshold(self._model), reasons=["There is no text."])
        return [readings.get(text, nothing) for text in texts]

    def _readings(self, model: DomainModel, texts: Sequence[str], vectors: Floats, asked: str | None) -> list[Reading]:
        threshold = self._threshold(model)
        if model.classifier is None:
            reasons = ["The domain has no intents."]
            return [Reading([], 0.0, threshold, self._entities(model, text, None, asked), reasons) for text in texts]
        scores = model.classifier.read(np.hstack([vectors, model.words.rows(texts)]))
        return [
            self._reading(model, text, shares, float(inside), threshold, asked)
            for text, shares, inside in zip(texts, scores.shares, scores.inside, strict=True)
        ]

    def _reading(
        self, model: DomainModel, text: str, shares: Floats, inside: float, threshold: float, asked: str | None
    ) -> Reading:
        exact = shares.astype(np.float64) / shares.sum(dtype=np.float64)
        order = np.argsort(-exact, kind="stable")
        ranking = _RANKING.validate_python(  # all in one call: one by one they take half a millisecond
            [
                {"name": self._domain.intents[place].name, "confidence": share}
                for place, share in zip(order.tolist(), exact[order].tolist(), strict=True)
            ]
        )
        reached = inside * ranking[0].confidence >= threshold
        entities = self._entities(model, text, ranking[0].name if reached else None, asked)
        sure = f"{inside:.0%} that the domain covers this, {ranking[0].confidence:.0%} '{ranking[0].name}' if so"
        return Reading(ranking, inside, threshold, entities, [f"few_shot: {sure}; it takes {threshold:.0%} in all."])

    def _entities(self, model: DomainModel, text: str, intent: str | None, asked: str | None) -> list[EntityFound]:
        found = model.tagger.find(text, intent=intent, asked=asked) if model.tagger else []
        return [
            entity if self._kinds[entity.entity] == "learned" else entity.model_copy(update={"source": ROLE})
            for entity in found
            if self._kinds[entity.entity] == "learned" or entity.role
        ]

    def _threshold(self, model: DomainModel) -> float:
        chosen = self._domain.fallback.threshold
        return (model.report.threshold or 0.0) if chosen is None else chosen

    async def _fits(self, model: DomainModel) -> bool:
        """Whether the embedder is still the one that was learned with."""
        if model.classifier is None:
            return True
        (probe,) = await self._vectors([_readable(self._domain.intents[0])])
        return _same(probe, model.probe)

    async def _learned(self) -> DomainModel:
        """The embedder is asked first: that it is not there shows at once, entities take seconds to learn."""
        examples = await asyncio.to_thread(DomainExamples.of, self._domain)
        if not self._domain.intents:
            return DomainModel(
                None,
                WordFeatures.of([]),
                await self._tagger(examples),
                DomainReport(learned=True),
                np.zeros(0, np.float32),
            )
        names = [_readable(intent) for intent in self._domain.intents]
        talk = [text for language in self._domain.languages for text in (*SMALL_TALK[language], *ANSWERS[language])]
        texts = [example.text for example in examples.shown]
        outside = [text for text in self._domain.out_of_scope if text.strip()]
        rows = await self._remembered(list(dict.fromkeys([*names, *texts, *outside, *talk])))
        tagger = await self._tagger(examples)
        return await asyncio.to_thread(
            _trained, rows, (names, texts, outside, talk), examples.shown, self._domain, tagger
        )

    async def _tagger(self, examples: DomainExamples) -> Tagger | None:
        known = await asyncio.to_thread(TaggerExamples.of, examples, self._domain)
        return (
            Tagger(await train(known.examples, known.listed), known.words, known.listed, known.said) if known else None
        )

    async def _remembered(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Vectors of all texts of this version of the domain; only those are made that the version before it did not have."""
        path = self._services.folder / VECTORS
        rows = await self._known(await asyncio.to_thread(kept_vectors.read, path, texts))
        if new := [text for text in texts if text not in rows]:
            rows |= dict(zip(new, await self._vectors(new), strict=True))
            await asyncio.to_thread(_keep, path, lambda: kept_vectors.write(path, rows))
        return rows

    async def _known(self, kept: dict[str, Floats]) -> dict[str, Floats]:
        """What is kept, unless another embedder made it than is asked now."""
        if not kept:
            return {}
        text, vector = next(iter(kept.items()))
        (probe,) = await self._vectors([text])
        return kept if _same(probe, vector) else {}

    async def _vectors(self, texts: Sequence[str]) -> Floats:
        made = await self._services.embed(self._domain.understander.embedder, texts)
        if len(made) != len(texts):
            raise BackendError(f"The embedder gave {len(made)} vectors for {len(texts)} texts.")
        return np.frombuffer(made.data, "<f4").reshape(-1, made.dimensions)


def asked_entity(domain: DomainFields, state: DialogueState) -> str | None:
    """The entity that would fill the slot which was just asked for; None if none would or nothing was asked."""
    asked = state.asked.slot if state.asked else None
    slot = next((slot for slot in domain.slots if slot.name == asked), None)
    if slot is None:
        return None
    if not slot.mappings:
        return slot.name
    return next((mapping.entity for mapping in slot.mappings if isinstance(mapping, FromEntity)), None)


@dataclass(frozen=True, slots=True)
class _Part:
    """Texts with their vectors."""

    texts: Sequence[str]
    vectors: Floats

    def rows(self, words: WordFeatures) -> Floats:
        return np.hstack([self.vectors, words.rows(self.texts)])


def _trained(
    rows: Mapping[str, Floats],
    parts: Sequence[Sequence[str]],
    examples: Sequence[IntentExample],
    domain: DomainFields,
    tagger: Tagger | None,
) -> DomainModel:
    """rows: vectors by text. parts: the intents' names, the examples, the domain's messages out of scope, and small talk."""
    length = len(next(iter(rows.values())))
    named, shown, outside, talk = (
        _Part(texts, np.array([rows[text] for text in texts], np.float32).reshape(-1, length)) for texts in parts
    )
    near = _nearness(talk.vectors, np.vstack([named.vectors, shown.vectors]))
    words = WordFeatures.of([*named.texts, *shown.texts])
    labels = np.array([example.intent for example in examples], np.int64)
    away = np.vstack([outside.rows(words), talk.rows(words)[near < NEAR]])
    with threadpool_limits(1, "blas"):  # other messages want the other cores
        learned = classifier_training.learn(shown.rows(words), labels, named.rows(words), away)
    report = DomainReport(
        findings=classifier_report.findings(learned, shown.vectors, examples, [one.name for one in domain.intents]),
        learned=True,
        examples=len(examples),
        accuracy=classifier_report.accuracy(learned, labels),
        threshold=learned.classifier.threshold,
    )
    return DomainModel(learned.classifier, words, tagger, report, named.vectors[0])


def _nearness(vectors: Floats, own: Floats) -> Floats:
    """Each row's cosine to the nearest of the domain's own, around their middle: some encoders put all texts close together."""
    middle = own.mean(axis=0)
    nearest: Floats = (unit(vectors - middle) @ unit(own - middle).T).max(axis=1, initial=-1.0)
    return nearest


def _readable(intent: Intent) -> str:
    """The intent's name in words, with what is said about it."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\-.]+", " ", intent.name).strip().lower()
    return f"{name}. {intent.description}" if intent.description else name


def _digest(domain: DomainFields) -> str:
    """Of all that learning depends on."""
    what = [
        FORMAT,
        domain.languages,
        domain.understander.embedder,
        [[intent.name, intent.description, intent.examples] for intent in domain.intents],
        domain.out_of_scope,
        [entity.model_dump(mode="json", include={"name", "kind", "values"}) for entity in domain.entities],
    ]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]


def _same(one: Floats, other: Floats) -> bool:
    """Whether one embedder made both of the same text."""
    return one.shape == other.shape and float(one @ other) >= SAME


def _keep_model(path: Path, model: DomainModel) -> None:
    """In place of what was learned for earlier versions of the domain."""
    if _keep(path, lambda: learned_file.write(path, model)):
        for old in path.parent.glob("few_shot-*.npz"):
            if old != path:
                old.unlink(missing_ok=True)


def _keep(path: Path, write: Callable[[], None]) -> bool:
    """A full disk only costs learning again."""
    try:
        write()
    except OSError as error:
        logging.getLogger(__name__).warning("%s, which was learned for a domain, is not kept: %s", path.name, error)
        return False
    return True
