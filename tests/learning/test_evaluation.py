"""What a tuning says of its result: numbers before and after, the files of the report, the card, honest probabilities."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.harness.later import later
from zhuli import registry
from zhuli.learning.training.evaluating import evaluation
from zhuli.learning.training.reporting import card, report_text
from zhuli.ports import Task
from zhuli.types.learning.example import Example
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import Base, Source, Spec

with later:
    from zhuli.learning.training.evaluating import calibration
    from zhuli.learning.training.reporting import plots

LABELS = ["refund", "delivery", "投诉"]
SPEC = Spec(
    task="text_classification",
    base=Base(name="e5-small"),
    train=Source(path="train.csv"),
    name="ft:e5-small:shop:intents:abc123",
    language="en",
    seed=5,
)
EXAMPLES = [Example(f"text {number}", LABELS[number % 3]) for number in range(60)]
DATA = {
    "counts": {"train": 400, "validation": 50, "test": 60},
    "labels": {"refund": 300, "delivery": 90, "投诉": 10},
    "leakage": {"test": {"same": 2, "near": 0}},
}
HISTORY: list[dict[str, Any]] = [
    {"step": 1, "train_loss": 1.1, "train_accuracy": 0.3, "learning_rate": 1e-5},
    {
        "step": 2,
        "train_loss": 0.9,
        "train_accuracy": 0.5,
        "learning_rate": 2e-5,
        "valid_loss": 1.0,
        "valid_mean_token_accuracy": 0.4,
    },
    {
        "step": 3,
        "train_loss": 0.5,
        "train_accuracy": 0.9,
        "learning_rate": 1e-5,
        "valid_loss": 0.8,
        "valid_mean_token_accuracy": 0.6,
    },
]


@pytest.fixture(scope="module")
def task() -> Task:
    made: Task = registry.find("tasks", "text_classification")(Hyperparameters(), {"labels": LABELS})
    return made


@pytest.fixture(scope="module")
def report(task: Task) -> dict[str, Any]:
    before = [_says("refund", 0.9) for _ in EXAMPLES]
    after = [_says(example.target if at % 5 else "refund", 0.8) for at, example in enumerate(EXAMPLES)]
    return evaluation.compare(task, before, after, EXAMPLES, seed=1)


def _says(label: str, sure: float) -> list[dict[str, Any]]:
    rest = (1 - sure) / 2
    scores = [{"label": known, "score": sure if known == label else rest} for known in LABELS]
    return sorted(scores, key=lambda entry: -float(entry["score"]))


def test_both_models_stand_side_by_side(report: dict[str, Any]) -> None:
    assert report["examples"] == 60
    assert report["untrained"] == "majority"
    assert report["before"]["accuracy"] == pytest.approx(1 / 3)
    assert report["after"]["accuracy"] == pytest.approx(52 / 60)
    assert report["better"] is True
    assert report["probability"] > 0.99
    low, high = report["intervals"]["accuracy"]["after"]
    assert low < 52 / 60 < high
    assert report["after"]["per_class"]["投诉"]["precision"] == 1.0


def test_the_report_is_written_whole(report: dict[str, Any], tmp_path: Path) -> None:
    evaluation.write_reports(tmp_path, SPEC, {**report, "data": DATA}, HISTORY)
    assert json.loads((tmp_path / "report.json").read_text())["after"]["accuracy"] == pytest.approx(52 / 60)
    text = (tmp_path / "report.txt").read_text()
    for line in ("text_classification on e5-small", "accuracy", "投诉", "Examples: train 400, validation 50, test 60"):
        assert line in text
    for name in ("curves.png", "confusion.png", "reliability.png"):
        with Image.open(tmp_path / name) as picture:
            picture.verify()
            assert picture.width > 300 and picture.height > 200


def test_results_have_the_columns_of_the_api(report: dict[str, Any], tmp_path: Path) -> None:
    evaluation.write_reports(tmp_path, SPEC, report, HISTORY)
    lines = (tmp_path / "results.csv").read_text().splitlines()
    assert lines[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    rows = list(csv.DictReader(lines))
    assert rows[0] == dict(zip(lines[0].split(","), ["1", "1.1", "0.3", "", ""], strict=True))
    assert rows[2]["valid_mean_token_accuracy"] == "0.6"


def test_a_report_without_held_out_examples_is_still_a_report(tmp_path: Path) -> None:
    evaluation.write_reports(tmp_path, SPEC, {"data": DATA}, [])
    assert "text_classification on e5-small" in (tmp_path / "report.txt").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "report.txt", "results.csv"]


def test_what_is_no_number_is_null_in_the_report(tmp_path: Path) -> None:
    report = {"before": {"loss": 1.0}, "after": {"loss": float("nan")}, "examples": 3, "metric": "loss"}
    evaluation.write_reports(tmp_path, SPEC, report, [{"step": 1, "train_loss": float("nan")}])
    assert json.loads((tmp_path / "report.json").read_text())["after"] == {"loss": None}


def test_many_classes_are_shown_by_their_worst_confusions(tmp_path: Path) -> None:
    matrix = np.diag([9] * 80)
    matrix[70, 3] = 5
    labels = [f"intent number {number}" for number in range(80)]
    plots.confusion(labels, matrix.tolist(), tmp_path / "confusion.png")
    with Image.open(tmp_path / "confusion.png") as picture:
        assert picture.width < 2000
    assert report_text.most_confused(labels, matrix.tolist()) == [(5, "intent number 70", "intent number 3")]


def test_columns_of_the_text_are_aligned_for_wide_characters() -> None:
    text = report_text.written(SPEC, {"after": {"per_class": {"好": _rates(), "ab": _rates()}}, "before": {}, **_few()})
    rows = [line for line in text.splitlines() if line.endswith(" 3")]
    assert [line.split()[0] for line in rows] == ["好", "ab"]
    assert len(rows[0]) + 1 == len(rows[1])


def _rates() -> dict[str, float]:
    return {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 3}


def _few() -> dict[str, Any]:
    return {"examples": 6, "metric": "f1_macro"}


def test_the_card_says_what_the_model_is_and_where_it_ends(report: dict[str, Any], tmp_path: Path) -> None:
    card.write_card(tmp_path, SPEC, Hyperparameters(trainable="all", learning_rate=5e-5), DATA, report)
    text = (tmp_path / "README.md").read_text()
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["license"] == "mit"
    assert front["base_model"] == "e5-small"
    assert front["pipeline_tag"] == "text-classification"
    assert front["language"] == "en"
    assert {"type": "accuracy", "name": "accuracy", "value": pytest.approx(52 / 60)} in front["model-index"][0][
        "results"
    ][0]["metrics"]
    for said in (
        "| accuracy | 0.3333 | 0.8667 |",
        "learning_rate: 5e-05",
        "Fewer than 20 examples for: 投诉",
        SPEC.name,
    ):
        assert said in text


def test_the_card_takes_the_licence_from_the_bases_own_card_and_shows_no_path(tmp_path: Path) -> None:
    base = tmp_path / "bases" / "mine"
    base.mkdir(parents=True)
    (base / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n# Mine\n")
    spec = SPEC.model_copy(update={"base": Base(name=str(base), path=str(base)), "name": ""})
    card.write_card(tmp_path, spec, Hyperparameters(), {}, {})
    text = (tmp_path / "README.md").read_text()
    assert "license: cc-by-4.0" in text
    assert "Nobody has measured it" in text
    assert str(tmp_path) not in text


def test_a_temperature_makes_overconfident_logits_honest() -> None:
    generator = np.random.default_rng(0)
    honest = generator.normal(size=(2000, 4)) * 2
    chances = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    truth = np.array([generator.choice(4, p=row) for row in chances])
    found = calibration.calibrated(honest * 3, truth)
    assert found["temperature"] == pytest.approx(3, rel=0.1)
    assert found["ece_before"] > 0.1
    assert found["ece_after"] < 0.03
    assert found["examples"] == 2000


def test_several_labels_an_example_have_one_temperature() -> None:
    generator = np.random.default_rng(1)
    honest = generator.normal(size=(2000, 3)) * 2
    truth = (generator.random((2000, 3)) < 1 / (1 + np.exp(-honest))).astype(int)
    found = calibration.calibrated(honest * 2, truth)
    assert found["temperature"] == pytest.approx(2, rel=0.1)
    assert found["ece_after"] < found["ece_before"] / 3


def test_without_examples_nothing_is_scaled() -> None:
    assert calibration.temperature(np.zeros((0, 3)), np.zeros(0)) == 1.0
