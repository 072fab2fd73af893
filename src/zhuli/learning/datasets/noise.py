"""Wrong labels, found by confident learning (Northcutt, Jiang, Chuang 2021, "Confident Learning", JAIR 70).

Each example is classified by a model that has not seen it (cross-validation). A label's threshold is the mean probability of
it among those that have it. An example that passes the threshold of another label, and that one's probability is the
highest of all that do, is likely to be labelled wrongly; the further its own label's probability is below, the likelier.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from zhuli.core.errors import InvalidRequest
from zhuli.learning.datasets.classifier import Floats, fitted, read_vectors
from zhuli.learning.datasets.examples import text_of


@dataclass(frozen=True, slots=True)
class Doubt:
    """row: of the example. given and suggested: labels. margin: how much likelier the suggested one is, 0 to 1."""

    row: int
    given: str
    suggested: str
    margin: float


def doubts(probabilities: Floats, labels: Sequence[str], classes: Sequence[str]) -> list[Doubt]:
    """Examples that are likely to be labelled wrongly, the likeliest first. probabilities: rows × classes, out of sample."""
    number = {label: index for index, label in enumerate(classes)}
    given = np.array([number[label] for label in labels])
    thresholds = np.array(
        [
            probabilities[given == index, index].mean() if (given == index).any() else np.inf
            for index in range(len(classes))
        ]
    )
    passing = np.where(probabilities >= thresholds, probabilities, -1.0)
    likely = passing.argmax(axis=1)
    wrong = (passing.max(axis=1) >= 0) & (likely != given)
    own = probabilities[np.arange(len(given)), given]
    found = [
        Doubt(int(row), classes[given[row]], classes[likely[row]], float(probabilities[row, likely[row]] - own[row]))
        for row in np.flatnonzero(wrong)
    ]
    return sorted(found, key=lambda doubt: -doubt.margin)


def out_of_sample(
    vectors: NDArray[Any], labels: Sequence[str], *, folds: int, seed: int = 0
) -> tuple[Floats, list[str]]:
    """Each row's probabilities by a model that has not seen it, rows × classes, and the classes. Each has a row a fold."""
    classes = sorted(set(labels))
    said = np.zeros((len(labels), len(classes)))
    every = np.asarray(labels)
    for learned, asked in StratifiedKFold(folds, shuffle=True, random_state=seed).split(vectors, every):
        model = fitted(vectors[learned], every[learned].tolist())
        columns = [classes.index(label) for label in model.classes_]
        said[np.ix_(asked, columns)] = model.predict_proba(vectors[asked])
    return said, classes


def look(folder: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the child does: labels in doubt in the training part of a version. InvalidRequest where nothing can be told."""
    records = [orjson.loads(line) for line in (folder / "examples.jsonl").read_bytes().splitlines()]
    entries = map(orjson.loads, (folder / "manifest.jsonl").read_bytes().splitlines())
    ids = [entry["id"] for entry in entries if entry["part"] == "train"]
    vectors = read_vectors(folder / "vectors.bin", len(records))
    counts = Counter(record["label"] for record in records)
    rows = [index for index, record in enumerate(records) if counts[record["label"]] >= request["folds"]]
    labels = [records[index]["label"] for index in rows]
    if len(set(labels)) < 2:
        raise InvalidRequest(
            f"There must be two labels with at least {request['folds']} examples each: as many as there are folds."
        )
    probabilities, classes = out_of_sample(vectors[rows], labels, folds=request["folds"])
    found = doubts(probabilities, labels, classes)
    right = probabilities.argmax(axis=1) == np.array([classes.index(label) for label in labels])
    return {
        "looked_at": len(rows),
        "left_out": len(records) - len(rows),
        "accuracy": float(right.mean()),
        "in_doubt": len(found),
        "data": [
            {
                "example": ids[rows[doubt.row]],
                "text": text_of("text_classification", records[rows[doubt.row]])[:1_000],
                "label": doubt.given,
                "suggested": doubt.suggested,
                "margin": round(doubt.margin, 4),
            }
            for doubt in found[: request["limit"]]
        ],
    }
