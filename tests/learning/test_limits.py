"""What does not go together is said before the first step, with what would be right; what does not fit is told by its lines."""

import pytest

from zhuli.learning.training import limits
from zhuli.learning.training.batching import truncation_report
from zhuli.learning.training.failures import TuningFailed
from zhuli.models.bases import BaseFacts, Kind
from zhuli.types.learning.example import Example, Feature
from zhuli.types.learning.hyperparameters import Hyperparameters


def facts(kind: Kind) -> BaseFacts:
    return BaseFacts(kind=kind, parameters=1000, layers=2, max_length=128)


@pytest.mark.parametrize(
    ("task", "kind", "said"),
    [
        ("dialogue", "encoder", "an encoder writes no texts. Tune a language model"),
        ("token_classification", "seq2seq", "a sequence-to-sequence model gives no labels. Tune an encoder"),
        ("preference", "seq2seq", "a sequence-to-sequence model does not chat. Tune a language model"),
    ],
)
def test_a_base_that_can_not_learn_the_task_is_refused(task: str, kind: Kind, said: str) -> None:
    with pytest.raises(TuningFailed) as refused:
        limits.check_base(task, facts(kind))
    assert refused.value.code == "base_unusable"
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("given", "task", "param", "said"),
    [
        (
            {"trainable": "few_shot"},
            "question_answering",
            "trainable",
            "for texts with a label each, not for question_",
        ),
        ({"trainable": "few_shot"}, "dialogue", "trainable", "Choose auto or all"),
        (
            {"class_weights": {"god": 2.0}},
            "text_classification",
            "class_weights",
            "no label 'god' in the training data",
        ),
    ],
)
def test_a_wish_that_does_not_go_with_the_task_is_refused(
    given: dict[str, object], task: str, param: str, said: str
) -> None:
    with pytest.raises(TuningFailed) as refused:
        limits.check(Hyperparameters.model_validate(given), task=task, labels=["bad", "good"])
    assert refused.value.param == f"hyperparameters.{param}"
    assert said in refused.value.message


@pytest.mark.parametrize("weights", ["balanced", {"good": 2.0}])
@pytest.mark.parametrize("task", ["question_answering", "summarization"])
def test_weights_of_classes_are_refused_where_there_are_no_classes(task: str, weights: object) -> None:
    options = Hyperparameters.model_validate({"class_weights": weights})
    with pytest.raises(TuningFailed, match="has no classes that could be weighted") as refused:
        limits.check(options, task=task, labels=[])
    assert refused.value.param == "hyperparameters.class_weights"


def test_no_more_is_read_at_once_than_the_base_reads_and_that_is_told() -> None:
    asked = Hyperparameters(max_length=1000)
    options = limits.within(asked, facts("encoder"))
    assert options.max_length == 128
    assert limits.told(asked, options) == ["The base reads 128 tokens at once, not 1000: max_length is that now."]
    assert limits.within(Hyperparameters(), facts("encoder")).max_length == "auto"


def test_examples_that_are_cut_are_told_by_their_lines() -> None:
    def read(*lengths: int, **more: list[int]) -> list[Feature]:
        return [{"input_ids": [0] * length, **more} for length in lengths]

    examples = [Example("…", line=line) for line in (1, 2, 3, 4)]
    rows = [read(7), read(8), read(8, 8, 3), read(5, cut=[1])]
    said = truncation_report.told(examples, rows, length=8)
    assert said is not None
    assert said.startswith("2 of 4 training examples are longer than the 8 tokens that are read at once")
    assert "Lines: 2, 4." in said
    assert truncation_report.told(examples, [read(7)] * 4, length=8) is None
