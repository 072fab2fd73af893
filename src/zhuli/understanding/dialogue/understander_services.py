"""What understanders may use of the server: embedders, tuned models and chat models of one project, and a folder.

Which model serves a name is the catalog's matter, how a tuned model is asked predicting's: this only passes on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhuli.core.errors import Unavailable
from zhuli.models.catalog import Catalog, EmbedderEntry
from zhuli.store.database import Database
from zhuli.types.knowledge.vectors import Vectors
from zhuli.types.learning.example import Prediction
from zhuli.types.learning.prediction import PredictionCreate, PredictionList
from zhuli.types.models.generation import GenerationRequest
from zhuli.types.understanding.domain import Language

Predict = Callable[[str, PredictionCreate], Awaitable[PredictionList]]
"""What a project's tuned model answers: predicting.answering.Answering.answer."""

ENGLISH, EVERY_LANGUAGE = "minilm", "e5-small"
"""Packaged embedders: the first takes a quarter of the time of the second, which knows other languages too."""

GENERATING_SECONDS = 60.0
"""A chat model that has not said what it understood by then is given up."""


@dataclass(frozen=True, slots=True)
class UnderstanderServices:
    """Implements ports.Services for a domain in these languages."""

    project: str
    languages: Sequence[Language]
    folder: Path
    database: Database
    catalog: Catalog
    answer: Predict

    async def embed(self, embedder: str | None, texts: Sequence[str]) -> Vectors:
        return await self._embedder(embedder).embedder.embed(texts, "query")

    async def predict(self, model: str, inputs: Sequence[Any]) -> list[Prediction]:
        said = await self.answer(self.project, PredictionCreate(model=model, input=list(inputs)))
        return [result.output for result in said.data]

    async def generate(self, model: str | None, request: GenerationRequest) -> str:
        name = model or self.catalog.default
        entry = await self.database.run(self.catalog.resolve_now, name, self.project)
        if entry is None:
            raise self.catalog.unknown(name, self.project)
        try:
            async with asyncio.timeout(GENERATING_SECONDS), aclosing(entry.backend.generate(request)) as deltas:
                return "".join([delta.text async for delta in deltas])
        except TimeoutError as error:
            text = f"The model '{name}' took longer than {GENERATING_SECONDS:g} seconds to say what it understood."
            raise Unavailable(f"{text} A faster model, or another understander, would answer.") from error

    def embedder_named(self, name: str | None) -> str:
        """The name of the embedder that embed() would ask."""
        return self._embedder(name).name

    def _embedder(self, name: str | None) -> EmbedderEntry:
        if name is not None:
            if found := self.catalog.resolve_embedder(name):
                return found
            raise self.catalog.embedder_not_found(name)
        suits = ENGLISH if set(self.languages) == {"en"} else EVERY_LANGUAGE
        return self.catalog.embedders.get(suits) or self.catalog.embedders[self.catalog.default_embedder]
