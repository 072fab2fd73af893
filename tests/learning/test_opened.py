"""Models as the prediction child has them: the last ones asked are kept, what stands in the folder now is what answers."""

import shutil
from pathlib import Path

import pytest

from tests.harness.later import later
from tests.harness.tuned_records import RECORDS
from zhuli import registry
from zhuli.learning.neural import model_folder
from zhuli.learning.neural.model_folder import ModelFolder
from zhuli.types.learning.example import Example
from zhuli.types.learning.hyperparameters import TaskName
from zhuli.types.learning.tuning import Base

with later:
    from tests.harness.tuned_models import OPTIONS, examples, made
    from zhuli.learning.predicting.opened import OpenedModels
    from zhuli.testing.tiny_models import tiny_seq2seq


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("opened") / "model"
    made(folder, "text_classification")
    return folder


def copied(folder: Path, *names: Path) -> list[Path]:
    for name in names:
        shutil.copytree(folder, name)
    return list(names)


def test_the_least_recently_used_model_is_closed(folder: Path, tmp_path: Path) -> None:
    one, two, three = copied(folder, tmp_path / "1", tmp_path / "2", tmp_path / "3")
    models = OpenedModels(most=2)
    first, second = models.get(one), models.get(two)
    assert models.get(one) is first
    models.get(three)
    assert models.get(one) is first
    assert models.get(two) is not second


def test_a_model_that_is_made_again_in_its_place_is_opened_again(folder: Path, tmp_path: Path) -> None:
    (place,) = copied(folder, tmp_path / "model")
    models = OpenedModels(most=2)
    first = models.get(place)
    place.rename(tmp_path / "old")
    with pytest.raises(FileNotFoundError):
        models.get(place)
    copied(tmp_path / "old", place)
    assert models.get(place) is not first


def test_refused_inputs_leave_the_others_their_answers(folder: Path) -> None:
    good, bad, last = OpenedModels(most=1).get(folder).answer(["card", 7, "card music"], explain=False)
    assert good["tokens"] == 3 and last["tokens"] == 4
    assert {entry["label"] for entry in good["output"]} == {"card", "music", "weather"}
    assert bad.keys() == {"refused"} and "text" in bad["refused"]


def test_a_model_that_writes_answers_as_well(tmp_path: Path) -> None:
    base, folder = tiny_seq2seq(tmp_path / "base"), tmp_path / "model"
    task = registry.find("tasks", "translation")(OPTIONS, {})
    model = task.begin(base, [Example("the order", ["das Lied"])])
    task.save(model, folder)
    model_folder.write(folder, ModelFolder("translation", Base(name="t5", path=str(base)), OPTIONS, task.state))
    (answer,) = OpenedModels(most=1).get(folder).answer(["play music today"], explain=False)
    assert list(answer["output"][0]) == ["translation_text"] and answer["tokens"] > 3


@pytest.mark.parametrize(
    "task", ["text_classification", "token_classification", "relation_extraction", "question_answering"]
)
def test_answers_to_labelled_records_are_judged_one_by_one(task: TaskName, tmp_path: Path) -> None:
    plugin, _ = made(tmp_path / "model", task)
    answers = (
        OpenedModels(most=1)
        .get(tmp_path / "model")
        .answer([*RECORDS[task], {"no": "record"}], explain=False, judge=True)
    )
    *judged, refused = answers
    assert refused.keys() == {"refused"}
    read = examples(task)
    for answer, example in zip(judged, read, strict=True):
        assert answer["judged"]["text"] == plugin.text_of(example)
        assert answer["judged"]["labels"] == plugin.labels_of(example)
    parts, wholes = (sum(answer["judged"][name] for answer in judged) for name in ("part", "whole"))
    measured = plugin.measure(read, [answer["output"] for answer in judged])
    metric = "accuracy" if task == "relation_extraction" else plugin.metric
    assert (parts / wholes if wholes else 1.0) == pytest.approx(measured[metric])


def test_a_task_whose_answers_can_not_be_judged_says_so(tmp_path: Path) -> None:
    base, folder = tiny_seq2seq(tmp_path / "base"), tmp_path / "model"
    task = registry.find("tasks", "summarization")(OPTIONS, {})
    model = task.begin(base, [Example("the order", "das Lied")])
    task.save(model, folder)
    model_folder.write(folder, ModelFolder("summarization", Base(name="t5", path=str(base)), OPTIONS, task.state))
    (answer,) = (
        OpenedModels(most=1).get(folder).answer([{"text": "card", "summary": "card"}], explain=False, judge=True)
    )
    assert "summarization" in answer["refused"]
