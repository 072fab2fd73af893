"""The training loop: what learns and what does not, and that the result follows from the seed and the data alone."""

from __future__ import annotations

import errno
import math
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.later import later
from tests.learning.small_sentences import WORDS, sentences
from zhuli.learning.neural.adapted import merge
from zhuli.learning.training.control import Control, Stopped
from zhuli.learning.training.event_log import EventLog, events
from zhuli.learning.training.failures import Diverged, TuningFailed, known
from zhuli.types.learning.hyperparameters import EarlyStopping, Hyperparameters, Lora
from zhuli.types.learning.tuning import TuningEvent

with later:
    import torch

    from tests.learning.small_task import Module, SmallTask
    from zhuli.learning.training.fitting import checkpoints, loop
    from zhuli.learning.training.fitting.adapters import with_adapters
    from zhuli.learning.training.fitting.freezing import set_dropout, what_learns
    from zhuli.learning.training.fitting.loop import Fitted, fit
    from zhuli.learning.training.tuned import answers
    from zhuli.testing.tiny_models import tiny_encoder

TRAIN, HELD_OUT = sentences(48), sentences(16)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_encoder(tmp_path_factory.mktemp("base") / "encoder", words=WORDS)


def chosen(**changes: Any) -> Hyperparameters:
    usual: dict[str, Any] = {
        "trainable": "all",
        "top_layers": 1,
        "freeze_embeddings": False,
        "optimizer": "adamw",
        "learning_rate": 5e-3,
        "momentum": 0.9,
        "schedule": "linear",
        "warmup_ratio": 0.1,
        "batch_size": 8,
        "accumulation": 1,
        "n_epochs": 2,
        "weight_decay": 0.01,
        "dropout": 0.0,
        "max_grad_norm": 1.0,
        "early_stopping": "none",
        "evaluations_per_epoch": 1,
        "precision": "fp32",
        "bucketing": True,
    }
    return Hyperparameters.model_validate({**usual, **changes})


class Training:
    """A model made from the base, trained as asked."""

    def __init__(self, base: Path, folder: Path, **changes: Any) -> None:
        self.options = chosen(**changes)
        self.task = SmallTask(self.options, {})
        torch.manual_seed(1)
        self.model: Module = self.task.begin(base, TRAIN)
        if self.options.trainable == "lora":
            with_adapters(self.model, self.options)
        what_learns(self.model, self.options)
        set_dropout(self.model, float(self.options.dropout))
        self.before = weights(self.model)
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def fit(self, *, listen: Callable[[TuningEvent], None] | None = None, **more: Any) -> Fitted:
        control = more.pop("control", Control())
        event_log = EventLog(self.folder, listeners=[listen] if listen else [])
        held_out = more.pop("held_out", HELD_OUT)
        return fit(
            self.task, self.model, TRAIN, held_out, self.options, seed=3, event_log=event_log, control=control, **more
        )

    def measured(self, model: Module) -> dict[str, Any]:
        return self.task.measure(HELD_OUT, answers(self.task, model, HELD_OUT, batch_size=8))


def weights(model: Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.named_parameters()}


def changed(training: Training) -> set[str]:
    after = weights(training.model)
    return {name for name, tensor in training.before.items() if not torch.equal(tensor, after[name])}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_model_learns_what_its_examples_say(base: Path, tmp_path: Path) -> None:
    training = Training(base, tmp_path, n_epochs=5)
    fitted = training.fit(evaluate=training.measured)
    assert fitted.steps == 30
    assert fitted.epochs == 5
    assert fitted.best is not None
    assert fitted.best["accuracy"] == 1.0
    assert fitted.history[-1]["train_loss"] < fitted.history[0]["train_loss"] / 2
    assert [entry["step"] for entry in fitted.history if "valid_loss" in entry] == [6, 12, 18, 24, 30]
    assert fitted.trained_tokens == 5 * sum(
        len(row["input_ids"]) for example in TRAIN for row in training.task.features(example, learn=True)
    )
    said = [event for event in events(tmp_path) if event.kind == "metrics"]
    assert said[-1].message.startswith("Step 30/30: training loss=")
    assert "validation loss=" in said[-1].message
    assert {"step", "total_steps", "train_loss", "train_accuracy", "valid_loss"} <= said[-1].data.keys()


def test_the_same_seed_gives_the_same_weights_with_dropout_too(base: Path, tmp_path: Path) -> None:
    one, other = (Training(base, tmp_path / name, dropout=0.2) for name in ("a", "b"))
    one.fit()
    other.fit(evaluate=other.measured)  # measuring in between changes nothing
    assert same(weights(one.model), weights(other.model))


def test_accumulated_batches_teach_what_one_large_batch_does(base: Path, tmp_path: Path) -> None:
    large = Training(base, tmp_path / "large", batch_size=8, optimizer="sgd", learning_rate=0.1, bucketing=False)
    small = Training(
        base, tmp_path / "small", batch_size=2, accumulation=4, optimizer="sgd", learning_rate=0.1, bucketing=False
    )
    assert large.fit().steps == small.fit().steps
    for name, tensor in weights(large.model).items():
        assert torch.allclose(tensor, weights(small.model)[name], atol=1e-5), name


def test_a_batch_that_is_read_in_parts_teaches_what_it_does_at_once(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Training(base, tmp_path / "whole", n_epochs=1, optimizer="sgd", learning_rate=0.1)
    whole.fit()
    monkeypatch.setattr(SmallTask, "generates", True)
    monkeypatch.setattr(loop, "TOKENS_AT_ONCE", 20)
    cut = Training(base, tmp_path / "cut", n_epochs=1, optimizer="sgd", learning_rate=0.1)
    cut.fit()
    assert cut.task.collated > 2 * whole.task.collated
    for name, tensor in weights(whole.model).items():
        assert torch.allclose(tensor, weights(cut.model)[name], atol=1e-5), name


def test_padding_teaches_nothing(base: Path, tmp_path: Path) -> None:
    alone = Training(base, tmp_path / "alone", batch_size=1, accumulation=48, n_epochs=1, optimizer="sgd")
    bucketed = Training(base, tmp_path / "bucketed", batch_size=48, n_epochs=1, optimizer="sgd")
    first, second = alone.fit(), bucketed.fit()
    assert first.steps == second.steps == 1
    assert math.isclose(first.history[0]["train_loss"], second.history[0]["train_loss"], rel_tol=1e-5)
    for name, tensor in weights(alone.model).items():
        assert torch.allclose(tensor, weights(bucketed.model)[name], atol=1e-6), name


@pytest.mark.parametrize(
    ("changes", "learning"),
    [
        ({"trainable": "head"}, ("head.",)),
        ({"trainable": "top"}, ("head.", "backbone.encoder.layer.1.")),
        ({"freeze_embeddings": True}, ("head.", "backbone.encoder.", "backbone.embeddings.LayerNorm.")),
        ({"trainable": "lora"}, ("head.", "lora_")),
    ],
)
def test_what_is_frozen_stays_as_it_was(
    base: Path, tmp_path: Path, changes: dict[str, Any], learning: tuple[str, ...]
) -> None:
    training = Training(base, tmp_path, **changes)
    training.fit()
    found = changed(training)
    assert found
    assert all(any(part in name for part in learning) for name in found), found
    assert all(any(part in name for name in found) for part in learning), found


def test_a_head_alone_reads_every_text_once(base: Path, tmp_path: Path) -> None:
    training = Training(base, tmp_path, trainable="head", n_epochs=50, learning_rate=0.1)
    fitted = training.fit()
    assert training.task.collated <= 6  # to read them, and to know their labels; not thirty times six
    assert fitted.history[-1]["train_loss"] < fitted.history[0]["train_loss"] / 2
    with torch.no_grad():
        batch = training.task.collate([training.task.features(HELD_OUT[0], learn=True)[0]])
        whole = training.task.loss(training.model, batch).total
        cached = training.task.loss(training.model, batch, training.task.encode(training.model, batch)).total
    assert torch.equal(whole, cached)


@pytest.mark.parametrize("variant", ["lora", "rslora", "dora", "pissa", "ia3"])
def test_merged_adapters_answer_as_they_did_before(base: Path, tmp_path: Path, variant: Any) -> None:
    lora = Lora(variant=variant, rank=4, target_modules=["query", "value"])
    training = Training(base, tmp_path, trainable="lora", lora=lora, n_epochs=1)
    training.fit()
    batch = training.task.collate([training.task.features(example, learn=True)[0] for example in HELD_OUT])
    with torch.no_grad():
        adapted = training.task.encode(training.model, batch)
        merge(training.model)
        merged = training.task.encode(training.model, batch)
    assert not any("lora" in name or "ia3" in name for name, _ in training.model.named_parameters())
    assert torch.allclose(adapted, merged, atol=1e-4)


def test_adapters_for_layers_that_are_not_there_are_refused_with_the_names_of_those_that_are(
    base: Path, tmp_path: Path
) -> None:
    with pytest.raises(TuningFailed, match="query") as failed:
        Training(base, tmp_path, trainable="lora", lora=Lora(target_modules=["q_proj"]))
    assert failed.value.code == "invalid_hyperparameters"


def test_early_stopping_keeps_the_best_weights(base: Path, tmp_path: Path) -> None:
    training = Training(base, tmp_path, n_epochs=9, early_stopping=EarlyStopping(metric="score", patience=2))
    scores = iter([0.1, 0.7, 0.9, 0.3, 0.2])
    seen = []

    def evaluate(model: Module) -> dict[str, Any]:
        seen.append(weights(model))
        return {"score": next(scores)}

    fitted = training.fit(evaluate=evaluate)
    assert fitted.stopped_early
    assert fitted.steps == 5 * 6
    assert fitted.best is not None
    assert fitted.best["score"] == 0.9
    assert same(weights(training.model), seen[2])


def test_a_metric_to_stop_by_that_the_task_does_not_have_is_refused_with_those_it_has(
    base: Path, tmp_path: Path
) -> None:
    training = Training(base, tmp_path, early_stopping=EarlyStopping(metric="bleu"))
    with pytest.raises(TuningFailed, match="accuracy"):
        training.fit(evaluate=training.measured)


def test_a_loss_that_explodes_ends_the_training_and_says_what_to_try(base: Path, tmp_path: Path) -> None:
    training = Training(base, tmp_path, optimizer="sgd", learning_rate=1e6, n_epochs=9, max_grad_norm=1e9)
    with pytest.raises(Diverged, match="smaller learning_rate") as diverged:
        training.fit()
    assert diverged.value.code == "diverged"


def test_max_steps_ends_sooner_than_the_epochs_would(base: Path, tmp_path: Path) -> None:
    fitted = Training(base, tmp_path, max_steps=7).fit()
    assert fitted.steps == 7
    assert "valid_loss" in fitted.history[-1]


@pytest.mark.parametrize(("word", "how"), [("pause", "paused"), ("cancel", "cancelled")])
def test_asked_to_stop_it_stops_before_the_next_step(base: Path, tmp_path: Path, word: Any, how: str) -> None:
    training, control = Training(base, tmp_path, n_epochs=9), Control()

    def listen(event: TuningEvent) -> None:
        if event.data.get("step") == 6:
            control.ask(word)

    with pytest.raises(Stopped) as stopped:
        training.fit(listen=listen, control=control, folder=tmp_path / "checkpoints")
    assert stopped.value.how == how
    state = checkpoints.read(tmp_path / "checkpoints")
    if word == "pause":
        assert state is not None
        assert state["standing"]["step"] == 6


def test_a_paused_training_ends_with_the_weights_of_one_that_was_not(base: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"dropout": 0.2, "n_epochs": 3, "early_stopping": EarlyStopping(metric="loss")}
    through = Training(base, tmp_path / "through", **settings)
    whole = through.fit()
    for place in (7, 12):
        first, control = Training(base, tmp_path / str(place), **settings), Control()
        stop_at(first, control, place)
        with pytest.raises(Stopped):
            first.fit(control=control, folder=tmp_path / str(place))
        second = Training(base, tmp_path / str(place), **settings)
        rest = second.fit(folder=tmp_path / str(place))
        assert same(weights(through.model), weights(second.model))
        assert [entry["train_loss"] for entry in rest.history] == [entry["train_loss"] for entry in whole.history]


def stop_at(training: Training, control: Control, step: int) -> None:
    """Ask for a pause while the step is computed."""
    loss, steps = training.task.loss, iter(range(1, 1000))

    def counted(model: Module, batch: dict[str, Any], hidden: Any = None) -> Any:
        if training.model.training and next(steps) == step:
            control.ask("pause")
        return loss(model, batch, hidden)

    training.task.loss = counted  # type: ignore[method-assign]


def test_a_file_that_can_not_grow_is_told_from_other_errors(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises((OSError, RuntimeError)) as raised:
            checkpoints.write(tmp_path, {"weights": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    failure = known(raised.value)
    assert failure is not None
    assert failure.code == "no_space"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EDQUOT, "Quota")])
def test_a_full_disk_is_told_from_other_errors(error: OSError) -> None:
    failure = known(error)
    assert failure is not None
    assert failure.code == "no_space"
    assert known(OSError(errno.EACCES, "Permission denied")) is None


def test_a_checkpoint_of_other_hyperparameters_is_not_used(base: Path, tmp_path: Path) -> None:
    Training(base, tmp_path).fit(folder=tmp_path)
    fitted = Training(base, tmp_path, learning_rate=1e-3).fit(folder=tmp_path)
    assert fitted.history[-1]["learning_rate"] < 1e-3
    assert any("starts anew" in event.message for event in events(tmp_path))
