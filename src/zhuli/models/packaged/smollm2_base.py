"""SmolLM2-135M-Instruct as a base to tune: a Hugging Face folder, made once from the GGUF file that its package brings.

The weights are those of the half-float file that the embedded engine runs, so that both give the same answers.
"""

import json
from pathlib import Path
from typing import Any

from zhuli.models.packaged import smollm2
from zhuli.models.packaged.made_once import made_once

FOLDER = "SmolLM2-135M-Instruct-hf"

_CONTROL = 3
"""tokenizer.ggml.token_type of a special token."""


def prepared(models: Path) -> Path:
    """The folder in `models`; ConfigurationError says how to get the package. Making it takes some seconds."""
    if (models / FOLDER).exists():
        return models / FOLDER
    source = gguf(models)
    return made_once(models / FOLDER, lambda folder: write(source, folder), title="SmolLM2 for tuning")


def gguf(models: Path) -> Path:
    """The file that stands for this base in the embedded engine."""
    return smollm2.unpacked(models)


def write(source: Path, folder: Path) -> None:
    """The model of the GGUF file `source`, a Llama with a vocabulary like SmolLM2's, as a Hugging Face folder."""
    from zhuli.models.engines.gguf_writing import (
        opened,  # needs gguf and numpy, as the making does and naming bases does not
    )

    reader = opened(source)
    fields = {name: entry.contents() for name, entry in reader.fields.items() if name.split(".")[0] != "GGUF"}
    (folder / "config.json").write_text(json.dumps(_config(fields), indent=1), encoding="utf-8")
    (folder / "generation_config.json").write_text(json.dumps(_special(fields), indent=1), encoding="utf-8")
    _write_weights(reader, folder)
    _write_tokenizer(fields, folder)


def _config(fields: dict[str, Any]) -> dict[str, Any]:
    """LlamaConfig's. dtype: what it is tuned in; the file has half floats, which are all the package gives."""
    llama = {name.removeprefix("llama."): value for name, value in fields.items() if name.startswith("llama.")}
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float32",
        "vocab_size": llama["vocab_size"],
        "hidden_size": llama["embedding_length"],
        "intermediate_size": llama["feed_forward_length"],
        "num_hidden_layers": llama["block_count"],
        "num_attention_heads": llama["attention.head_count"],
        "num_key_value_heads": llama["attention.head_count_kv"],
        "max_position_embeddings": llama["context_length"],
        "rms_norm_eps": llama["attention.layer_norm_rms_epsilon"],
        "rope_parameters": {"rope_type": "default", "rope_theta": llama["rope.freq_base"]},
        "tie_word_embeddings": True,
        **_special(fields),
    }


def _special(fields: dict[str, Any]) -> dict[str, int]:
    names = ("bos", "eos", "padding")
    return {f"{name[:3]}_token_id": fields[f"tokenizer.ggml.{name}_token_id"] for name in names}


def _write_weights(reader: Any, folder: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    from zhuli.models.engines.gguf_writing import Layout, half_floats

    layout = Layout.of(reader)
    weights = {
        theirs: np.ascontiguousarray(layout.from_gguf(ours, array))
        for ours, array in half_floats(reader).items()
        for theirs in [_hugging_face_name(ours)]
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _hugging_face_name(name: str) -> str:
    """Of a Llama's tensor, from GGUF's, like blk.0.attn_q.weight."""
    outside = {
        "token_embd.weight": "model.embed_tokens.weight",
        "output_norm.weight": "model.norm.weight",
        "output.weight": "lm_head.weight",
    }
    if name in outside:
        return outside[name]
    _, layer, part, end = name.split(".")
    inside = {
        "attn_norm": "input_layernorm",
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj",
        "ffn_norm": "post_attention_layernorm",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj",
    }
    return f"model.layers.{layer}.{inside[part]}.{end}"


def _write_tokenizer(fields: dict[str, Any], folder: Path) -> None:
    """Byte-level pairs with digits one by one: what llama.cpp calls "smollm"."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    kinds: list[int] = fields["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    named = {f"{name[:3]}_token": tokens[number] for name, number in _special(fields).items()}
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        chat_template=fields["tokenizer.chat_template"],
        model_max_length=fields["llama.context_length"],
        clean_up_tokenization_spaces=False,
        **named,
    ).save_pretrained(folder)
