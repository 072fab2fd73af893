"""The numbers of an evaluation: against scikit-learn, seqeval, sacrebleu and the scripts of data sets, and by hand."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.later import later
from zhuli.learning.metrics import answers, calibration, classification, perplexity
from zhuli.learning.metrics.chinese import segments

with later:
    import sacrebleu
    from seqeval.metrics import classification_report as seqeval_report
    from sklearn.metrics import brier_score_loss, classification_report, confusion_matrix

    from zhuli.learning.metrics import entities, generated

LABELS = ["a", "b", "c", "d"]
AVERAGES = {"macro": "macro avg", "weighted": "weighted avg"}
RATES = {"precision": "precision", "recall": "recall", "f1": "f1-score"}

pairs = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)
tags = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])
tagged = st.lists(st.lists(st.tuples(tags, tags), min_size=1, max_size=8), min_size=1, max_size=10)


@settings(max_examples=20, deadline=None)
@given(pairs)
def test_one_class_an_example_is_measured_as_scikit_learn_does(drawn: list[tuple[str, str]]) -> None:
    targets, said = zip(*drawn, strict=True)
    expected = classification_report(targets, said, output_dict=True, zero_division=0)
    found = classification.scores([[label] for label in targets], [[label] for label in said], labels=LABELS)
    assert found["accuracy"] == pytest.approx(np.mean([one == two for one, two in drawn]))
    for ours, theirs in AVERAGES.items():
        for name, column in RATES.items():
            assert found[f"{name}_{ours}"] == pytest.approx(expected[theirs][column])
    for label, rates in found["per_class"].items():
        assert [rates[name] for name in RATES] == pytest.approx([expected[label][column] for column in RATES.values()])
        assert rates["support"] == expected[label]["support"]
    assert found["confusion"]["matrix"] == confusion_matrix(targets, said, labels=LABELS).tolist()


def test_micro_f1_of_one_class_an_example_is_accuracy() -> None:
    found = classification.scores([["a"], ["b"], ["b"]], [["a"], ["a"], ["b"]], labels=["a", "b"])
    assert found["f1_micro"] == found["accuracy"] == pytest.approx(2 / 3)


def test_several_classes_an_example_are_right_when_all_are_found_and_no_other() -> None:
    targets = [["sun", "rain"], ["rain"], []]
    said = [["sun", "rain"], ["rain", "snow"], []]
    found = classification.scores(targets, said, labels=["sun", "rain", "snow"])
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["precision_micro"] == pytest.approx(3 / 4)
    assert found["recall_micro"] == 1.0
    assert found["f1_macro"] == pytest.approx((1 + 1 + 0) / 3)
    assert "confusion" not in found


def test_no_examples_give_zeros_and_not_an_error() -> None:
    assert classification.scores([], [], labels=["a"])["accuracy"] == 0.0
    assert entities.scores([], [])["f1"] == 0.0
    assert answers.scores([], [])["exact"] == 0.0


def test_a_sure_model_that_is_right_three_times_of_four_is_a_quarter_off() -> None:
    said = [["a"]] * 4
    sure = [{"a": 1.0, "b": 0.0}] * 4
    found = classification.scores([["a"], ["a"], ["a"], ["b"]], said, labels=["a", "b"], probabilities=sure)
    assert found["ece"] == pytest.approx(0.25)
    assert found["brier"] == pytest.approx(2 / 4)
    assert found["calibration"] == [
        {"low": pytest.approx(14 / 15), "high": 1.0, "count": 4, "confidence": 1.0, "accuracy": 0.75}
    ]


def test_brier_of_two_classes_is_twice_that_of_scikit_learn() -> None:
    chances = [0.1, 0.8, 0.6, 0.3]
    truth = [0, 1, 0, 1]
    found = classification.scores(
        [["yes"] if was else ["no"] for was in truth],
        [["yes"] if chance > 0.5 else ["no"] for chance in chances],
        labels=["no", "yes"],
        probabilities=[{"yes": chance, "no": 1 - chance} for chance in chances],
    )
    assert found["brier"] == pytest.approx(2 * brier_score_loss(truth, chances))


def test_calibration_error_weighs_bins_by_what_is_in_them() -> None:
    sure, right = np.array([0.9, 0.9, 0.9, 0.1]), np.array([1.0, 1.0, 0.0, 0.0])
    assert calibration.ece(sure, right) == pytest.approx(3 / 4 * abs(2 / 3 - 0.9) + 1 / 4 * 0.1)


@settings(max_examples=20, deadline=None)
@given(tagged)
def test_spans_are_measured_as_seqeval_does(drawn: list[list[tuple[str, str]]]) -> None:
    wanted = [[first for first, _ in sentence] for sentence in drawn]
    found = [[second for _, second in sentence] for sentence in drawn]
    ours = entities.scores(wanted, found)
    if not ours["per_class"]:
        return
    theirs = seqeval_report(wanted, found, output_dict=True, zero_division=0)
    for name, column in RATES.items():
        assert ours[name] == pytest.approx(theirs["micro avg"][column])
        assert ours[f"{name}_macro"] == pytest.approx(theirs["macro avg"][column])
        assert ours[f"{name}_weighted"] == pytest.approx(theirs["weighted avg"][column])


def test_an_entity_that_is_one_word_short_is_not_found() -> None:
    found = entities.scores([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "O", "O", "B-LOC"]])
    assert (found["precision"], found["recall"], found["f1"]) == (0.5, 0.5, 0.5)
    assert found["accuracy"] == 0.75
    assert found["per_class"]["LOC"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1}


def test_tags_of_another_number_than_words_are_refused() -> None:
    with pytest.raises(ValueError):
        entities.scores([["O", "O"]], [["O"]])


@pytest.mark.parametrize(
    ("known", "said", "exact", "f1"),
    [
        (["The Eiffel Tower"], "eiffel tower!", 1.0, 1.0),
        (["Eiffel Tower"], "the tower in Paris", 0.0, 2 * 1 / (2 + 3)),
        (["in 1889", "1889"], "1889", 1.0, 1.0),
        (["1889"], "", 0.0, 0.0),
        ([], "", 1.0, 1.0),
        ([], "1889", 0.0, 0.0),
        (["北京大学"], "北京大学。", 1.0, 1.0),
        (["北京大学"], "在北京大", 0.0, 2 * 3 / (4 + 4)),
        (["1998年5月"], "1998年", 0.0, 2 * 2 / (4 + 2)),
    ],
)
def test_an_answer_is_compared_as_the_data_sets_scripts_do(
    known: list[str], said: str, exact: float, f1: float
) -> None:
    assert answers.exact(known, said) == exact
    assert answers.f1(known, said) == pytest.approx(f1)


def test_questions_without_an_answer_are_counted_apart() -> None:
    found = answers.scores([["Paris"], ["Rome"], [], []], ["Paris", "", "", "Oslo"])
    assert found["exact"] == 0.5
    assert found["answered_exact"] == 0.5
    assert found["unanswered"] == 0.5


def test_chinese_f1_asks_for_characters_in_a_run() -> None:
    assert answers.f1(["天安门广场"], "广场天安门") == pytest.approx(2 * 3 / 10)


def test_bleu_and_chrf_are_those_of_sacrebleu() -> None:
    texts = ["the cat is on a mat .", "there is no dog here"]
    references = [["the cat sat on the mat .", "a cat is on the mat ."], ["there is a dog here"]]
    streams = [[refs[0] for refs in references], [references[0][1], None]]
    found = generated.scores(references, texts, language="en", kind="translation")
    assert found["bleu"] == pytest.approx(sacrebleu.BLEU().corpus_score(texts, streams).score)
    assert found["chrf"] == pytest.approx(sacrebleu.CHRF().corpus_score(texts, streams).score)


def test_chinese_bleu_is_of_characters() -> None:
    found = generated.scores([["我们今天去公园玩。"]], ["我们今天去公园。"], language="zh", kind="translation")
    expected = sacrebleu.corpus_bleu(["我们今天去公园。"], [["我们今天去公园玩。"]], tokenize="zh")
    assert found["bleu"] == pytest.approx(expected.score)
    assert found["bleu"] > 50


def test_chinese_rouge_is_of_characters_and_not_zero() -> None:
    found = generated.scores([["天气很好"]], ["天气好"], language="zh", kind="summarization")
    assert found["rouge1"] == pytest.approx(2 * 3 / (4 + 3))
    assert found["rouge2"] == pytest.approx(2 * 1 / (3 + 2))
    assert found["rougeL"] == pytest.approx(2 * 3 / (4 + 3))


def test_english_rouge_stems_and_takes_the_best_reference() -> None:
    found = generated.scores([["dogs", "the cats"]], ["the cat"], language="en", kind="summarization")
    assert found["rouge1"] == 1.0
    assert found["exact"] == 0.0


def test_an_empty_answer_scores_nothing() -> None:
    found = generated.scores([["good morning"]], [""], language="en", kind="dialogue")
    assert (found["bleu"], found["rougeL"], found["exact"]) == (0.0, 0.0, 0.0)


def test_segments_are_characters_and_words() -> None:
    assert segments("我爱 Python3，真的！") == ["我", "爱", "python3", "真", "的"]


def test_perplexity_is_over_all_tokens_and_not_over_examples() -> None:
    found = perplexity.scores([2.0, 1.0], [2, 4], [1, 3])
    assert found["loss"] == pytest.approx(0.5)
    assert found["perplexity"] == pytest.approx(math.exp(0.5))
    assert found["token_accuracy"] == pytest.approx(4 / 6)


def test_measured_numbers_are_json() -> None:
    found = classification.scores([["a"]], [["b"]], labels=["a", "b"], probabilities=[{"a": 0.2, "b": 0.8}])
    assert json.loads(json.dumps(found)) == found
    assert json.loads(json.dumps(perplexity.scores([1e9], [1])))["perplexity"] < 1e22
