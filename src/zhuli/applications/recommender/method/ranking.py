"""The ranker: gradient-boosted trees (LightGBM, LambdaRank) that join all that is known of a candidate."""

from collections.abc import Sequence
from pathlib import Path

import lightgbm
import numpy as np
from numpy.typing import NDArray

from zhuli.applications.recommender.method.scoring import FEATURES

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_OPTIONS = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 30,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "verbose": -1,
    "num_threads": 2,
    "deterministic": True,
    "force_row_wise": True,
}


def learn(
    groups: Sequence[Floats],
    labels: Sequence[Ints],
    *,
    rounds: int,
    seed: int,
    weights: Sequence[Floats] | None = None,
) -> lightgbm.Booster:
    """Trees from groups of candidates: features, rows × FEATURES, and whether each was taken, 0 or 1.

    weights: of the rows, where their propensities are known: one over them.
    """
    data = lightgbm.Dataset(
        np.concatenate(groups),
        label=np.concatenate(labels),
        weight=None if weights is None else np.concatenate(weights),
        group=[len(group) for group in groups],
        feature_name=list(FEATURES),
    )
    return lightgbm.train({**_OPTIONS, "seed": seed}, data, num_boost_round=rounds)


def save(booster: lightgbm.Booster, path: Path) -> None:
    """As LightGBM's own text."""
    booster.save_model(path)


class Ranker:
    """Saved trees, opened."""

    def __init__(self, path: Path) -> None:
        self._booster = lightgbm.Booster(model_file=path)

    def scores(self, features: Floats) -> Floats:
        """A number a row; only their order means something."""
        return np.asarray(self._booster.predict(features, num_threads=1), np.float32)
