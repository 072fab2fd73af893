"""The tiny language model of zhuli.testing as a GGUF file, as an operator would name one under [bases]."""

import json
from pathlib import Path

import gguf
from safetensors.numpy import load_file

from zhuli.models.engines import tuned_gguf

_NORMAL, _CONTROL = 1, 3
"""llama.cpp's kinds of tokens."""


def write(model: Path, target: Path) -> Path:
    """`model` is a folder of tiny_language_model; the weights are written by the code that writes tuned ones."""
    template = target.with_suffix(".template")
    _write_template(model, template)
    tuned_gguf.write_merged(template, model, target)
    template.unlink()
    return target


def _write_template(model: Path, target: Path) -> None:
    """Settings, vocabulary, and tensors by their names in GGUF, whose values do not matter."""
    config = json.loads((model / "config.json").read_text())
    writer = gguf.GGUFWriter(target, "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    writer.add_rope_freq_base(config.get("rope_parameters", {}).get("rope_theta", 10_000.0))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(1)
    _add_vocabulary(writer, model, config)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    for name, array in load_file(model / "model.safetensors").items():
        known = names.get_name(name, try_suffixes=(".weight",))
        if known is not None and name != "lm_head.weight":
            writer.add_tensor(known, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_vocabulary(writer: gguf.GGUFWriter, model: Path, config: dict[str, int]) -> None:
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    control = {token["content"] for token in tokenizer["added_tokens"]}
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([_CONTROL if token in control else _NORMAL for token in tokens])
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    writer.add_add_bos_token(False)
    template = model / "chat_template.jinja"
    writer.add_chat_template(template.read_text() if template.exists() else "")
