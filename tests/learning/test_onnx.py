"""Tuned encoders on ONNX Runtime: the same answers as torch's for every task, whatever the shape of the batch."""

from pathlib import Path
from typing import Any

import pytest

from tests.harness.later import later
from tests.harness.tuned_records import RECORDS
from zhuli.types.learning.example import Example
from zhuli.types.learning.hyperparameters import TaskName

with later:
    import torch

    from tests.harness.tuned_models import examples, made
    from zhuli.learning.neural.onnx import onnx_backbone
    from zhuli.learning.neural.onnx.onnx_export import TOLERANCE, difference_of, export, verdict, write
    from zhuli.learning.training.tuned import answers


@pytest.fixture(scope="module")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model.onnx: of the relation model, which has the others' encoder and a few more words."""
    folder = tmp_path_factory.mktemp("onnx")
    task, model = made(folder / "relations", "relation_extraction")
    write(task, model, examples("relation_extraction")[0], folder / onnx_backbone.FILE)
    return folder


@pytest.mark.parametrize("name", RECORDS)
def test_every_task_gets_the_same_answers_as_from_torch(name: TaskName, onnx: Path, tmp_path: Path) -> None:
    task, model = made(tmp_path / "model", name)
    given = examples(name) * 3
    expected = answers(task, model, given, batch_size=4)
    assert onnx_backbone.put_in(model, onnx)
    for batch_size in (1, 4):
        found = answers(task, model, given, batch_size=batch_size)
        assert max(map(difference_of, expected, found)) < TOLERANCE


def test_texts_of_any_length_and_pairs_get_the_same_answers(onnx: Path, tmp_path: Path) -> None:
    task, model = made(tmp_path / "model", "text_classification")
    given: list[Any] = ["a", "card " * 200, {"text": "where", "text_pair": "my card"}]
    asked: list[Example] = [task.ask(each) for each in given]
    expected = answers(task, model, asked, batch_size=3)
    onnx_backbone.put_in(model, onnx)
    assert max(map(difference_of, expected, answers(task, model, asked, batch_size=3))) < TOLERANCE


def test_a_folder_without_onnx_leaves_the_model_as_it_is(tmp_path: Path) -> None:
    _, model = made(tmp_path / "model", "text_classification")
    backbone = model.backbone
    assert not onnx_backbone.put_in(model, tmp_path / "model")
    assert model.backbone is backbone


def test_a_tiny_model_is_not_worth_the_seconds(tmp_path: Path) -> None:
    task, model = made(tmp_path / "model", "text_classification")
    outcome = export(task, model, tmp_path / "model", examples("text_classification"))
    assert not outcome.kept and "very small" in outcome.why
    assert not list((tmp_path / "model").glob("*.onnx*"))


@pytest.mark.parametrize(
    ("difference", "milliseconds", "kept"), [(1e-6, 5.0, True), (1e-6, 10.0, False), (0.01, 5.0, False)]
)
def test_onnx_is_kept_where_it_is_equal_and_faster(difference: float, milliseconds: float, kept: bool) -> None:
    outcome = verdict(difference, milliseconds=milliseconds, torch_milliseconds=10.0)
    assert (outcome.kept, outcome.difference) == (kept, difference)


def test_the_difference_of_predictions_is_that_of_their_scores() -> None:
    one = [{"label": "a", "score": 0.5}, {"label": "b", "score": 0.5}]
    assert difference_of(one, one) == 0.0
    assert difference_of(one, [{"label": "b", "score": 0.51}, {"label": "a", "score": 0.49}]) == pytest.approx(0.01)
    assert difference_of(one, one[:1]) == float("inf")
    assert difference_of({"answer": "x", "score": 0.5}, {"answer": "y", "score": 0.5}) == float("inf")


def test_a_backbone_on_onnx_learns_nothing(onnx: Path, tmp_path: Path) -> None:
    _, model = made(tmp_path / "model", "text_classification")
    onnx_backbone.put_in(model, onnx)
    assert list(model.backbone.parameters()) == []
    assert isinstance(next(model.head.parameters()), torch.nn.Parameter)
