"""The training examples that a model takes for most alike: cosine of its own features, kept in two files of its folder.

nearest.json has what is shown of each example, nearest.npy their vectors in half precision. All vectors are compared: there
are few enough.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zhuli.learning.metrics.measured import Floats
from zhuli.types.learning.example import Example

SHOWN, VECTORS = "nearest.json", "nearest.npy"

MOST = 2_000
"""Examples that are kept, of more every n-th: reading them again takes some ten seconds with a small encoder."""


def spread(examples: Sequence[Example]) -> list[Example]:
    """At most MOST of them, evenly."""
    number = min(len(examples), MOST)
    return [examples[at * len(examples) // number] for at in range(number)]


def keep(folder: Path, vectors: Floats, shown: Sequence[dict[str, Any]]) -> None:
    """Write both files. vectors: examples × width; shown: what JSON can hold of each."""
    unit = _unit(np.asarray(vectors, dtype=np.float64).reshape(len(shown), -1))
    np.save(folder / VECTORS, unit.astype(np.float16))
    (folder / SHOWN).write_text(json.dumps(list(shown), ensure_ascii=False), encoding="utf-8")


def nearest(folder: Path, vector: Floats, k: int) -> list[dict[str, Any]]:
    """What is shown of the `k` nearest with their "similarity" (cosine, -1 to 1), best first; none if nothing was kept."""
    if not (folder / SHOWN).is_file():
        return []
    shown = json.loads((folder / SHOWN).read_text(encoding="utf-8"))
    kept = _unit(np.load(folder / VECTORS).astype(np.float64))  # as half floats they are not quite of length 1
    cosines = kept @ _unit(np.asarray(vector, dtype=np.float64)[None])[0]
    best = np.argsort(-cosines, kind="stable")[:k]
    return [{**shown[at], "similarity": round(float(cosines[at]), 4)} for at in best]


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return unit
