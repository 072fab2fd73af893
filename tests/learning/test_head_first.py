"""A new head is fitted before the encoder learns: for texts, and with deep encoders for relations."""

from pathlib import Path
from typing import Any

import pytest

from tests.harness.later import later
from zhuli.learning.training import new_folder
from zhuli.learning.training.event_log import events

with later:
    import torch

    from tests.learning.encoder_training import SAMPLES
    from zhuli.learning.training.tune import tune
    from zhuli.testing.tiny_models import tiny_encoder

pytestmark = pytest.mark.usefixtures("precision")

FILES = {
    "text_classification": "text_classification_en.csv",
    "relation_extraction": "relation_extraction_en.jsonl",
    "token_classification": "token_classification_en.conll",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_encoder(tmp_path_factory.mktemp("base") / "encoder")


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_encoder(tmp_path_factory.mktemp("deep") / "encoder", layers=7)


def first_loss(folder: Path, task: str, base: Path, **options: Any) -> float:
    """Of the encoder's first step."""
    shape: dict[str, Any] = {
        "task": task,
        "base": {"name": "tiny", "path": str(base)},
        "hyperparameters": {"trainable": "all", "n_epochs": 1, "dropout": 0.0, **options},
        "threads": 1,
    }
    new_folder.write(folder, shape, {"train": SAMPLES / FILES[task]})
    assert tune(folder).status == "succeeded"
    told = next(event.data for event in events(folder) if event.kind == "metrics")
    assert told["step"] == 1
    return float(told["train_loss"])


@pytest.mark.parametrize("task", ["text_classification", "relation_extraction"])
def test_the_first_step_begins_with_what_a_fitted_head_knows(task: str, deep: Path, tmp_path: Path) -> None:
    """With max_steps, every step is counted, so none is spent on the head alone."""
    fresh = first_loss(tmp_path / "fresh", task, deep, max_steps=1)
    fitted = first_loss(tmp_path / "fitted", task, deep)
    assert fitted < 0.8 * fresh


@pytest.mark.parametrize("task", ["relation_extraction", "token_classification"])
def test_small_encoders_learn_relations_and_entities_from_the_first_step(task: str, base: Path, tmp_path: Path) -> None:
    fresh = first_loss(tmp_path / "fresh", task, base, max_steps=1)
    assert first_loss(tmp_path / "all", task, base) == fresh
