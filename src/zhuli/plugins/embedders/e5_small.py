"""multilingual-e5-small, from its package."""

from collections.abc import Sequence
from typing import Any

from zhuli.core.errors import BackendError
from zhuli.types.vectors import Purpose, Vectors


class Plugin:
    """The embedder."""

    dimensions = 384
    max_tokens = 512

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self._name = name

    async def start(self) -> None:
        """Load."""

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        raise BackendError(f"The embedder '{self._name}' is not ready.")

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) // 4 for text in texts]

    async def aclose(self) -> None:
        """Free."""
