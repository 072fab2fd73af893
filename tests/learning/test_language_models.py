"""Language models as they are tuned: what of a conversation is learned, the loss, and what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.harness.later import later
from zhuli.learning.neural import adapted, model_folder
from zhuli.learning.neural.language_models.chat_features import IGNORED, Chats, Row, without_oldest_turn
from zhuli.learning.neural.model_folder import ModelFolder
from zhuli.models.engines.told_tools import told
from zhuli.types.learning.tuning import Base

with later:
    import torch
    from torch.nn import functional
    from transformers import AutoTokenizer, GenerationConfig

    from tests.learning.writing_models import SMALL_TALK, base_of, language_model, read, sample, task_of, tuned
    from zhuli.learning.neural.language_models import language_model as language_models
    from zhuli.learning.neural.language_models.generation import greedy
    from zhuli.learning.training.tuned import answers

pytestmark = pytest.mark.usefixtures("precision")

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "你好"},
    {"role": "assistant", "content": "你好，今天想吃什么？"},
    {"role": "user", "content": "noodles"},
    {"role": "assistant", "content": "the best ones"},
]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"place": "北京"}'}}
FORGETFUL = (
    "{% for message in messages %}{% if message['role'] != 'assistant' or loop.last %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Leaves out what the assistant said before, as templates of reasoning models leave out their thoughts."""


@pytest.fixture
def chats() -> Chats:
    return Chats(AutoTokenizer.from_pretrained(language_model()), max_length=512)


def learned(chats: Chats, row: Row) -> str:
    tokens = [token for token, label in zip(row.input_ids, row.labels, strict=True) if label != IGNORED]
    return str(chats.tokenizer.decode(tokens))


def test_every_answer_of_a_conversation_is_learned_with_its_end_and_nothing_else(chats: Chats) -> None:
    (row,) = chats.rows(CHAT, [2, 4])
    assert learned(chats, row) == "你好，今天想吃什么？<|im_end|>the best ones<|im_end|>"
    assert chats.tokenizer.decode(row.input_ids) == chats.tokenizer.apply_chat_template(CHAT, tokenize=False)


def test_an_answer_that_is_not_asked_for_is_read_but_not_learned(chats: Chats) -> None:
    assert learned(chats, chats.rows(CHAT, [4])[0]) == "the best ones<|im_end|>"


def test_what_is_learned_goes_on_where_the_prompt_ends(chats: Chats) -> None:
    (row,) = chats.rows(CHAT, [4])
    prompt = chats.prompt(CHAT[:4])
    assert row.input_ids[: len(prompt)] == prompt
    assert set(row.labels[: len(prompt)]) == {IGNORED} and row.labels[len(prompt)] != IGNORED


def test_calls_of_tools_are_learned_as_the_template_writes_them(chats: Chats) -> None:
    asked = {"role": "user", "content": "北京天气？"}
    called = {"role": "assistant", "content": "", "tool_calls": [CALL]}
    (row,) = chats.rows([asked, called], [1], [TOOL])
    assert '"arguments": {"place": "北京"}' in learned(chats, row)
    assert "weather" in chats.tokenizer.decode(row.input_ids).split("user")[0]


def test_where_the_template_knows_no_tools_they_are_told_as_when_the_model_serves(chats: Chats) -> None:
    messages = [
        {"role": "user", "content": "北京天气？"},
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "1", "content": "晴"},
        {"role": "tool", "tool_call_id": "2", "content": "12°"},
        {"role": "assistant", "content": "晴天"},
    ]
    plain, numbers = told(messages, [TOOL], [1, 4])
    assert [message["role"] for message in plain] == ["system", "user", "assistant", "user", "assistant"]
    assert [plain[number]["content"] for number in numbers] == [
        '<tool_call>{"name": "weather", "arguments": {"place": "北京"}}</tool_call>',
        "晴天",
    ]


def test_a_template_that_forgets_what_was_said_gives_a_row_for_each_answer(chats: Chats) -> None:
    chats.tokenizer.chat_template = FORGETFUL
    rows = chats.rows(CHAT, [2, 4])
    assert [learned(chats, row) for row in rows] == ["你好，今天想吃什么？<|im_end|>", "the best ones<|im_end|>"]
    assert "今天" not in chats.tokenizer.decode(rows[1].input_ids)


def test_a_model_that_was_never_taught_to_chat_gets_a_plain_template() -> None:
    tokenizer = AutoTokenizer.from_pretrained(language_model())
    tokenizer.chat_template = None
    chats = Chats(tokenizer, max_length=512)
    assert learned(chats, chats.rows(CHAT, [4])[0]) == "the best ones<|im_end|>"
    assert chats.stops() == [tokenizer.eos_token_id] and not chats.knows_tools


def test_a_conversation_that_is_too_long_loses_its_oldest_turns_whole(chats: Chats) -> None:
    chats.max_length = 60
    text = chats.tokenizer.decode(chats.prompt(CHAT[:4]))
    assert (
        text == "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nnoodles<|im_end|>\n<|im_start|>assistant\n"
    )
    (row,) = chats.rows(CHAT, [2, 4])
    assert learned(chats, row) == "the best ones<|im_end|>" and len(row.input_ids) <= 60
    assert chats.rows(CHAT, [2]) == []
    assert without_oldest_turn(CHAT[:2]) is None


def test_one_message_that_is_too_long_loses_its_beginning(chats: Chats) -> None:
    chats.max_length = 16
    prompt = chats.prompt([{"role": "user", "content": "长" * 100}])
    assert len(prompt) == 16 and chats.tokenizer.decode(prompt).endswith("<|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_at_learned_positions_is_the_loss_of_the_whole(smoothing: float) -> None:
    task = task_of("dialogue", max_length=256)
    examples = read(task, sample("dialogue_zh.jsonl", 3))
    model = task.begin(language_model(), examples)
    batch = task.collate([feature for example in examples for feature in task.features(example, learn=True)])
    found = language_models.loss(model, batch, smoothing=smoothing)
    logits = model.backbone(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    flat, wanted = logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten()
    whole = functional.cross_entropy(flat, wanted, label_smoothing=smoothing, reduction="sum")
    torch.testing.assert_close(found.total, whole, rtol=1e-5, atol=1e-3)
    assert found.tokens == int((wanted != IGNORED).sum())
    assert found.right == int((flat.argmax(-1) == wanted).sum())


def test_a_model_that_scales_its_logits_has_its_own_loss_too() -> None:
    task = task_of("dialogue", max_length=256)
    examples = read(task, sample("dialogue_en.jsonl", 2))
    model = task.begin(language_model(), examples)
    plain = model.backbone.lm_head

    class Capped(torch.nn.Module):
        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            return torch.tanh(plain(hidden))

    model.backbone.lm_head = Capped()
    model.backbone.get_output_embeddings = lambda: plain
    batch = task.collate([feature for example in examples for feature in task.features(example, learn=True)])
    labels = batch["labels"]
    logits = model.backbone(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    whole = functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")
    torch.testing.assert_close(language_models.loss(model, batch).total, whole, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("base", ["language_model", "seq2seq"])
def test_likelihoods_of_rows_add_up_to_the_loss(base: str) -> None:
    task = task_of("translation", max_length=128)
    examples = read(task, sample("translation_en_zh.tsv", 5))
    model = task.begin(base_of(base), examples).eval()
    batch = task.collate([feature for example in examples for feature in task.features(example, learn=True)])
    found = language_models.loss(model, batch)
    sums, right = language_models.log_likelihoods(model, batch)
    torch.testing.assert_close(-sums.sum(), found.total)
    assert int(right.sum()) == found.right
    assert int(language_models.learned_tokens(model, batch["labels"]).sum()) == found.tokens
    alone, _ = language_models.log_likelihoods(model, task.collate(task.features(examples[0], learn=True)))
    torch.testing.assert_close(alone[0], sums[0], rtol=1e-4, atol=1e-4)


def test_what_is_written_does_not_depend_on_the_batch_nor_on_the_models_own_settings() -> None:
    model = language_models.opened(language_model()).eval()
    model.backbone.generation_config = GenerationConfig(
        do_sample=True, temperature=3.0, repetition_penalty=5.0, bos_token_id=1, eos_token_id=2, pad_token_id=0
    )
    prompts = [[1, 40, 50, 60, 70], [1, 99]]
    common: dict[str, Any] = {"stops": [2], "pad": 0, "most": 6}
    alone = [greedy(model.backbone, *_tensors([prompt]), **common)[0] for prompt in prompts]
    assert greedy(model.backbone, *_tensors(prompts), **common) == alone
    end = alone[0][2]
    cut = greedy(model.backbone, *_tensors(prompts[:1]), stops=[2, end], pad=0, most=6)
    assert cut == [alone[0][: alone[0].index(end)]]


@pytest.mark.parametrize("merge", [True, False])
def test_a_tuned_adapter_can_be_tuned_again(tmp_path: Path, merge: bool) -> None:
    records = SMALL_TALK[:4]
    adapter = {"trainable": "lora", "n_epochs": 2, "lora": {"rank": 2, "merge": False}}
    task, model, examples, _ = tuned("dialogue", language_model(), records, tmp_path / "first", **adapter)
    task.save(model, tmp_path / "first")
    base = Base(name="tiny", path=str(language_model()))
    model_folder.write(tmp_path / "first", ModelFolder("dialogue", base, task.options, task.state))
    assert not (tmp_path / "first" / "model.safetensors").exists()
    assert answers(task, task.open(tmp_path / "first"), examples, batch_size=2) == answers(
        task, model, examples, batch_size=2
    )
    more = adapter | {"lora": {"rank": 2, "merge": merge}}
    task, model, examples, _ = tuned("dialogue", tmp_path / "first", records, tmp_path / "again", **more)
    if merge:
        adapted.merge(model)
    task.save(model, tmp_path / "again")
    assert (tmp_path / "again" / "model.safetensors").exists() == merge
    found = answers(task, task.open(tmp_path / "again"), examples, batch_size=2)
    expected = answers(task, model, examples, batch_size=2)
    assert [p[0]["likelihood"]["loss"] for p in found] == pytest.approx(
        [p[0]["likelihood"]["loss"] for p in expected], rel=1e-4
    )


def _tensors(prompts: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, prompts))
    rows = [[0] * (longest - len(prompt)) + prompt for prompt in prompts]
    masks = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(rows), torch.tensor(masks)
