"""Reads dialogue acts beside what an understander reads, for those that tell none themselves: all that is packaged.

The heads read the vectors that few_shot has made anyway: what was embedded last is remembered. Where a domain's embedder has no
head, or its understander asks for no vectors, the packaged embedder for its languages is asked. With `act_model` a tuned model
tells the acts.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zhuli.ports import Understander
from zhuli.types.knowledge.vectors import Vectors
from zhuli.types.learning.example import Prediction
from zhuli.types.models.generation import GenerationRequest
from zhuli.types.understanding.domain import DomainFields, DomainReport
from zhuli.types.understanding.understanding import ActsRead, DialogueState, Reading
from zhuli.understanding.dialogue.forms_and_slots import slot_named
from zhuli.understanding.dialogue.understander_services import UnderstanderServices
from zhuli.understanding.language.acts import act_head
from zhuli.understanding.language.acts.act_features import Question

REMEMBERED = 64
"""Vectors of texts that were embedded last: a message, its clauses, and a few more."""

THRESHOLD = 0.5
"""Of a tuned model's labels."""


class RememberedVectors:
    """Implements ports.Services: like those of a server, but what is embedded twice in a row is made once."""

    def __init__(self, services: UnderstanderServices) -> None:
        self.folder: Path = services.folder
        self._services = services
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def embedder_named(self, embedder: str | None) -> str:
        return self._services.embedder_named(embedder)

    async def embed(self, embedder: str | None, texts: Sequence[str]) -> Vectors:
        name = self._services.embedder_named(embedder)
        if len(texts) > REMEMBERED // 2:
            return await self._services.embed(embedder, texts)
        rows = {text: self._kept[name, text] for text in texts if (name, text) in self._kept}
        if missing := [text for text in dict.fromkeys(texts) if text not in rows]:
            made = await self._services.embed(embedder, missing)
            width = 4 * made.dimensions
            rows |= {text: made.data[at * width : (at + 1) * width] for at, text in enumerate(missing)}
        self._kept |= {(name, text): row for text, row in rows.items()}
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
        return Vectors(len(next(iter(rows.values()), b"")) // 4, b"".join(rows[text] for text in texts))

    async def predict(self, model: str, inputs: Sequence[Any]) -> list[Prediction]:
        return await self._services.predict(model, inputs)

    async def generate(self, model: str | None, request: GenerationRequest) -> str:
        return await self._services.generate(model, request)


class WithActs:
    """Implements ports.Understander: the one inside, and the dialogue acts of each text where that tells none."""

    def __init__(self, inside: Understander, domain: DomainFields, services: RememberedVectors) -> None:
        self._inside = inside
        self._domain = domain
        self._services = services

    @property
    def report(self) -> DomainReport | None:
        return self._inside.report

    @report.setter
    def report(self, report: DomainReport | None) -> None:
        self._inside.report = report

    async def prepare(self) -> None:
        await self._inside.prepare()
        await asyncio.to_thread(self._embedder)  # opens the file of the heads, which is kept

    async def read(self, texts: Sequence[str], state: DialogueState) -> list[Reading]:
        readings = await self._inside.read(texts, state)
        if all(reading.acts is not None for reading in readings):
            return readings
        acts = await self._acts(texts, state)
        return [
            reading if reading.acts is not None else replace(reading, acts=read)
            for reading, read in zip(readings, acts, strict=True)
        ]

    async def _acts(self, texts: Sequence[str], state: DialogueState) -> Sequence[ActsRead | None]:
        model = self._domain.understander.act_model
        if model is not None:
            return [_of_labels(said) for said in await self._services.predict(model, texts)]
        embedder = self._embedder()
        head = act_head.packaged(embedder) if embedder else None
        if embedder is None or head is None:
            return [None] * len(texts)
        made = await self._services.embed(embedder, texts)
        vectors = np.frombuffer(made.data, "<f4").reshape(-1, made.dimensions)
        return head.read(vectors, texts, open_question_kind(self._domain, state))

    def _embedder(self) -> str | None:
        """The domain's, if a head knows its vectors, or else the packaged one for its languages, if the catalog has it."""
        names = (self._services.embedder_named(name) for name in (self._domain.understander.embedder, None))
        return next((name for name in names if act_head.packaged(name) is not None), None)


def open_question_kind(domain: DomainFields, state: DialogueState) -> Question:
    """What kind of answer the last reply asked for."""
    asked = state.asked
    if asked is None:
        return "none"
    if asked.intents:
        return "choice" if len(asked.intents) > 1 else "yes_no"
    slot = slot_named(domain, asked.slot)
    return "yes_no" if slot is None or slot.type == "boolean" else "value"


def _of_labels(scores: Prediction) -> ActsRead:
    """A tuned model's labels as acts; case, blanks and dashes do not matter, and labels that are no acts are left out."""
    named = {"_".join(one["label"].casefold().replace("-", " ").split()): float(one["score"]) for one in scores}
    certainty: dict[str, float] = {act: named[act] for act in act_head.ACTS if act in named}
    return ActsRead(certainty, frozenset(act for act, score in certainty.items() if score >= THRESHOLD))
