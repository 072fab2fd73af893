"""Token classification with tiny encoders: spans by characters, English and Chinese, long texts, tags that make sense."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.harness.later import later
from zhuli import registry
from zhuli.learning.neural.encoders.bio_tags import TaggedSpan, legal, spans, tags
from zhuli.learning.neural.encoders.windows import windows
from zhuli.learning.neural.encoders.words import joined, words
from zhuli.types.learning.example import BadExample, Example, Record
from zhuli.types.learning.hyperparameters import Hyperparameters

with later:
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    from tests.learning.encoder_training import Trained, as_examples, encoder_for, examples_of
    from zhuli.learning.training.tuned import open_tuned

pytestmark = pytest.mark.usefixtures("precision")

TASK = "token_classification"


@pytest.fixture(scope="module")
def samples() -> list[Example]:
    return examples_of(TASK, "slots_en.jsonl")[::2]


@pytest.fixture(scope="module")
def base(samples: list[Example], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoder_for(tmp_path_factory.mktemp("base") / "encoder", [example.input for example in samples])


@pytest.fixture(scope="module")
def slots(base: Path, samples: list[Example], precision: str, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(TASK, base, samples, tmp_path_factory.mktemp("slots"), n_epochs=16)


def test_the_loss_falls_and_spans_are_found(slots: Trained) -> None:
    assert slots.losses[-1] < slots.losses[0] / 2
    assert slots.measured()["f1"] > 0.6
    assert slots.task.measure(slots.examples, [slots.task.majority(slots.examples)] * len(slots.examples))["f1"] == 0


def test_an_answer_says_where_each_span_is(slots: Trained) -> None:
    for example, said in zip(slots.examples, slots.tuned().prediction_of(slots.examples), strict=True):
        for entity in said:
            assert set(entity) == {"entity_group", "score", "word", "start", "end"}
            assert entity["word"] == example.input[entity["start"] : entity["end"]] != ""
            assert 0 < entity["score"] <= 1


def test_a_saved_model_gives_the_same_answers_when_it_is_opened(slots: Trained, tmp_path: Path) -> None:
    texts = [example.input for example in slots.examples[:10]]
    opened = open_tuned(slots.saved(tmp_path / "model"))
    assert opened.predict(texts) == slots.tuned().predict(texts)


def test_transformers_own_class_reads_the_saved_model(slots: Trained, tmp_path: Path) -> None:
    folder = slots.saved(tmp_path / "model")
    theirs = AutoModelForTokenClassification.from_pretrained(folder).eval()
    batch = AutoTokenizer.from_pretrained(folder)("play the beatles in two days", return_tensors="pt")
    logits = theirs(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    ours = slots.model.head(slots.model.hidden(batch))
    np.testing.assert_allclose(logits.detach(), ours.detach(), atol=1e-3)
    assert [theirs.config.id2label[number] for number in range(len(slots.task.labels))] == slots.task.labels


def test_chinese_is_labelled_by_characters(base: Path, tmp_path: Path) -> None:
    examples = examples_of(TASK, "token_classification_zh.conll")[:24]
    trained = Trained(TASK, base, examples, tmp_path, n_epochs=16, batch_size=4)
    assert trained.measured()["f1"] > 0.5
    assert ["我在北京"[start:end] for start, end in trained.task.ask("我在北京").extra["words"][2:]] == ["北", "京"]


def test_words_of_others_can_be_given_as_they_were_cut(slots: Trained) -> None:
    (said,) = slots.tuned().predict([["play", "All", "Things", "Must", "Pass"]])
    (same,) = slots.tuned().predict([{"text": "play All Things Must Pass"}])
    assert said == same


def test_every_word_of_a_long_text_is_decided_once(slots: Trained) -> None:
    example = slots.task.ask("word " * 700)
    assert len(slots.task.features(example, learn=False)) > 2
    places = sum(len(row["places"]) for row in slots.task.features(example, learn=False))
    assert places == len(example.extra["words"]) == 700
    slots.tuned().prediction_of([example])


def test_labels_can_be_added(slots: Trained, tmp_path: Path) -> None:
    task = registry.find("tasks", TASK)(Hyperparameters(), {})
    entity = {"start": 0, "end": 4, "label": "person"}
    task.begin(slots.saved(tmp_path / "model"), as_examples(TASK, {"text": "Anna laughs", "entities": [entity]}))
    assert task.labels == [*slots.task.labels, "B-person", "I-person"]


def test_spans_as_characters_become_tags_even_within_a_word() -> None:
    entities = [{"start": 4, "end": 7, "label": "NUM"}, {"start": 0, "end": 2, "label": "LOC"}]
    (example,) = as_examples(TASK, {"text": "北京, 100km!", "entities": entities})
    assert [example.input[start:end] for start, end in example.extra["words"]] == ["北", "京", ",", "100", "km", "!"]
    assert example.target == ["B-LOC", "I-LOC", "O", "B-NUM", "O", "O"]


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"tokens": ["a", "b"], "tags": ["O"]}, "2 tokens, not 1"),
        ({"tokens": ["a"], "tags": ["PER"]}, "B-PER"),
        ({"tokens": ["a", ""], "tags": ["O", "O"]}, "empty"),
        ({"text": "abc", "entities": [{"start": 1, "end": 9, "label": "X"}]}, "3 characters"),
        ({"text": "ab", "entities": [{"start": 0, "end": 2, "label": "X"}] * 2}, "overlap"),
        ({"text": "abc"}, "tokens"),
    ],
)
def test_what_is_no_example_is_said(fields: dict[str, Any], what: str) -> None:
    with pytest.raises(BadExample, match=what):
        registry.find("tasks", TASK)(Hyperparameters(), {}).read(Record(line=1, fields=fields))


def test_a_prediction_of_the_target_measures_as_perfect(samples: list[Example]) -> None:
    task = registry.find("tasks", TASK)(Hyperparameters(), {})

    def perfect(example: Example) -> list[dict[str, Any]]:
        place = example.extra["words"]
        return [
            {"entity_group": label, "start": place[first][0], "end": place[last - 1][1]}
            for label, first, last in spans(example.target)
        ]

    assert task.measure(samples, [perfect(example) for example in samples])["f1"] == 1


def test_tags_and_spans_are_each_others_inverse() -> None:
    found = [TaggedSpan("A", 0, 2), TaggedSpan("A", 2, 3), TaggedSpan("B", 4, 5)]
    assert tags(found, 6) == ["B-A", "I-A", "B-A", "O", "B-B", "O"]
    assert spans(tags(found, 6)) == found
    assert spans(["I-A", "I-A", "I-B"]) == [TaggedSpan("A", 0, 2), TaggedSpan("B", 2, 3)]


def test_the_likeliest_tags_that_make_sense_are_chosen() -> None:
    names = ["O", "B-A", "I-A", "B-B", "I-B"]
    shares = np.array([[0.5, 0.4, 0.04, 0.03, 0.03], [0.1, 0.05, 0.7, 0.1, 0.05], [0.3, 0.01, 0.05, 0.04, 0.6]])
    assert [names[tag] for tag in legal(np.log(shares), names)] == ["B-A", "I-A", "O"]
    assert legal(np.zeros((0, 5)), names) == []


def test_windows_decide_everything_once_and_reach_beyond_it() -> None:
    found = windows(100, size=30, overlap=10)
    assert [place for window in found for place in range(window.first, window.last)] == list(range(100))
    assert all(window.start <= window.first < window.last <= window.end <= window.start + 30 for window in found)
    assert windows(0, size=30, overlap=10) == [(0, 0, 0, 0)]
    assert windows(30, size=30, overlap=10) == [(0, 30, 0, 30)]


def test_words_are_cut_and_put_together() -> None:
    assert [("我在New York!")[start:end] for start, end in words("我在New York!")] == ["我", "在", "New", "York", "!"]
    assert joined(["New", "York", "在", "北", "京"])[0] == "New York在北京"
