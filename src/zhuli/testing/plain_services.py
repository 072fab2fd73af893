"""Services for tests of understanders: vectors of the embedder `hashed`, which costs nothing, and no models."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zhuli import registry
from zhuli.core.errors import InvalidRequest
from zhuli.types.knowledge.vectors import Vectors
from zhuli.types.learning.example import Prediction
from zhuli.types.models.generation import GenerationRequest


@dataclass
class PlainServices:
    """Implements ports.Services. embedded: how many texts each call of embed() had."""

    folder: Path
    embedded: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._embedder = registry.find("embedders", "hashed")("hashed", {"dimensions": 256})

    async def embed(self, embedder: str | None, texts: Sequence[str]) -> Vectors:
        self.embedded.append(len(texts))
        found: Vectors = await self._embedder.embed(texts, "query")
        return found

    async def predict(self, model: str, inputs: Sequence[Any]) -> list[Prediction]:
        raise InvalidRequest(f"There is no model '{model}' here.")

    async def generate(self, model: str | None, request: GenerationRequest) -> str:
        raise InvalidRequest("There is no chat model here.")
