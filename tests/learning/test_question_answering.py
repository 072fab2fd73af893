"""Extractive question answering with tiny encoders: windows over long contexts, no answer, English and Chinese."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.harness.later import later
from zhuli import registry
from zhuli.learning.neural.encoders.answer_spans import best_answers, chosen_margin
from zhuli.types.learning.example import BadExample, Example, Record
from zhuli.types.learning.hyperparameters import Hyperparameters

with later:
    from transformers import AutoModelForQuestionAnswering

    from tests.learning.encoder_training import Trained, as_examples, encoder_for, examples_of
    from zhuli.learning.training.tuned import open_tuned

pytestmark = pytest.mark.usefixtures("precision")

TASK = "question_answering"
FILLING = "the river is long and the town is old . " * 30
LONG = [
    {
        "question": f"who lives in {town}?",
        "context": f"{FILLING}{name} lives in {town} .",
        "answers": [{"text": name, "start": len(FILLING)}],
    }
    for name, town in (("anna", "rome"), ("boris", "oslo"), ("clara", "lima"))
]


def texts_of(examples: list[Example]) -> list[str]:
    return [text for example in examples for text in example.input.values()]


@pytest.fixture(scope="module")
def asked() -> list[Example]:
    return examples_of(TASK, "question_answering_en.json")


@pytest.fixture(scope="module")
def base(asked: list[Example], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoder_for(tmp_path_factory.mktemp("base") / "encoder", texts_of([*asked, *as_examples(TASK, *LONG)]))


@pytest.fixture(scope="module")
def long(base: Path, precision: str, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(TASK, base, as_examples(TASK, *LONG), tmp_path_factory.mktemp("long"), n_epochs=25, max_length=64)


def test_an_answer_at_the_end_of_a_long_context_is_found(long: Trained) -> None:
    assert len(long.task.features(long.examples[0], learn=False)) > 4
    said = long.tuned().prediction_of(long.examples)
    assert [answer["answer"] for answer in said] == ["anna", "boris", "clara"]
    assert all(answer["start"] == len(FILLING) for answer in said)
    assert all(set(answer) == {"score", "start", "end", "answer"} for answer in said)
    assert all(0 < answer["score"] <= 1 for answer in said)


def test_the_loss_falls(long: Trained) -> None:
    assert long.losses[-1] < long.losses[0] / 2
    assert long.measured()["exact"] == 1


def test_a_saved_model_gives_the_same_answers_when_it_is_opened(long: Trained, tmp_path: Path) -> None:
    folder = long.saved(tmp_path / "model")
    asked = [example.input for example in long.examples]
    assert open_tuned(folder).predict(asked) == long.tuned().predict(asked)
    theirs = AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    batch = long.task.collate(long.task.features(long.examples[0], learn=False)[:1])
    said = theirs(**{name: batch[name] for name in ("input_ids", "attention_mask", "token_type_ids")})
    ours = long.task.outputs(long.model, batch)[0]
    np.testing.assert_allclose(said.start_logits.detach()[0], ours[:, 0], atol=1e-3)


def test_questions_without_an_answer_are_told_from_others(base: Path, tmp_path: Path) -> None:
    nothing = {"context": "the river is long .", "answers": []}
    known = {"context": "the river is in rome .", "answers": [{"text": "rome", "start": 16}]}
    examples = as_examples(TASK, *[{"question": "where is the river?", **each} for each in (nothing, known)] * 4)
    trained = Trained(TASK, base, examples, tmp_path, n_epochs=15)
    features = [trained.task.features(example, learn=False) for example in examples]
    said = [trained.task.outputs(trained.model, trained.task.collate(rows)) for rows in features]
    trained.task.choose_threshold(examples, features, said)
    empty, full = trained.tuned().prediction_of(examples[:2])
    assert (empty["answer"], empty["start"], empty["end"]) == ("", 0, 0)
    assert full["answer"] == "rome"
    assert trained.measured()["unanswered"] == 1


def test_chinese_answers_are_cut_at_characters(base: Path, tmp_path: Path) -> None:
    examples = examples_of(TASK, "question_answering_zh.json")[:8]
    trained = Trained(TASK, base, examples, tmp_path, n_epochs=12, batch_size=4)
    assert trained.losses[-1] < trained.losses[0] / 2
    for example, said in zip(examples, trained.tuned().prediction_of(examples), strict=True):
        assert said["answer"] == example.input["context"][said["start"] : said["end"]] != ""


def test_every_sample_has_its_answer_in_one_of_its_rows(base: Path, asked: list[Example]) -> None:
    task = registry.find("tasks", TASK)(Hyperparameters(max_length=96), {})
    task.begin(base, asked)
    for example in asked:
        places = [row["answer"] for row in task.features(example, learn=True)]
        assert any(place != [0, 0] for place in places) == bool(example.target)


def test_no_answer_is_the_majority(asked: list[Example]) -> None:
    task = registry.find("tasks", TASK)(Hyperparameters(), {})
    said = [task.majority(asked)] * len(asked)
    assert task.measure(asked, said)["unanswered"] == 1


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"question": "who?", "context": "anna", "answers": [{"text": "anna", "start": 1}]}, "it is at 0"),
        ({"question": "who?", "context": "anna", "answers": [{"text": "boris", "start": 0}]}, "does not have it"),
        ({"question": "who?", "context": "anna"}, '"answers"'),
        ({"question": "", "context": "anna", "answers": []}, '"question"'),
    ],
)
def test_what_is_no_example_is_said(fields: dict[str, Any], what: str) -> None:
    with pytest.raises(BadExample, match=what):
        registry.find("tasks", TASK)(Hyperparameters(), {}).read(Record(line=1, fields=fields))


def test_the_best_answer_ends_behind_its_beginning() -> None:
    starts, ends = np.array([0.0, 1.0, 5.0, 0.0]), np.array([9.0, 0.0, 1.0, 2.0])
    best = best_answers(starts, ends, [0, 1, 2, 3])
    assert (best[0].first, best[0].last, best[0].score) == (0, 0, 9.0)
    assert all(answer.first <= answer.last for answer in best)
    assert best_answers(starts, ends, [0, 1, 2, 3], longest=1)[1][:2] == (2, 2)


def test_the_margin_of_no_answer_is_the_one_that_brings_most() -> None:
    margins = np.array([-3.0, -1.0, 0.5, 2.0])
    answered = np.array([True, True, False, False])
    assert -1 < chosen_margin(margins, answered, np.ones(4)) < 0.5
    assert chosen_margin(margins, np.array([True] * 4), np.ones(4)) > 2
    assert chosen_margin(margins, np.array([False] * 4), np.zeros(4)) < -3
