"""Which texts are most worth a label: those that a classifier is unsure of, and that are new, and no two alike.

Uncertainty is 1 minus the margin between the two likeliest labels (Scheffer et al. 2001). A batch is made diverse as by Zhdanov
2019 ("Diverse mini-batch active learning"): of the most uncertain texts, those nearest to the centres of k-means weighted by
uncertainty. Novelty is the distance to the nearest labelled text; without two labels it is all there is, and then the batch
covers what is most typical (as TypiClust, Hacohen et al. 2022).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from zhuli.learning.datasets.classifier import Floats, fitted, read_vectors

MORE = 10
"""So many times the batch are candidates for it: the most uncertain ones."""

LOOKED_AT = 5_000
"""Texts of the pool that are looked at before anything is labelled."""

NEW = 0.5
"""How much novelty counts beside uncertainty, both from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """row: of the pool. guess: the label that the classifier would give."""

    row: int
    uncertainty: float
    novelty: float
    guess: str | None


def suggest(
    labelled: NDArray[Any], labels: Sequence[str], pool: NDArray[Any], *, most: int, seed: int = 0, new: float = NEW
) -> list[Chosen]:
    """The `most` rows of the pool that are most worth a label, best first. Vectors have unit length. new: weight of novelty."""
    if not len(pool):
        return []
    near = novelty(labelled, pool)
    guesses: list[str | None] = [None] * len(pool)
    doubt = np.ones(len(pool))
    if len(set(labels)) > 1:
        model = fitted(labelled, labels)
        said = np.sort(model.predict_proba(pool), axis=1)
        doubt = 1 - (said[:, -1] - said[:, -2])
        guesses = [str(label) for label in model.predict(pool)]
    worth = doubt + new * near
    if len(set(labels)) > 1:
        candidates = np.argsort(-worth, kind="stable")[: MORE * most]
    else:
        candidates = np.random.default_rng(seed).permutation(len(pool))[:LOOKED_AT]
    chosen = candidates[_spread(pool[candidates], worth[candidates], most=most, seed=seed)]
    ordered = sorted(chosen.tolist(), key=lambda row: (-worth[row], row))
    return [Chosen(row, float(doubt[row]), float(near[row]), guesses[row]) for row in ordered]


def novelty(labelled: NDArray[Any], pool: NDArray[Any]) -> Floats:
    """1 minus the cosine to the nearest labelled text, 0 to 1; 1 where nothing is labelled."""
    if not len(labelled):
        return np.ones(len(pool))
    nearest = np.concatenate([(pool[at : at + 1_000] @ labelled.T).max(axis=1) for at in range(0, len(pool), 1_000)])
    return np.clip(1 - nearest.astype(np.float64), 0, 1)


def _spread(vectors: NDArray[Any], worth: Floats, *, most: int, seed: int) -> NDArray[np.int64]:
    """Rows that lie apart: the one nearest to each centre."""
    if len(vectors) <= most:
        return np.arange(len(vectors))
    means = KMeans(most, n_init=1, max_iter=30, random_state=seed).fit(vectors, sample_weight=worth + 1e-6)
    distances = means.transform(vectors)
    found: list[int] = []
    for centre in range(most):
        inside = np.flatnonzero(means.labels_ == centre)
        if len(inside):
            found.append(int(inside[distances[inside, centre].argmin()]))
    return np.array(found, dtype=np.int64)


def look(folder: Path, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the child does: suggestions of the pool whose vectors lie in the folder."""
    labels = orjson.loads((folder / "labels.json").read_bytes())
    pool = read_vectors(folder / "pool.bin", request["pool"])
    labelled = read_vectors(folder / "labelled.bin", len(labels)) if labels else np.zeros((0, pool.shape[1]))
    found = suggest(labelled, labels, pool, most=request["most"])
    return [
        {"row": one.row, "uncertainty": one.uncertainty, "novelty": one.novelty, "guess": one.guess} for one in found
    ]
