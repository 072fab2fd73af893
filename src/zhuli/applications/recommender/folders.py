"""Where models of recommenders lie: a folder each, below the data folder."""

from pathlib import Path


def of_recommender(data_dir: Path, recommender: str) -> Path:
    """All that is kept of a recommender on this machine."""
    return data_dir.resolve() / "recommenders" / recommender


def of_training(data_dir: Path, recommender: str, training: str) -> Path:
    """The model of a training."""
    return of_recommender(data_dir, recommender) / training
