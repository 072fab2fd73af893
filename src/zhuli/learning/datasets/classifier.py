"""The classifier on frozen vectors that looks for wrong labels and for what is worth a label: multinomial logistic regression."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]

STRENGTH = 30.0
"""Inverse of the regularisation: unit vectors of sentences lie close together, so weights must be large."""


def fitted(vectors: NDArray[Any], labels: Sequence[str]) -> Any:
    """A classifier of rows with these labels, of which there are at least two."""
    return LogisticRegression(C=STRENGTH, max_iter=300, tol=1e-3).fit(vectors, np.asarray(labels))


def read_vectors(path: Path, rows: int) -> NDArray[np.float32]:
    """Rows of little-endian float32, as embedders give them."""
    return np.fromfile(path, dtype="<f4").reshape(rows, -1)
