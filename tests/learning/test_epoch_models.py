"""The models that a language model's training leaves on its way: each answers by itself, and engines have what they read."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.harness.later import later
from zhuli.learning.neural.adapted import ADAPTER
from zhuli.learning.training.event_log import events
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import MODEL, Base, Source, Spec

with later:
    import torch

    from tests.learning.tiny_gguf import template_of
    from tests.learning.writing_models import language_model
    from zhuli.learning.training.finished_model import ADAPTER_GGUF, GGUF
    from zhuli.learning.training.tune import tune
    from zhuli.learning.training.tuned import open_tuned

pytestmark = pytest.mark.usefixtures("precision")

DATA = Path(__file__).parents[1] / "samples/tuning/dialogue_en.jsonl"
MOST_OF_AN_ADAPTER = 0.5
"""Of the whole model's bytes; of a real one it is a hundredth."""


@pytest.mark.parametrize("trainable", ["lora", "all"])
def test_models_of_epochs_answer_and_are_ready_for_the_engine(tmp_path: Path, trainable: Any) -> None:
    torch.set_num_threads(1)
    base = language_model()
    template_of(base, tmp_path / "tiny.gguf")
    (tmp_path / "models.toml").write_text(f'[bases.tiny]\npath = "{base}"\ngguf = "tiny.gguf"\n')
    folder = tmp_path / "tuning"
    folder.mkdir()
    shutil.copy(DATA, folder / "train.jsonl")
    spec = Spec(
        task="dialogue",
        base=Base(name="tiny"),
        train=Source(path="train.jsonl"),
        hyperparameters=Hyperparameters(trainable=trainable, n_epochs=4, max_steps=4, batch_size=32, max_length=64),
        threads=1,
        models_file=str(tmp_path / "models.toml"),
        data_dir=str(tmp_path),
    )
    (folder / "spec.json").write_text(spec.model_dump_json())
    outcome = tune(folder)
    assert outcome.model is not None, outcome.error
    assert (outcome.model / GGUF).exists()

    told = [event.data["path"] for event in events(folder) if event.kind == "checkpoint"]
    kept = [folder / path for path in told if (folder / path).exists()]
    assert (len(told), len(kept)) == (4, 3)
    served = ADAPTER_GGUF if trainable == "lora" else GGUF
    assert all((place / served).exists() for place in kept)
    question = [{"messages": [{"role": "user", "content": "Where is my card?"}]}]
    last, end = (open_tuned(place).predict(question) for place in (kept[-1], folder / MODEL))
    assert last == end
    if trainable == "lora":
        assert all((place / ADAPTER).exists() for place in kept)
        assert _size(kept[-1]) < MOST_OF_AN_ADAPTER * _size(outcome.model)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix in (".safetensors", ".gguf"))
