"""The ranker: gradient-boosted trees (LightGBM, LambdaRank) that join all that is known of a candidate."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
from numpy.typing import NDArray

from zhuli.applications.recommender.method.scoring import FEATURES

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_RISING = {"popularity", "trend", "trend_month", "trend_year"}
"""Features with which scores never fall: few lists are of users who were away for long, and much would be read into them."""

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
    "deterministic": True,
    "force_row_wise": True,
    "monotone_constraints": [int(name in _RISING) for name in FEATURES],
}


_FEW_ROWS = 20_000
"""Below which two threads wait for each other longer than they work."""


@dataclass(frozen=True, slots=True)
class Group:
    """Candidates for a user: rows × FEATURES, and whether each was taken, 0 or 1. weight: how much the comparison counts."""

    user: int
    features: Floats
    taken: Ints
    weight: float = 1.0


def learn(groups: Sequence[Group], *, rounds: int, seed: int) -> lightgbm.Booster:
    """Trees from groups of candidates."""
    rows = np.concatenate([one.features for one in groups])
    data = lightgbm.Dataset(
        rows,
        label=np.concatenate([one.taken for one in groups]),
        weight=np.concatenate([np.full(len(one.taken), one.weight, np.float32) for one in groups]),
        group=[len(one.taken) for one in groups],
        feature_name=list(FEATURES),
    )
    threads = 1 if len(rows) < _FEW_ROWS else 2
    return lightgbm.train({**_OPTIONS, "seed": seed, "num_threads": threads}, data, num_boost_round=rounds)


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
