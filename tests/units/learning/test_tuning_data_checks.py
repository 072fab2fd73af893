"""Data that can't be learned from is refused with what is wrong and what would be right; what is odd is reported."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zhuli import registry
from zhuli.learning.training.data import report
from zhuli.learning.training.data.loading import Data, load
from zhuli.learning.training.failures import TuningFailed
from zhuli.types.learning.hyperparameters import TaskName
from zhuli.types.learning.tuning import Base, Source, Spec

SAMPLES = Path(__file__).parents[2] / "samples" / "tuning"

WORDS = "amber birch cedar daisy elder fern grass hazel iris juniper kelp linden maple nettle oak pine quince rose sage thyme"
TEXTS = [f"{word} grows in the garden of {other}" for word in WORDS.split() for other in ("Ada", "Bob")]


def rows(labels: list[Any], texts: list[str] = TEXTS) -> list[dict[str, Any]]:
    return [{"text": text, "label": label} for text, label in zip(texts, labels, strict=False)]


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Data]:
    def of(
        task: TaskName,
        train: list[dict[str, Any]] | Path,
        *,
        window: int | None = None,
        shares: float = 0.1,
        **parts: Any,
    ) -> Data:
        sources = {}
        for part, given in {"train": train, **parts}.items():
            path = given if isinstance(given, Path) else tmp_path / f"{part}.jsonl"
            if not isinstance(given, Path):
                path.write_text("".join(json.dumps(row) + "\n" for row in given))
            sources[part] = Source(path=str(path))
        spec = Spec(task=task, base=Base(name="-"), validation_share=shares, test_share=shares, **sources)
        return load(spec, registry.find("tasks", task)(spec.hyperparameters, {}), tmp_path, window=window)

    return of


def refused(load: Callable[[], Data], *, code: str = "invalid_training_file", param: str = "training_file") -> str:
    with pytest.raises(TuningFailed) as caught:
        load()
    assert (caught.value.code, caught.value.param) == (code, param)
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "task", "language", "labels"),
    [
        ("text_classification_en.csv", "text_classification", "en", 5),
        ("multi_label_en.jsonl", "text_classification", "en", 8),
        ("chat_classification_en.jsonl", "text_classification", "en", 3),
        ("token_classification_zh.conll", "token_classification", "zh", 7),
        ("relation_extraction_zh.tsv", "relation_extraction", "zh", 4),
        ("question_answering_en.json", "question_answering", "en", 0),
        ("translation_en_zh.tsv", "translation", "zh", 0),
        ("summarization_zh.tsv", "summarization", "zh", 0),
        ("dialogue_en.jsonl", "dialogue", "en", 0),
        ("preference_en.jsonl", "preference", "en", 0),
    ],
)
def test_samples_of_every_task_are_loaded_and_split(
    loaded: Callable[..., Data], name: str, task: TaskName, language: str, labels: int
) -> None:
    data = loaded(task, SAMPLES / name)
    counts = data.report.counts
    assert counts == {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)}
    assert counts["validation"] > 0 and counts["test"] > 0 and data.report.split == ["validation", "test"]
    assert (data.report.language, len(data.report.labels)) == (language, labels)
    assert all(leak.same == 0 for leak in data.report.leakage.values())
    assert json.loads(data.report.model_dump_json())["counts"] == counts


def test_the_same_seed_splits_alike(loaded: Callable[..., Data]) -> None:
    one, other = (loaded("text_classification", SAMPLES / "sentiment_en.tsv") for _ in range(2))
    assert (one.train, one.validation, one.test) == (other.train, other.validation, other.test)


def test_questions_on_one_article_stay_together(loaded: Callable[..., Data]) -> None:
    data = loaded("question_answering", SAMPLES / "question_answering_zh.json", shares=0.25)
    groups = [{example.group for example in part} for part in (data.train, data.validation, data.test)]
    assert all(groups) and sum(map(len, groups)) == len(set().union(*groups)) == 12


def test_every_bad_line_is_told_up_to_twenty(loaded: Callable[..., Data]) -> None:
    bad = [{"text": "no label here"}, {"text": "", "label": "a"}, {"label": "a"}, {"text": "x", "label": None}]
    message = refused(lambda: loaded("text_classification", rows(["a", "b"] * 10) + bad * 6))
    first, *lines = message.splitlines()
    assert first == "24 of 44 entries of the training file are wrong."
    assert [line.split(":")[0] for line in lines[:-1]] == [f"Line {number}" for number in range(21, 41)]
    assert lines[-1] == "… and 4 more."


def test_ten_examples_are_the_fewest(loaded: Callable[..., Data]) -> None:
    message = refused(lambda: loaded("text_classification", rows(["a", "b", "a"])))
    assert message == "The training file must have at least 10 examples, found 3."
    assert loaded("text_classification", rows(["a", "b"] * 5)).report.counts["train"] == 8


def test_one_label_alone_is_refused(loaded: Callable[..., Data]) -> None:
    message = refused(lambda: loaded("text_classification", rows(["a"] * 12)))
    assert message == "All examples have the label “a”. There must be at least two labels to tell apart."


def test_text_and_label_mistaken_for_each_other_are_noticed(loaded: Callable[..., Data]) -> None:
    swapped = [{"text": label, "label": text} for text, label in zip(TEXTS[:12], "ab" * 6, strict=True)]
    message = refused(lambda: loaded("text_classification", swapped))
    assert message.startswith("12 of 12 labels stand at one example only. Are text and label mistaken for each other?")


def test_entities_that_are_nowhere_are_refused(loaded: Callable[..., Data]) -> None:
    plain = [{"text": text, "entities": []} for text in TEXTS[:12]]
    assert (
        refused(lambda: loaded("token_classification", plain)) == "No example has an entity; there is nothing to learn."
    )


def test_a_label_that_training_does_not_have_is_refused(loaded: Callable[..., Data]) -> None:
    message = refused(
        lambda: loaded("text_classification", rows(["a", "b"] * 6), validation=rows(["a", "c"], TEXTS[20:])),
        code="invalid_validation_file",
        param="validation_file",
    )
    assert message.splitlines()[1].startswith(
        "Line 2: No training example has the label “c”. Add some to the training file"
    )


def test_a_file_that_is_not_there_is_named(loaded: Callable[..., Data], tmp_path: Path) -> None:
    message = refused(
        lambda: loaded("text_classification", rows(["a", "b"] * 6), test=tmp_path / "lost.csv"),
        code="invalid_validation_file",
        param="test_file",
    )
    assert message.startswith("There is no test file ") and message.endswith("lost.csv.")


def test_a_file_of_another_kind_is_refused(loaded: Callable[..., Data], tmp_path: Path) -> None:
    picture = tmp_path / "picture.jsonl"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)
    assert "training file" in refused(lambda: loaded("text_classification", picture))


def test_contradictions_duplicates_and_rare_labels_are_warned_of(loaded: Callable[..., Data]) -> None:
    again = [{"text": TEXTS[0].upper(), "label": "b"}, {"text": TEXTS[1], "label": "b"}]
    data = loaded("text_classification", rows(["a", "b"] * 6) + again + [{"text": "one of its kind", "label": "c"}])
    said = [problem.message for problem in data.report.problems]
    assert said[0] == f"“{TEXTS[0].upper()}” is labelled “b”, but “a” in line 1." and data.report.problems[0].line == 13
    assert said[1].startswith("Only one example has “c”.")
    assert said[2].startswith("Texts that stand there again: 2, in lines 13, 14.") and data.report.duplicates == 2


def test_labels_out_of_balance_are_warned_of(loaded: Callable[..., Data]) -> None:
    data = loaded("text_classification", rows(["a"] * 33 + ["b"] * 3))
    assert "“a” has 33 examples, “b” 3." in data.report.problems[0].message


def test_held_out_texts_that_training_has_are_reported(loaded: Callable[..., Data]) -> None:
    test = rows(["a", "b", "a"], [TEXTS[0] + " ", TEXTS[3] + "!", "not seen before"])
    data = loaded("text_classification", rows(["a", "b"] * 6), test=test, shares=0)
    assert data.report.leakage["test"] == report.Leakage(same=1, near=1)
    assert data.report.problems[0].message.startswith("Training has the text of 1 of these examples: lines 1 (“amber")


def test_texts_longer_than_the_model_reads_are_counted(loaded: Callable[..., Data]) -> None:
    long = [{"text": "很长的文字" * 40, "label": "a"}]
    data = loaded("text_classification", rows(["a", "b"] * 6) + long, window=128, shares=0)
    assert (data.report.lengths.too_long, data.report.lengths.longest_tokens) == (1, 200)
    assert "longer than the 128 tokens" in data.report.problems[-1].message


def test_the_report_can_be_read_in_a_terminal(loaded: Callable[..., Data]) -> None:
    text = report.text(loaded("text_classification", rows(["a"] * 20 + ["b"] * 10)).report)
    assert "train             24 examples" in text
    assert "validation         3 examples (held out of the training file)" in text
    assert "a      16 ▇" in text and "Nothing to warn of." not in text.split("2 labels")[0]
