"""The heads that tell offensive and hateful language: linear, on a sentence vector and hashed words; a probability each.

They are in learned/, with their card; benchmarks/safety makes them. English and Chinese have heads of their own: what their
sources call offensive is not the same. Probabilities are calibrated on texts of the same sources that no head had learned from.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from zhuli.safety.moderation import features
from zhuli.safety.moderation.features import Language

Floats = NDArray[np.float32]

EMBEDDER: Final = "e5-small"
VECTORS_SHARE: Final = np.float32(8.0)
"""Of the sentence vector beside the words, which count 1."""

FILE: Final = Path(__file__).with_name("learned") / "heads.npz"

HEADS: Final[Mapping[Language, tuple[str, ...]]] = {"en": ("harassment", "hate"), "zh": ("harassment",)}
"""What the sources of a language are labelled with. Chinese hate is offence that names a group (see groups)."""

PARTS: Final = ("center", "vector", "words", "rest", "threshold")


@dataclass(frozen=True, slots=True)
class Head:
    """center: subtracted from vectors before they are of unit length. words: × PLACES.

    rest: bias, slope and shift of the logit."""

    center: Floats
    vector: Floats
    words: Floats
    rest: Floats
    threshold: Floats

    def probabilities(self, vectors: Floats, texts: Sequence[str]) -> Floats:
        """For cleaned texts; vectors: texts × numbers, of EMBEDDER."""
        logits = unit(vectors - self.center) @ self.vector + self.rest[0]
        logits += [sum(self.words[at] * weight for at, weight in features.places(text).items()) for text in texts]
        made: Floats = 1 / (1 + np.exp(-np.clip(logits * self.rest[1] + self.rest[2], -30, 30)))
        return made

    def strongest(self, text: str, words: Iterable[str], most: int = 5) -> list[str]:
        """The words of a cleaned text without which its score would fall most, most first."""
        whole = self._by_words(text)
        falls = {word: whole - self._by_words(text.replace(word, " ")) for word in dict.fromkeys(words)}
        return [word for word, fall in sorted(falls.items(), key=lambda one: -one[1])[:most] if fall > 0]

    def _by_words(self, text: str) -> float:
        return float(sum(self.words[at] * weight for at, weight in features.places(text).items()))

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """For a file, in half precision."""
        return {f"{name}.{part}": np.asarray(getattr(self, part)).astype(np.float16) for part in PARTS}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], name: str) -> Self:
        """What arrays() gave; KeyError where there is no such head."""
        return cls(*(arrays[f"{name}.{part}"].astype(np.float32) for part in PARTS))


def unit(vectors: Floats) -> Floats:
    """Rows of length VECTORS_SHARE."""
    made: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9) * VECTORS_SHARE
    return made


@cache
def packaged() -> dict[tuple[Language, str], Head]:
    """The shipped heads, by language and category."""
    with np.load(FILE, allow_pickle=False) as arrays:
        return {
            (language, category): Head.of_arrays(arrays, f"{language}.{category}")
            for language, categories in HEADS.items()
            for category in categories
        }
