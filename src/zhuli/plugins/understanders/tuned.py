"""Understands by models that were tuned for it: one that tells classes of texts, one that finds spans, or only one of them.

Intents are the labels of a text_classification model, entities those of a token_classification model, by name: a label and an
intent that differ in case, blanks or dashes are the same. A label that the domain does not have, and the label out_of_scope,
count against the domain's intents. Nothing is trained here; prepare() asks the models for the domain's examples.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from zhuli.core.errors import InvalidRequest
from zhuli.ports import Services
from zhuli.types.learning.example import Prediction
from zhuli.types.understanding.domain import OUT_OF_SCOPE, DomainFields, DomainReport, Finding
from zhuli.types.understanding.understanding import DialogueState, EntityFound, IntentScore, Reading
from zhuli.understanding.language.entity_extraction.entity_labels import entity_of, role_of
from zhuli.understanding.language.marked_examples import read_marks
from zhuli.understanding.language.plain_text import without_pictures

THRESHOLD = 0.5
"""Where the examples say nothing else: more likely than not."""

MOST_ASKED = 400
"""Examples that the models are asked about in prepare(), spread over all; a second or two on one core."""

_LEVELS = [step / 100 for step in range(5, 96)]


class Plugin:
    """Implements ports.Understander. Settings: `model`, which tells intents, and `entity_model`, which finds entities."""

    def __init__(self, domain: DomainFields, services: Services) -> None:
        self.report: DomainReport | None = None
        self._domain = domain
        self._services = services
        self._model, self._entity_model = domain.understander.model, domain.understander.entity_model
        if self._model is None and self._entity_model is None:
            text = (
                "The understander 'tuned' needs 'model', a tuned model that tells intents, or 'entity_model', or both."
            )
            raise InvalidRequest(text, param="understander.model", code="missing_required_parameter")
        self._intents = {_plain(intent.name): intent.name for intent in domain.intents}
        self._entities = {_plain(entity.name): entity.name for entity in domain.entities if entity.kind == "learned"}
        self._meant: dict[tuple[str, str], Any] = {}
        self._threshold = THRESHOLD

    async def prepare(self) -> None:
        marked = [(read_marks(text), intent.name) for intent in self._domain.intents for text in intent.examples]
        self._meant = {
            (entity.entity, entity.text.lower()): entity.value for example, _ in marked for entity in example.entities
        }
        known = _spread([(example.text, name) for example, name in marked if example.text.strip()])
        outside = _spread([text for text in self._domain.out_of_scope if text.strip()])
        texts = [*(text for text, _ in known), *outside] or ["?"]
        scores, spans = await self._asked(texts)
        readings = [self._reading(*said) for said in zip(texts, scores, spans, strict=True)]
        sure = [
            (_best(reading), reading.ranking[0].name == name)
            for reading, (_, name) in zip(readings, known, strict=False)
            if reading.ranking
        ]
        asked = self._domain.fallback.threshold
        away = [_best(reading) for reading in readings[len(known) :]]
        self._threshold = chosen_threshold(sure, away) if asked is None else asked
        self.report = DomainReport(
            findings=self._findings(scores), learned=True, examples=len(marked), threshold=self._threshold
        )

    async def read(self, texts: Sequence[str], state: DialogueState) -> list[Reading]:
        if self.report is None:
            await self.prepare()
        said = [text for text in texts if text.strip()]
        answers = zip(said, *(await self._asked(said)), strict=True) if said else ()
        readings = {text: self._reading(text, scores, spans) for text, scores, spans in answers}
        nothing = Reading([], 0.0, self._threshold, reasons=["There is no text."])
        return [readings.get(text, nothing) for text in texts]

    async def _asked(self, texts: Sequence[str]) -> tuple[list[Prediction], list[Prediction]]:
        """Scores of labels and spans of each text; none of a model that is not there."""
        nothing: list[Prediction] = [[] for _ in texts]
        texts = [bare if (bare := without_pictures(text)).strip() else text for text in texts]
        scores, spans = await asyncio.gather(
            *(
                self._services.predict(model, texts) if model else _given(nothing)
                for model in (self._model, self._entity_model)
            )
        )
        if any("label" not in each for said in scores for each in said[:1]):
            raise _wrong_task("model", self._model, "text_classification")
        if any("entity_group" not in each for said in spans for each in said[:1]):
            raise _wrong_task("entity_model", self._entity_model, "token_classification")
        return scores, spans

    def _reading(self, text: str, scores: Prediction, spans: Prediction) -> Reading:
        """From what the models say of the text; a label's score is in_scope × confidence of its intent."""
        found = {self._intents.get(_plain(each["label"])): float(each["score"]) for each in reversed(scores)}
        known = {name: score for name, score in found.items() if name is not None}
        total = sum(known.values())
        ranking = [
            IntentScore(name=name, confidence=score / total if total else 0.0)
            for name, score in sorted(known.items(), key=lambda one: -one[1])
        ]
        return Reading(
            ranking,
            min(total, 1.0),
            self._threshold,
            [entity for each in spans if (entity := self._entity(text, each)) is not None],
            self._reasons(scores, spans),
        )

    def _entity(self, text: str, span: Mapping[str, Any]) -> EntityFound | None:
        label = span["entity_group"]
        name = self._entities.get(_plain(entity_of(label)))
        if name is None:
            return None
        start, end = int(span["start"]), int(span["end"])
        part = text[start:end]
        return EntityFound(
            entity=name,
            text=part,
            value=self._meant.get((name, part.lower()), part),
            start=start,
            end=end,
            source="learned",
            role=role_of(label),
            confidence=float(span["score"]),
        )

    def _reasons(self, scores: Prediction, spans: Prediction) -> list[str]:
        """What was left out, and why."""
        reasons = []
        if self._model is None:
            reasons.append("No model tells intents: 'understander.model' is not set.")
        elif scores and self._is_foreign(scores[0]["label"]):
            reasons.append(f"The model says '{scores[0]['label']}', which is no intent of the domain.")
        foreign = dict.fromkeys(span["entity_group"] for span in spans)
        reasons += [
            f"The model found '{label}', which is no learned entity of the domain."
            for label in foreign
            if _plain(entity_of(label)) not in self._entities
        ]
        return reasons

    def _is_foreign(self, label: str) -> bool:
        return _plain(label) not in self._intents and _plain(label) != OUT_OF_SCOPE

    def _findings(self, scores: Sequence[Prediction]) -> list[Finding]:
        """Intents that the model can't tell, and labels that no intent has."""
        if self._model is None:
            return []
        labels = {each["label"]: _plain(each["label"]) for each in scores[0]}
        missing = [
            _warning(f"intents[{number}]", f"The model '{self._model}' has no label '{intent.name}': it can't tell it.")
            for number, intent in enumerate(self._domain.intents)
            if _plain(intent.name) not in labels.values()
        ]
        foreign = [label for label in labels if self._is_foreign(label)]
        if foreign:
            listed = ", ".join(sorted(foreign)[:10])
            text = f"The model '{self._model}' has {len(foreign)} labels that are no intents; they are out of scope: {listed}."
            missing.append(_warning("understander.model", text))
        return missing


def chosen_threshold(known: Sequence[tuple[float, bool]], outside: Sequence[float]) -> float:
    """From which score on an intent is decided for. known: of examples, the best intent's score and whether it was right;
    outside: of examples that are out of scope.

    With examples outside, what separates right ones from them best, nearest to THRESHOLD; without, THRESHOLD or what 95 in
    100 right ones reach. The examples were perhaps learned from, so it is never raised for their sake.
    """
    right = sorted(score for score, is_right in known if is_right)
    if not right:
        return THRESHOLD
    if not outside:
        return round(max(min(THRESHOLD, right[len(right) // 20]), _LEVELS[0]), 4)

    def balance(level: float) -> float:
        taken = sum(score >= level for score in right) / len(right)
        return taken + sum(score < level for score in outside) / len(outside)

    return max(_LEVELS, key=lambda level: (round(balance(level), 9), -abs(level - THRESHOLD)))


def _best(reading: Reading) -> float:
    return reading.in_scope * reading.ranking[0].confidence if reading.ranking else 0.0


def _plain(name: str) -> str:
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


def _spread(items: Sequence[Any]) -> list[Any]:
    """At most MOST_ASKED of them, from all over."""
    step = max(1, -(-len(items) // MOST_ASKED))
    return list(items[::step])


async def _given(predictions: list[Prediction]) -> list[Prediction]:
    return predictions


def _warning(where: str, message: str) -> Finding:
    return Finding(level="warning", code="labels", where=where, message=message)


def _wrong_task(setting: str, model: str | None, task: str) -> InvalidRequest:
    text = f"The model '{model}' does not do {task}, which 'understander.{setting}' is for."
    return InvalidRequest(text, param=f"understander.{setting}", code="invalid_value")
