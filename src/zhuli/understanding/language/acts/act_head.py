"""Tells the dialogue acts of a message, several at once: a linear head on its sentence vector, its words, and what was asked.

The heads are in learned/, one for each packaged embedder, with their card; benchmarks/understanding/acts makes them. A certainty
is calibrated on sources that the head had not seen: of messages at 0.8, about 80 in 100 do it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from zhuli.types.understanding.understanding import ActsRead
from zhuli.understanding.language.acts import act_features
from zhuli.understanding.language.acts.act_features import Floats, Question

ACTS: Final = (
    "affirm", "deny", "dont_know", "any", "wait", "thank", "greet", "bye", "correct", "handover", "repeat", "cancel", "why",
    "identity", "help", "small_talk", "told", "off_topic",
)  # fmt: skip
"""What a message may do. any: it does not matter; cancel: it wants something not, or not any more; why: asks why that is asked;
told: it was said before; off_topic: about the world, whatever the domain."""

VECTORS_SHARE: Final = np.float32(2.0)
"""Of the sentence vector beside the words, which count 1. Between 1 and 4 hardly anything changes."""

FILE: Final = Path(__file__).with_name("learned") / "acts.npz"


@dataclass(frozen=True, slots=True)
class ActHead:
    """center: subtracted from vectors before they are of unit length. weights: (numbers, words and 1) × ACTS. scales: of
    logits before they are probabilities, slope and shift × ACTS. thresholds: × ACTS."""

    center: Floats
    weights: Floats
    scales: Floats
    thresholds: Floats

    def read(self, vectors: Floats, texts: Sequence[str], question: Question | None) -> list[ActsRead]:
        """What each text does where `question` was open. vectors: of the head's embedder, texts × numbers."""
        sure = self.certainties(inputs(vectors - self.center, texts, [question] * len(texts)))
        said = sure >= self.thresholds
        return [
            ActsRead(
                dict(zip(ACTS, map(float, one), strict=True)),
                frozenset(name for name, is_said in zip(ACTS, which, strict=True) if is_said),
            )
            for one, which in zip(sure, said, strict=True)
        ]

    def certainties(self, given: Floats) -> Floats:
        """texts × ACTS, of inputs()."""
        slope, shift = self.scales
        logits = (given @ self.weights) * slope + shift
        made: Floats = (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)
        return made

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """For a file, in half precision; name: of the embedder."""
        parts = {"center": self.center, "weights": self.weights, "scales": self.scales, "thresholds": self.thresholds}
        return {f"{name}.{part}": array.astype(np.float16) for part, array in parts.items()}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], name: str) -> Self:
        """What arrays() gave; KeyError where there is no such head."""
        parts = ("center", "weights", "scales", "thresholds")
        return cls(*(arrays[f"{name}.{part}"].astype(np.float32) for part in parts))


def inputs(centered: Floats, texts: Sequence[str], questions: Sequence[Question | None]) -> Floats:
    """texts × (numbers, words and 1)."""
    unit = centered / np.maximum(np.linalg.norm(centered, axis=1, keepdims=True), 1e-9)
    ones = np.ones((len(texts), 1), np.float32)
    return np.hstack([unit * VECTORS_SHARE, act_features.rows(texts, questions), ones]).astype(np.float32)


@cache
def packaged(embedder: str) -> ActHead | None:
    """The head for this packaged embedder's vectors; None if there is none."""
    with np.load(FILE, allow_pickle=False) as arrays:
        return ActHead.of_arrays(arrays, embedder) if f"{embedder}.weights" in arrays else None
