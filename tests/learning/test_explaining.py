"""What explains an answer: words with scores that sum to it and matter when deleted, and examples like the input."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.harness.later import later
from zhuli import registry
from zhuli.learning.metrics.chinese import has_chinese, segments
from zhuli.learning.neural.explaining import nearest
from zhuli.learning.training.control import Control
from zhuli.learning.training.data.loading import load
from zhuli.learning.training.event_log import EventLog
from zhuli.ports import Task
from zhuli.types.learning.example import Example
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import Base, Source, Spec

with later:
    import torch

    from zhuli.learning.neural.explaining import attributions
    from zhuli.learning.neural.explaining.deletion import deletion, without
    from zhuli.learning.neural.explaining.explanations import attributions_of, explain, remember
    from zhuli.learning.training.fitting.loop import fit
    from zhuli.testing.tiny_models import tiny_encoder

SAMPLES = Path(__file__).parents[1] / "samples" / "tuning"

OPTIONS = Hyperparameters(
    trainable="all",
    freeze_embeddings=False,
    optimizer="adamw",
    learning_rate=3e-3,
    schedule="linear",
    warmup_ratio=0.1,
    batch_size=16,
    accumulation=1,
    weight_decay=0.0,
    dropout=0.0,
    label_smoothing=0.0,
    class_weights="none",
    max_grad_norm=1.0,
    early_stopping="none",
    evaluations_per_epoch=1,
    max_length=96,
    precision="fp32",
    bucketing=True,
)


@dataclass
class Learned:
    task: Task
    model: Any
    examples: list[Example]
    folder: Path


Learn = Callable[..., Learned]


@pytest.fixture(scope="module")
def learn(tmp_path_factory: pytest.TempPathFactory) -> Learn:
    """A tiny encoder that has learned a sample by heart, each sample once."""
    torch.set_num_threads(1)
    known: dict[str, Learned] = {}

    def learned(name: str, file: str, *, epochs: int = 12, **columns: str) -> Learned:
        if file not in known:
            known[file] = _learned(
                name, file, columns, OPTIONS.model_copy(update={"n_epochs": epochs}), tmp_path_factory.mktemp(name)
            )
        return known[file]

    return learned


def _learned(name: Any, file: str, columns: dict[str, str], options: Hyperparameters, folder: Path) -> Learned:
    torch.manual_seed(0)
    task: Task = registry.find("tasks", name)(options, {})
    source = Source(path=str(SAMPLES / file), columns=columns)
    spec = Spec(task=name, base=Base(name="tiny"), train=source, validation_share=0.0, test_share=0.0)
    examples = load(spec, task, folder).train[:60]
    words = {word for example in examples for word in segments(task.text_of(example))}
    model = task.begin(tiny_encoder(folder / "base", words=words), examples)
    fit(task, model, examples, [], options, seed=0, event_log=EventLog(folder), control=Control())
    remember(task, model, examples, folder)
    return Learned(task, model, examples, folder)


@pytest.fixture(scope="module")
def intents(learn: Learn) -> Learned:
    return learn("text_classification", "text_classification_en.csv", label="category")


def test_scores_of_words_sum_to_what_they_explain(intents: Learned) -> None:
    for example in intents.examples[:8]:
        found = attributions_of(intents.task, intents.model, example)
        assert found is not None
        assert found["target"] == {"label": example.target}
        total = sum(word["score"] for word in found["tokens"])
        assert abs(total - found["difference"]) < 0.05 * abs(found["difference"])
        assert found["completeness_error"] < 0.05


def test_too_few_steps_are_noticed_and_made_more(intents: Learned) -> None:
    found = [attributions_of(intents.task, intents.model, example, steps=1) for example in intents.examples[:10]]
    assert any(one["steps"] > 1 for one in found if one is not None)
    assert all(one is not None and one["completeness_error"] < 0.05 for one in found)


def test_words_stand_where_they_are_in_the_text(intents: Learned) -> None:
    example = intents.task.ask("May I change  my PIN, unquestionably?")
    found = attributions_of(intents.task, intents.model, example)
    assert found is not None
    words = [word["text"] for word in found["tokens"]]
    assert words == ["May", "I", "change", "my", "PIN", ",", "unquestionably", "?"]
    assert all(word["text"] == example.input[word["start"] : word["end"]] for word in found["tokens"])


def test_deleting_the_words_that_score_highest_costs_more_than_deleting_any(intents: Learned) -> None:
    """Twice to four times as much, by which weights the model began with and how the processor rounds."""
    falls = deletion(intents.task, intents.model, intents.examples, most=3)
    assert falls.texts > 50
    assert falls.aopc["highest"] > 1.5 * falls.aopc["random"]
    assert falls.aopc["lowest"] < falls.aopc["random"]


def test_an_answer_is_explained_with_the_training_examples_next_to_it(intents: Learned) -> None:
    example = intents.examples[1]
    found = explain(intents.task, intents.model, intents.folder, intents.task.ask(example.input))
    assert set(found) == {"attributions", "completeness_error", "nearest_examples", "confidence", "calibrated"}
    assert found["nearest_examples"][0] == {"text": example.input, "labels": [example.target], "similarity": 1.0}
    assert [near["labels"] for near in found["nearest_examples"]] == [[example.target]] * 3
    assert 0.9 < found["confidence"] <= 1.0
    assert found["calibrated"] is False


def test_a_model_that_remembers_nothing_is_explained_without_examples(intents: Learned, tmp_path: Path) -> None:
    found = explain(intents.task, intents.model, tmp_path, intents.examples[0])
    assert found["nearest_examples"] == []
    assert found["attributions"]


def test_both_texts_of_a_pair_have_words(intents: Learned) -> None:
    pair = intents.task.ask({"text": "change my PIN", "text_pair": "exchange rate"})
    found = attributions_of(intents.task, intents.model, pair)
    assert found is not None
    assert [word["text"] for word in found["tokens"]] == ["change", "my", "PIN", "exchange", "rate"]


def test_chinese_is_explained_by_characters(learn: Learn) -> None:
    chinese = learn("text_classification", "text_classification_zh.tsv")
    found = attributions_of(chinese.task, chinese.model, chinese.examples[0])
    assert found is not None
    assert all(len(word["text"]) == 1 for word in found["tokens"] if has_chinese(word["text"]))
    assert "".join(word["text"] for word in found["tokens"]) == "".join(chinese.examples[0].input.split())
    assert found["completeness_error"] < 0.05


def test_an_entity_is_explained(learn: Learn) -> None:
    slots = learn("token_classification", "slots_en.jsonl", epochs=30)
    example = next(example for example in slots.examples if len(slots.task.labels_of(example)) > 1)
    found = explain(slots.task, slots.model, slots.folder, example)
    first = found["attributions"][0]
    assert first["target"]["word"] == example.input[first["target"]["start"] : first["target"]["end"]]
    assert len(first["tokens"]) == len(example.extra["words"])
    assert found["completeness_error"] < 0.05
    assert found["nearest_examples"][0]["text"] == example.input


def test_a_text_without_entities_has_nothing_to_explain(learn: Learn) -> None:
    slots = learn("token_classification", "slots_en.jsonl", epochs=30)
    with torch.no_grad():
        bias = slots.model.head.linear.bias
        kept = bias.clone()
        bias[slots.task.state["labels"].index("O")] = 1e3
        found = explain(slots.task, slots.model, slots.folder, slots.examples[0])
        bias.copy_(kept)
    assert (found["attributions"], found["confidence"], found["completeness_error"]) == ([], None, None)


def test_a_relation_is_explained_and_its_marks_are_not_words(learn: Learn) -> None:
    relations = learn("relation_extraction", "relation_extraction_en.jsonl")
    example = relations.examples[0]
    found = explain(relations.task, relations.model, relations.folder, example)
    first = found["attributions"][0]
    assert first["target"] == {"label": example.target}
    text = example.input["text"]
    assert "".join(word["text"] for word in first["tokens"]) == "".join(text.split())
    assert found["completeness_error"] < 0.05
    assert found["nearest_examples"][0]["labels"] == [example.target]


def test_of_many_pairs_the_surest_are_explained(learn: Learn) -> None:
    relations = learn("relation_extraction", "relation_extraction_en.jsonl")
    given = relations.examples[0].input
    entities = [given["head"], given["tail"], {"start": 0, "end": 3}]
    example = relations.task.ask({"text": given["text"], "entities": entities})
    found = explain(relations.task, relations.model, relations.folder, example)
    assert len(found["attributions"]) == 3
    assert {"head", "tail", "label"} <= set(found["attributions"][0]["target"])
    alone = relations.task.ask({"text": given["text"], "entities": [given["head"]]})
    assert explain(relations.task, relations.model, relations.folder, alone)["attributions"] == []


def test_log_odds_are_those_of_the_probability() -> None:
    logits = torch.tensor([[1.0, 2.0, -0.5]])
    chance = torch.softmax(logits, dim=-1)[0, 1]
    assert float(attributions.log_odds(logits, 1, independent=False)) == pytest.approx(
        float((chance / (1 - chance)).log())
    )
    assert float(attributions.log_odds(logits, 1, independent=True)) == 2.0


def test_pieces_become_words_and_chinese_stays_characters() -> None:
    text = "don't un der北京"
    places = [(0, 3), (3, 4), (4, 5), (0, 0), (6, 8), (8, 12), (12, 13), (13, 14)]
    found = attributions.words(text, places, [1.0, 0.5, 0.25, 9.0, 1.0, 2.0, 3.0, 4.0])
    assert [(word["text"], word["score"]) for word in found] == [
        ("don", 1.0),
        ("'", 0.5),
        ("t", 0.25),
        ("un", 1.0),
        ("der", 2.0),
        ("北", 3.0),
        ("京", 4.0),
    ]


def test_deleted_words_leave_no_double_spaces() -> None:
    assert without("may I change my PIN?", [{"start": 4, "end": 5}, {"start": 13, "end": 15}]) == "may change PIN?"


def test_of_many_examples_a_spread_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "MOST", 10)
    chosen = nearest.spread([Example(str(number)) for number in range(95)])
    assert len(chosen) == 10
    assert chosen[0].input == "0" and int(chosen[-1].input) > 80
    vectors = np.random.default_rng(0).normal(size=(10, 4))
    nearest.keep(tmp_path, vectors, [{"text": example.input} for example in chosen])
    assert nearest.nearest(tmp_path, vectors[4], 1)[0]["text"] == chosen[4].input
