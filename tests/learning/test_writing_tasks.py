"""Translation, summarization, dialogue and preference, from records to answers, with tiny models on real samples."""

import math
from pathlib import Path
from typing import Any

import pytest

from tests.harness.later import later
from zhuli.types.learning.example import BadExample, Record

with later:
    import torch

    from tests.learning.writing_models import base_of, language_model, read, sample, task_of, tuned
    from zhuli.learning.neural.language_models.preference_loss import preferred
    from zhuli.learning.training.tuned import answers

pytestmark = pytest.mark.usefixtures("precision")

PAIRS = [
    {"source": "thank you", "target": "谢谢"},
    {"source": "good", "target": ["好", "很好"]},
    {"source": "the book", "target": "书"},
]
USER = {"role": "user", "content": "hi"}
BETTER, WORSE = {"role": "assistant", "content": "hello"}, {"role": "assistant", "content": "what"}
PAIR = {"input": {"messages": [USER]}, "preferred_output": [BETTER], "non_preferred_output": [WORSE]}


@pytest.mark.parametrize("base", ["language_model", "seq2seq"])
def test_translations_are_learned_by_heart_and_come_back_the_same_from_the_saved_model(
    tmp_path: Path, base: str
) -> None:
    task, model, examples, fitted = tuned("translation", base_of(base), PAIRS, tmp_path, n_epochs=50, max_length=96)
    assert fitted.history[-1]["train_loss"] < fitted.history[0]["train_loss"] / 5
    assert task.state["language"] == "zh" and "into Chinese" in task.state["instruction"]
    found = answers(task, model, examples, batch_size=2)
    assert [prediction[0]["translation_text"] for prediction in found] == ["谢谢", "好", "书"]
    measured = task.measure(examples, found)
    assert measured["chrf"] == pytest.approx(100) and measured["exact"] == 1 and measured["perplexity"] < 1.5
    task.save(model, tmp_path)
    again = task_of("translation", max_length=96)
    again.state = task.state
    opened = again.open(tmp_path)
    assert answers(again, opened, [again.ask("good"), again.ask({"text": "the book"})], batch_size=2) == [
        [{"translation_text": "好"}],
        [{"translation_text": "书"}],
    ]


@pytest.mark.parametrize("base", ["language_model", "seq2seq"])
def test_summaries_of_chinese_are_asked_for_in_chinese_and_measured_by_character(tmp_path: Path, base: str) -> None:
    records = sample("summarization_zh.tsv", 8)
    task, model, examples, fitted = tuned("summarization", base_of(base), records, tmp_path, n_epochs=3, max_length=256)
    assert task.state["instruction"].startswith("用一两句话概括")
    losses = [entry["train_loss"] for entry in fitted.history]
    assert losses[-1] < losses[0]
    best = [[{"summary_text": record["target"]}] for record in records]
    assert task.measure(examples, best)["rougeL"] == 1
    found = task.measure(examples, answers(task, model, examples[:2], batch_size=2) + best[2:])
    assert 0.5 < found["rougeL"] < 1


@pytest.mark.parametrize("name", ["dialogue_zh.jsonl", "dialogue_en.jsonl"])
def test_dialogues_are_learned_from_every_answer_with_the_task_measured_on_all(tmp_path: Path, name: str) -> None:
    records = sample(name, 2)
    task, model, examples, _ = tuned("dialogue", language_model(), records, tmp_path, n_epochs=3, max_length=1024)
    before = task_of("dialogue", max_length=1024)
    untrained = before.begin(language_model(), examples)
    first = before.measure(examples, answers(before, untrained, examples, batch_size=4))
    last = task.measure(examples, answers(task, model, examples, batch_size=4))
    assert last["perplexity"] < first["perplexity"] and last["token_accuracy"] > first["token_accuracy"]
    assert {"bleu", "chrf", "rougeL", "exact", "loss"} <= last.keys()
    said = sum(message["role"] == "assistant" for record in records for message in record["messages"])
    rows = [row for example in examples for row in task.features(example, learn=True)]
    assert said == sum(row["labels"].count(task._tokenizer.eos_token_id) for row in rows)


def test_a_dialogue_is_answered_as_a_text_or_as_messages(tmp_path: Path) -> None:
    record = {"messages": [USER, BETTER]}
    task, model, _, _ = tuned("dialogue", language_model(), [record], tmp_path, n_epochs=40, max_length=64)
    asked = [task.ask(given) for given in ("hi", [USER], {"messages": [USER]})]
    assert answers(task, model, asked, batch_size=3) == [[{"generated_text": "hello"}]] * 3


def test_the_loss_of_preferences_is_the_published_formula() -> None:
    """Pairs with log-likelihoods (-1, -3) and (-2, -2), of which the reference said (-2, -3) and (-1, -4)."""
    better, worse = torch.tensor([-1.0, -2.0]), torch.tensor([-3.0, -2.0])
    found = preferred(better, worse, torch.tensor([[-2.0, -3.0], [-1.0, -4.0]]), beta=0.5)
    margins = [0.5 * (1 - 0), 0.5 * (-1 - 2)]
    assert found.margins.tolist() == pytest.approx(margins)
    assert float(found.total) == pytest.approx(sum(math.log1p(math.exp(-margin)) for margin in margins))
    assert found.right == 1
    smoothed = preferred(better, worse, torch.zeros(2, 2), beta=1.0, smoothing=0.5)
    flipped = preferred(worse, better, torch.zeros(2, 2), beta=1.0, smoothing=0.5)
    assert float(smoothed.total) == pytest.approx(float(flipped.total))


@pytest.mark.parametrize("trainable", ["all", "lora"])
def test_preferences_raise_the_reward_of_the_better_answers(tmp_path: Path, trainable: str) -> None:
    records = sample("preference_en.jsonl", 6)
    how = {
        "trainable": trainable,
        "n_epochs": 8,
        "max_length": 128,
        "lora": {"rank": 4, "target_modules": "all-linear"},
    }
    task, model, examples, fitted = tuned("preference", language_model(), records, tmp_path, **how)
    assert fitted.history[0]["train_loss"] == pytest.approx(math.log(2), abs=1e-5)
    start = task_of("preference", max_length=128)
    untrained = answers(start, start.begin(language_model(), examples), examples, batch_size=4)
    before, after = (
        start.measure(examples, untrained),
        task.measure(examples, answers(task, model, examples, batch_size=4)),
    )
    assert before["reward_accuracy"] == 0.5 and before["reward_margin"] == 0
    assert after["reward_accuracy"] > 0.8 and after["reward_margin"] > 0
    assert task.predict([], [], []) == [] and "likelier" in after and "chrf" in after


@pytest.mark.usefixtures("bf16")
@pytest.mark.parametrize("variant", [None, "lora", "pissa"])
@pytest.mark.parametrize("batch_size", [1, 2, 6])
def test_preferences_begin_at_the_logarithm_of_two_in_bf16_too(
    tmp_path: Path, variant: str | None, batch_size: int
) -> None:
    """Whatever rows make a batch: the reference is asked with them, in their precision."""
    records = sample("preference_en.jsonl", 6)
    how: dict[str, Any] = {"trainable": "all", "n_epochs": 1, "max_length": 128, "batch_size": batch_size}
    if variant is not None:
        how |= {"trainable": "lora", "lora": {"variant": variant, "rank": 4, "target_modules": "all-linear"}}
    task, _, _, fitted = tuned("preference", language_model(), records, tmp_path, **how)
    assert task.options.precision == "bf16"
    assert fitted.history[0]["train_loss"] == pytest.approx(math.log(2), abs=1e-5)


@pytest.mark.usefixtures("bf16")
def test_preferences_are_learned_in_bf16(tmp_path: Path) -> None:
    records = sample("preference_en.jsonl", 6)
    how = {"trainable": "all", "n_epochs": 8, "max_length": 128}
    task, model, examples, _ = tuned("preference", language_model(), records, tmp_path, **how)
    after = task.measure(examples, answers(task, model, examples, batch_size=4))
    assert after["reward_accuracy"] > 0.8 and after["reward_margin"] > 0


@pytest.mark.usefixtures("bf16")
def test_dialogues_are_learned_in_bf16(tmp_path: Path) -> None:
    records = sample("dialogue_en.jsonl", 2)
    _, _, _, fitted = tuned("dialogue", language_model(), records, tmp_path, n_epochs=3, max_length=256)
    losses = [line["train_loss"] for line in fitted.history]
    assert losses[-1] < losses[0]


def test_the_reference_is_asked_where_the_model_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card has the model before the first step; what it is asked must be there too."""
    task = task_of("preference", max_length=128)
    examples = read(task, sample("preference_en.jsonl", 3))
    model = task.begin(language_model(), examples).to("meta")
    features = [feature for example in examples for feature in task.features(example, learn=True)]
    asked: list[str] = []

    def said(model: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        asked.extend(tensor.device.type for tensor in batch.values())
        return torch.zeros(3), torch.zeros(3)

    monkeypatch.setattr(torch, "is_autocast_enabled", lambda kind: False)  # which knows no kind "meta"
    monkeypatch.setattr(task, "_log_likelihoods", said)
    task.prepare(model, features)
    assert set(asked) == {"meta"}


def test_the_reference_of_a_pair_does_not_depend_on_its_neighbours() -> None:
    task = task_of("preference", max_length=128)
    examples = read(task, sample("preference_en.jsonl", 5))
    model = task.begin(language_model(), examples).eval()
    together, alone = ([feature for e in examples for feature in task.features(e, learn=True)] for _ in range(2))
    with torch.no_grad():
        task.prepare(model, together)
        for feature in alone:
            task.prepare(model, [feature])
    for one, other in zip(together, alone, strict=True):
        assert one["reference"] == pytest.approx(other["reference"], rel=1e-4)


@pytest.mark.parametrize(
    ("task", "fields", "said"),
    [
        ("translation", {"source": "", "target": "x"}, '"source" should be'),
        ("translation", {"source": "x", "target": []}, '"target" should be'),
        ("dialogue", {}, '"messages" should be a list of messages'),
        ("dialogue", {"messages": [{"role": "boss", "content": "x"}]}, "messages[1] should be an object with a"),
        (
            "dialogue",
            {"messages": [USER, {"role": "assistant", "content": None}]},
            'messages[2] of the role "assistant"',
        ),
        ("dialogue", {"messages": [USER]}, "should end with the message that is to be learned"),
        ("dialogue", {"messages": [BETTER]}, "before the assistant's first one"),
        ("dialogue", {"messages": [USER, BETTER | {"weight": 0}]}, "at least one should be learned"),
        ("dialogue", {"messages": [USER, BETTER | {"weight": 2}]}, 'messages[2] has a "weight"'),
        (
            "dialogue",
            {"messages": [USER, BETTER | {"tool_calls": [{"function": {"name": "f"}}]}]},
            '"tool_calls" should',
        ),
        ("dialogue", {"messages": [USER, BETTER], "tools": [{"name": "f"}]}, '"tools" should be a list'),
        ("dialogue", {"messages": [USER | {"content": [{"type": "image_url"}]}, BETTER]}, '"content" should be a text'),
        ("preference", {"input": "hi"}, '"input" should be an object'),
        ("preference", PAIR | {"preferred_output": [USER]}, '"preferred_output" should be a list'),
        ("preference", PAIR | {"preferred_output": [WORSE]}, "are the same"),
    ],
)
def test_a_record_that_is_no_example_is_told_what_would_be_right(task: str, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(BadExample) as caught:
        task_of(task).read(Record(1, fields))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("task", "given"), [("translation", 3), ("dialogue", {"messages": [USER, BETTER]}), ("preference", [])]
)
def test_an_input_that_cannot_be_answered_is_told_what_would_be_right(task: str, given: Any) -> None:
    with pytest.raises(BadExample, match="should"):
        task_of(task).ask(given)


def test_pairs_may_come_as_chats() -> None:
    chat = {"messages": [{"role": "system", "content": "Translate."}, USER, BETTER]}
    example = task_of("translation").read(Record(7, chat))
    assert (example.input, example.target, example.line) == ("hi", ["hello"], 7)
