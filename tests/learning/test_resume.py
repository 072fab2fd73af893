"""A tuning survives what happens to its process: killed, left alone or paused, it ends with the model it would have had."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

import pytest

from tests.harness.later import later
from zhuli.learning.training.control import Control
from zhuli.learning.training.event_log import events
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import Base, Source, Spec

with later:
    import torch
    from safetensors.torch import load_file

    from zhuli.learning.training.fitting import checkpoints
    from zhuli.learning.training.tune import Outcome, check, tune
    from zhuli.testing.tiny_models import tiny_encoder

pytestmark = pytest.mark.usefixtures("precision")

DATA = Path(__file__).parents[1] / "samples/tuning/text_classification_en.csv"
SECONDS = 200

Precision = Literal["auto", "fp32", "bf16"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_encoder(tmp_path_factory.mktemp("base") / "encoder")


def new_tuning(folder: Path, base: Path, *, epochs: int = 4, rate: float = 1e-3, precision: Precision = "auto") -> Path:
    folder.mkdir()
    shutil.copy(DATA, folder / "train.csv")
    options = Hyperparameters(
        trainable="all",
        n_epochs=epochs,
        learning_rate=rate,
        early_stopping="none",
        batch_size=8,
        precision=precision,
    )
    spec = Spec(
        task="text_classification",
        base=Base(name="tiny", path=str(base)),
        train=Source(path="train.csv"),
        hyperparameters=options,
        threads=1,
    )
    (folder / "spec.json").write_text(spec.model_dump_json())
    return folder


def start_child(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "zhuli.learning.training.child", "tune", str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"})


def wait_for_step(folder: Path, step: int, child: subprocess.Popen[bytes]) -> None:
    """Until the event log tells of a step from this one on, and there is a checkpoint to go on from."""
    deadline = time.monotonic() + SECONDS
    while not (steps(folder)[-1:] >= [step] and (folder / "checkpoints" / checkpoints.FILE).exists()):
        assert child.poll() is None and time.monotonic() < deadline, events(folder)
        time.sleep(0.01)


def steps(folder: Path) -> list[int]:
    return [event.data["step"] for event in events(folder) if event.kind == "metrics"]


def weights(outcome: Outcome) -> dict[str, torch.Tensor]:
    assert outcome.status == "succeeded", outcome.error
    assert outcome.model is not None
    return load_file(outcome.model / "model.safetensors") | load_file(outcome.model / "head.safetensors")


def test_killed_and_then_paused_a_tuning_ends_with_the_weights_of_one_that_was_not(
    base: Path, tmp_path: Path, childs_precision: Precision
) -> None:
    through = new_tuning(tmp_path / "through", base, precision=childs_precision)
    whole = weights(tune(through))

    folder = new_tuning(tmp_path / "killed", base, precision=childs_precision)
    with start_child(folder) as child:
        wait_for_step(folder, 14, child)
        child.kill()
    assert child.returncode == -signal.SIGKILL
    assert not (folder / "model").exists()

    control = Control()
    seen = len(events(folder))
    paused = tune(
        folder, control=control, listeners=[lambda event: control.ask("pause") if event.kind == "metrics" else None]
    )
    assert paused.status == events(folder)[-1].kind == "paused"
    assert sum(event.kind == "metrics" for event in events(folder)[seen:]) == 1

    outcome = tune(folder)
    assert all(torch.equal(tensor, whole[name]) for name, tensor in weights(outcome).items())
    told = events(folder)
    assert [event.number for event in told] == list(range(1, len(told) + 1))
    assert sum(event.message.endswith("/48.") for event in told) == 2  # of four epochs with twelve steps
    written = [event.data["step"] for event in told if event.kind == "checkpoint"]
    assert written == [12 * epoch for epoch in range(1, 5)]  # each is told of once
    kept = sorted(int(place.name.removeprefix("step-")) for place in (folder / "checkpoints").glob("step-*"))
    assert kept == written[-3:]

    assert list((folder / "tensorboard").glob("events.out.tfevents.*"))
    again = tune(folder)
    assert again.model == outcome.model
    assert again.report == outcome.report


def test_data_that_cannot_be_used_ends_with_the_line_that_is_wrong(base: Path, tmp_path: Path) -> None:
    folder = new_tuning(tmp_path / "bad", base)
    with (folder / "train.csv").open("a") as file:
        file.write('"a text without a label",\n')
    for outcome in (check(folder), tune(folder)):
        assert outcome.status == "failed"
        assert outcome.error is not None
        assert outcome.error.code == "invalid_training_file"
        last = events(folder)[-1]
        assert (last.kind, last.level, last.data["code"]) == ("failed", "error", "invalid_training_file")
        assert "label" in last.message
        assert "line" in last.message.lower()


def test_a_check_says_what_is_in_the_data(base: Path, tmp_path: Path) -> None:
    folder = new_tuning(tmp_path / "good", base)
    outcome = check(folder)
    assert outcome.status == "succeeded"
    assert events(folder)[-1].data["report"]["counts"]["train"] == outcome.report["counts"]["train"] > 50


def test_a_loss_that_explodes_is_an_event_and_leaves_no_model(base: Path, tmp_path: Path) -> None:
    folder = new_tuning(tmp_path / "wild", base, epochs=50, rate=1e4)
    outcome = tune(folder)
    assert outcome.error is not None
    assert outcome.error.code == events(folder)[-1].data["code"] == "diverged"
    assert not (folder / "model").exists()


@pytest.mark.parametrize("content", ["", "{", '{"task": "poetry"}'])
def test_a_folder_that_is_no_tuning_says_so(tmp_path: Path, content: str) -> None:
    if content:
        (tmp_path / "spec.json").write_text(content)
    outcome = tune(tmp_path)
    assert outcome.status == "failed"
    assert outcome.error is not None
    assert outcome.error.code == "invalid_hyperparameters"
    assert "spec.json" in outcome.error.message


@pytest.mark.parametrize("missing", ["everything", "weights", "half"])
def test_a_base_that_is_no_model_says_so(base: Path, tmp_path: Path, missing: str) -> None:
    broken = tmp_path / "broken"
    if missing == "everything":
        broken.mkdir()
    else:
        shutil.copytree(base, broken, ignore=lambda *_: ["model.safetensors"] if missing == "weights" else [])
    if missing == "half":
        weights = broken / "model.safetensors"
        os.truncate(weights, weights.stat().st_size // 2)
    outcome = tune(new_tuning(tmp_path / "baseless", broken))
    assert outcome.error is not None
    assert outcome.error.code == "base_unusable"
    assert outcome.error.param == "model"
