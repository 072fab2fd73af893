"""An embedder without a model: features of a text are hashed into a few numbers. For tests, not for finding things.

Texts that share words come out alike, whatever their meaning: words weigh more than the pairs of letters in them, which
let Chinese and inflected words meet. The same text gives the same vector on every machine.
"""

import math
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from zhuli.models.entry_settings import checked
from zhuli.types.knowledge.vectors import Purpose, Vectors

_WORD = re.compile(r"[^\W_]+")
_WORD_WEIGHT, _PAIR_WEIGHT = 1.0, 0.35


class Settings(BaseModel):
    """What an entry of the models file may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dimensions: int = Field(128, ge=64, le=256, description="Numbers in a vector.")


class Plugin:
    """Feature hashing (Weinberger et al. 2009): each feature adds its weight, with a sign, at one place."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self.dimensions = checked(Settings, f"Embedder '{name}'", settings).dimensions
        self.max_tokens = 1_000_000

    async def start(self) -> None:
        """Nothing has to be loaded."""

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        rows = [struct.pack(f"<{self.dimensions}f", *_vector(text, self.dimensions)) for text in texts]
        return Vectors(self.dimensions, b"".join(rows))

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(_WORD.findall(text)) for text in texts]

    async def aclose(self) -> None:
        """Nothing is held."""


def _vector(text: str, dimensions: int) -> list[float]:
    """A row of unit length; of a text without features, an axis."""
    row = [0.0] * dimensions
    for (weight, feature), count in Counter(_features(text.lower())).items():
        code = zlib.crc32(feature.encode("utf-8", "replace"))
        row[(code >> 1) % dimensions] += (1 if code & 1 else -1) * weight * (1 + math.log(count))
    length = math.hypot(*row)
    if length == 0:
        return [1.0] + [0.0] * (dimensions - 1)
    return [number / length for number in row]


def _features(text: str) -> Iterator[tuple[float, str]]:
    for word in _WORD.findall(text):
        yield _WORD_WEIGHT, word
        for start in range(len(word) - 1):
            yield _PAIR_WEIGHT, f"{word[start : start + 2]}/"
