"""Tuned language models as GGUF files: the weights are where llama.cpp looks for them, and the engine says the same."""

import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.harness.later import later
from zhuli.core.errors import ConfigurationError
from zhuli.learning.neural import adapted
from zhuli.models.packaged import smollm2_base
from zhuli.plugins.backends.embedded import Plugin
from zhuli.testing.backend_contract import collect
from zhuli.types.models.generation import GenerationRequest

with later:
    import torch
    from safetensors.numpy import load_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tests.learning.tiny_gguf import template_of
    from tests.learning.writing_models import SMALL_TALK, language_model, tuned
    from zhuli.learning.neural.language_models import language_model as language_models
    from zhuli.learning.training.tuned import answers
    from zhuli.models.engines import tuned_gguf
    from zhuli.models.engines.gguf_writing import Layout, field, half_floats, halves_apart, halves_interleaved, opened

pytestmark = pytest.mark.usefixtures("precision")

needs_engine = pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="xllamacpp is not installed")


@pytest.fixture(scope="module")
def learned(precision: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A tiny model with an adapter that is kept, its answers, its folder, and the same merged."""
    folder = tmp_path_factory.mktemp("tuned")
    lora: dict[str, Any] = {"trainable": "lora", "n_epochs": 40, "learning_rate": 2e-2, "max_length": 64}
    lora["lora"] = {"rank": 4, "alpha": 16, "variant": "rslora", "target_modules": "all-linear", "merge": False}
    task, model, examples, _ = tuned("dialogue", language_model(), SMALL_TALK, folder, **lora)
    task.save(model, folder / "adapter")
    said = answers(task, model, examples, batch_size=4)
    adapted.merge(model)
    task.save(model, folder / "merged")
    template = template_of(language_model(), folder / "template.gguf")
    asked = [
        (example.input["messages"], prediction[0]["generated_text"])
        for example, prediction in zip(examples, said, strict=True)
    ]
    return {"folder": folder, "template": template, "asked": asked, "most": task.state["max_new_tokens"]}


def test_rows_are_interleaved_as_rotary_positions_want_them() -> None:
    """llama.cpp turns neighbours, Hugging Face the halves of a head: 0 1 2 3 of the one is 0 2 1 3 of the other."""
    rows = np.arange(8)
    assert halves_interleaved(rows, 2).tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert halves_apart(halves_interleaved(rows, 2), 2).tolist() == rows.tolist()


def test_a_whole_file_has_the_tuned_weights_and_the_template_that_they_were_tuned_with(learned: dict[str, Any]) -> None:
    target = learned["folder"] / "model.gguf"
    tuned_gguf.write_merged(learned["template"], learned["folder"] / "merged", target)
    reader = opened(target)
    layout, written = Layout.of(reader), half_floats(reader)
    weights = load_file(learned["folder"] / "merged" / "model.safetensors")
    for name, array in weights.items():
        place = layout.name(name)
        found = layout.from_gguf(place, written.pop(place)).astype(np.float32)
        np.testing.assert_allclose(found, array, rtol=1e-3, atol=1e-4)
    assert not written
    assert "<|im_start|>" in field(reader, "tokenizer.chat_template")
    assert field(reader, "general.file_type") == 1 and field(reader, "tokenizer.ggml.eos_token_id") == 2
    assert [path.name for path in learned["folder"].glob(".*.part")] == []


def test_transformers_reads_the_file_as_the_model_that_was_tuned(learned: dict[str, Any]) -> None:
    """Its own reader of GGUF files puts the rows back in its own way."""
    target = learned["folder"] / "read-back.gguf"
    tuned_gguf.write_merged(learned["template"], learned["folder"] / "merged", target)
    read = AutoModelForCausalLM.from_pretrained(target.parent, gguf_file=target.name, dtype=torch.float32)
    model = language_models.opened(learned["folder"] / "merged")
    ids = torch.tensor([[1, 40, 50, 60, 70]])
    with torch.no_grad():
        torch.testing.assert_close(read.eval()(ids).logits, model.eval().backbone(ids).logits, rtol=1e-2, atol=2e-2)


@needs_engine
@pytest.mark.embedded
@pytest.mark.parametrize("kept", ["merged", "adapter"])
async def test_the_embedded_engine_says_what_transformers_says(learned: dict[str, Any], kept: str) -> None:
    whole, adapter = learned["folder"] / f"{kept}-whole.gguf", learned["folder"] / "adapter.gguf"
    settings: dict[str, Any] = {"path": str(whole)}
    if kept == "merged":
        tuned_gguf.write_merged(learned["template"], learned["folder"] / "merged", whole)
    else:
        tuned_gguf.write_merged(learned["template"], language_model(), whole)
        tuned_gguf.write_adapter(learned["folder"] / "adapter", adapter, heads=4, kv_heads=2)
        settings["lora_path"] = str(adapter)
    async with engine(settings) as backend:
        said = []
        for messages, _ in learned["asked"]:
            request = GenerationRequest(messages=messages, temperature=0.0, max_tokens=learned["most"])
            said.append("".join([delta.text for delta in await collect(backend, request)]).strip())
    same = [text == known for text, (_, known) in zip(said, learned["asked"], strict=True)]
    assert sum(same) >= len(same) - 1, list(zip(said, learned["asked"], strict=True))


@asynccontextmanager
async def engine(settings: dict[str, Any]) -> AsyncIterator[Plugin]:
    backend = Plugin("tuned", settings | {"context_window": 512, "slots": 1, "threads": 1})
    try:
        yield backend
    finally:
        await backend.aclose()


def test_a_base_made_of_a_file_is_the_model_that_is_in_it(learned: dict[str, Any], tmp_path: Path) -> None:
    tuned_gguf.write_merged(learned["template"], learned["folder"] / "merged", tmp_path / "model.gguf")
    (tmp_path / "base").mkdir()
    smollm2_base.write(tmp_path / "model.gguf", tmp_path / "base")
    ids = torch.tensor([[1, 40, 50, 60, 70]])
    with torch.no_grad():
        first, second = (
            language_models.opened(folder).eval().backbone(ids).logits
            for folder in (learned["folder"] / "merged", tmp_path / "base")
        )
    torch.testing.assert_close(second, first, rtol=1e-2, atol=2e-2)
    theirs, ours = (AutoTokenizer.from_pretrained(folder) for folder in (language_model(), tmp_path / "base"))
    text = ours.apply_chat_template(SMALL_TALK[3]["messages"], tokenize=False)
    assert ours(text)["input_ids"] == theirs(text)["input_ids"]
    assert ours.eos_token == "<|im_end|>" and ours("12")["input_ids"] == [
        *ours("1")["input_ids"],
        *ours("2")["input_ids"],
    ]


def test_a_template_of_another_base_is_refused(learned: dict[str, Any], tmp_path: Path) -> None:
    target = tmp_path / "model.gguf"
    other = tmp_path / "other"
    model = language_models.opened(learned["folder"] / "merged")
    model.backbone.resize_token_embeddings(300)
    language_models.save(model, other)
    with pytest.raises(ConfigurationError, match="the file is not of this base"):
        tuned_gguf.write_merged(learned["template"], other, target)
    assert not target.exists()


def test_an_adapter_that_the_engine_cannot_apply_is_refused(tmp_path: Path) -> None:
    how = {"trainable": "lora", "n_epochs": 1, "lora": {"rank": 2, "variant": "dora", "merge": False}}
    task, model, _, _ = tuned("dialogue", language_model(), SMALL_TALK[:2], tmp_path, **how)
    task.save(model, tmp_path / "dora")
    with pytest.raises(ConfigurationError, match="merge this one"):
        tuned_gguf.write_adapter(tmp_path / "dora", tmp_path / "adapter.gguf", heads=4, kv_heads=2)
    assert not (tmp_path / "adapter.gguf").exists()
