"""Text classification with tiny encoders: one class or several, pairs, labels that come later, few examples."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.harness.later import later
from zhuli import registry
from zhuli.types.learning.example import BadExample, Example, Record
from zhuli.types.learning.hyperparameters import Hyperparameters

with later:
    import torch

    from tests.learning.encoder_training import Trained, as_examples, encoder_for, examples_of
    from zhuli.learning.neural.encoders.linear_head import LinearHead
    from zhuli.learning.neural.encoders.pooling import habits
    from zhuli.learning.training.fitting.few_shot import fit_few_shot
    from zhuli.learning.training.tuned import open_tuned

pytestmark = pytest.mark.usefixtures("precision")

TASK = "text_classification"


@pytest.fixture(scope="module")
def samples() -> list[Example]:
    return examples_of(TASK, "text_classification_en.csv")[::2]


@pytest.fixture(scope="module")
def base(samples: list[Example], tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [example.input for example in samples]
    return encoder_for(tmp_path_factory.mktemp("base") / "encoder", texts)


@pytest.fixture(scope="module")
def intents(base: Path, samples: list[Example], precision: str, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(TASK, base, samples, tmp_path_factory.mktemp("intents"), n_epochs=8)


def test_the_loss_falls_and_intents_are_told_apart(intents: Trained) -> None:
    assert intents.losses[-1] < intents.losses[0] / 2
    assert intents.measured()["accuracy"] > 0.9


def test_an_answer_has_all_labels_with_shares_that_sum_to_one(intents: Trained) -> None:
    (said,) = intents.tuned().predict(["How do I change my PIN?"])
    assert {entry["label"] for entry in said} == set(intents.task.labels)
    assert [entry["score"] for entry in said] == sorted((entry["score"] for entry in said), reverse=True)
    assert sum(entry["score"] for entry in said) == pytest.approx(1)


def test_a_saved_model_gives_the_same_answers_when_it_is_opened(intents: Trained, tmp_path: Path) -> None:
    texts = ["How do I change my PIN?", "what", "exchange rates for dollars"]
    opened = open_tuned(intents.saved(tmp_path / "model"))
    assert opened.predict(texts) == intents.tuned().predict(texts)


def test_batches_do_not_change_answers(intents: Trained) -> None:
    texts = [example.input for example in intents.examples[:20]]
    alone = [entry["score"] for said in intents.tuned().predict(texts, batch_size=1) for entry in said]
    together = [entry["score"] for said in intents.tuned().predict(texts, batch_size=20) for entry in said]
    assert alone == pytest.approx(together, abs=1e-5)


def test_labels_can_be_added_and_known_ones_stay_known(intents: Trained, tmp_path: Path) -> None:
    earlier = intents.saved(tmp_path / "model")
    added = as_examples(TASK, {"text": "My phone is stolen", "label": "stolen"})
    task = registry.find("tasks", TASK)(Hyperparameters(), {})
    model = task.begin(earlier, added)
    assert task.labels == [*intents.task.labels, "stolen"]
    for name in ("weight", "bias"):
        grown, known = getattr(model.head.linear, name), getattr(intents.model.head.linear, name)
        assert torch.equal(grown[: len(known)], known)
    assert torch.equal(model.head.scale, intents.model.head.scale)


def test_several_classes_are_told_by_a_threshold_that_validation_chooses(base: Path, tmp_path: Path) -> None:
    examples = examples_of(TASK, "multi_label_en.jsonl")[::3]
    trained = Trained(TASK, base, examples, tmp_path, n_epochs=12)
    assert trained.task.state["multi_label"] is True
    before = trained.measured()["f1_micro"]
    features = [trained.task.features(example, learn=False) for example in examples]
    said = [trained.task.outputs(trained.model, trained.task.collate(rows)) for rows in features]
    trained.task.choose_threshold(examples, features, said)
    assert 0 < trained.task.state["threshold"] < 1
    assert trained.measured()["f1_micro"] >= before > 0.6


def test_a_given_threshold_stays(base: Path, tmp_path: Path) -> None:
    examples = examples_of(TASK, "multi_label_en.jsonl")
    task = registry.find("tasks", TASK)(Hyperparameters(threshold=0.8, multi_label=True), {})
    task.begin(base, examples)
    said = [{"label": "negate", "score": 0.79}, {"label": "goodbye", "score": 0.1}]
    told = task.measure(as_examples(TASK, {"text": "a", "label": ["negate"]}), [said])
    assert told["recall_micro"] == 0


def test_pairs_of_texts_are_read_with_the_second_one_marked(base: Path) -> None:
    examples = as_examples(
        TASK, {"text": "a", "text_pair": "b", "label": "same"}, {"text": "b", "text_pair": "a", "label": "other"}
    )
    task = registry.find("tasks", TASK)(Hyperparameters(), {})
    task.begin(base, examples)
    (feature,) = task.features(examples[0], learn=False)
    assert sorted(set(feature["token_type_ids"])) == [0, 1]
    mixed = task.collate([feature, *task.features(task.ask("a text alone"), learn=False)])
    assert mixed["token_type_ids"].shape == mixed["input_ids"].shape


def test_chinese_titles_are_classified(base: Path, tmp_path: Path) -> None:
    trained = Trained(TASK, base, examples_of(TASK, "text_classification_zh.tsv")[::2], tmp_path, n_epochs=8)
    assert trained.measured()["accuracy"] > 0.8


def test_a_head_alone_learns_from_what_a_frozen_encoder_says(
    base: Path, samples: list[Example], tmp_path: Path
) -> None:
    trained = Trained(TASK, base, samples, tmp_path, trainable="head", n_epochs=20, learning_rate=2e-2)
    assert trained.measured()["accuracy"] > 0.8


def test_few_examples_of_a_class_teach_the_encoder_what_is_alike(
    base: Path, samples: list[Example], tmp_path: Path
) -> None:
    few = samples[::3]
    trained = Trained(
        TASK, base, few, tmp_path, fitted_by=fit_few_shot, trainable="few_shot", n_epochs=1, learning_rate=1e-3
    )
    assert trained.measured()["accuracy"] > 0.8
    assert trained.fitted.history[-1]["step"] == trained.fitted.steps


def test_balanced_weights_make_rare_classes_count_as_much(base: Path) -> None:
    examples = as_examples(TASK, *[{"text": "a", "label": "often"}] * 3, {"text": "b", "label": "rare"})
    task = registry.find("tasks", TASK)(Hyperparameters(class_weights="balanced"), {})
    model = task.begin(base, examples).eval()
    features = [row for example in examples for row in task.features(example, learn=True)]
    with torch.no_grad():
        logits = model.head(task.encode(model, task.collate(features))).log_softmax(dim=1)
        total = task.loss(model, task.collate(features)).total
    wanted = -(3 * logits[0, 0] * 4 / 6 + logits[3, 1] * 4 / 2)
    assert float(total) == pytest.approx(float(wanted), rel=1e-5)


def test_majority_gives_every_label_its_share() -> None:
    task = registry.find("tasks", TASK)(Hyperparameters(), {})
    examples = as_examples(TASK, *[{"text": "a", "label": "often"}] * 3, {"text": "b", "label": "rare"})
    assert task.majority(examples) == [{"label": "often", "score": 0.75}, {"label": "rare", "score": 0.25}]
    assert task.measure(examples, [task.majority(examples)] * 4)["accuracy"] == 0.75


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"text": "", "label": "a"}, '"text"'),
        ({"text": "a"}, '"label"'),
        ({"text": "a", "label": {"a": 1}}, '"label"'),
        ({"messages": [{"role": "user", "content": "a"}]}, '"messages"'),
    ],
)
def test_what_is_no_example_is_said(fields: dict[str, Any], what: str) -> None:
    with pytest.raises(BadExample, match=what):
        registry.find("tasks", TASK)(Hyperparameters(), {}).read(Record(line=1, fields=fields))


def test_a_chat_is_an_example() -> None:
    messages = [
        {"role": "system", "content": "Name the intent."},
        {"role": "user", "content": "Where is my card?"},
        {"role": "assistant", "content": "card_arrival"},
    ]
    (example,) = as_examples(TASK, {"messages": messages})
    assert (example.input, example.target) == ("Where is my card?", "card_arrival")


def test_a_base_of_sentences_says_how_it_wants_to_be_read(tmp_path: Path) -> None:
    assert habits(tmp_path).pooling == "first"
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    prompts = '{"prompts": {"query": "query: "}, "default_prompt_name": "query"}'
    (tmp_path / "config_sentence_transformers.json").write_text(prompts)
    assert (habits(tmp_path).pooling, habits(tmp_path).prefix) == ("mean", "query: ")


def test_a_head_can_be_written_as_one_linear_layer() -> None:
    torch.manual_seed(0)
    head = LinearHead(4, 3).eval()
    rows = torch.randn(50, 4) * 0.01 + 5
    head.standardise(rows)
    weight, bias = head.folded()
    np.testing.assert_allclose(head(rows).detach(), rows @ weight.T + bias, atol=1e-3)
    assert float(((rows - head.center) * head.scale).std()) == pytest.approx(1, abs=0.02)
