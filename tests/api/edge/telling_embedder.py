"""An embedder that tells how the process that it is in looks for garbage: its vectors are Python's three thresholds."""

import gc
from array import array
from collections.abc import Sequence
from typing import Any

from zhuli.types.knowledge.vectors import Purpose, Vectors


class Telling:
    """No settings."""

    dimensions = 3
    max_tokens = 1_000

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        """Settings are not looked at."""

    async def start(self) -> None:
        """There is nothing to start."""

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        return Vectors(3, array("f", gc.get_threshold()).tobytes() * len(texts))

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [1 for _ in texts]

    async def aclose(self) -> None:
        """There is nothing to end."""
