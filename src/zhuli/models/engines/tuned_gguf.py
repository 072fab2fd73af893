"""Tuned language models as GGUF files for the embedded engine: whole, or an adapter beside its base.

The base's own GGUF is the template: vocabulary and settings are copied from it, weights and chat template are the tuned
model's. There is no quantising here: half floats give the answers of the model that was tuned.
"""

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors import safe_open

from zhuli.core.errors import ConfigurationError
from zhuli.models.engines.gguf_file import FILE_TYPE_F16
from zhuli.models.engines.gguf_writing import CHAT_TEMPLATE, Array, Layout, copy_fields, finish, opened

_PEFT_PREFIX = "base_model.model."


def write_merged(template: Path, model: Path, target: Path) -> None:
    """A file in half floats of the tuned weights in the Hugging Face folder `model`.

    It appears whole or not at all. ConfigurationError if the folder's model is not of the template's kind.
    """
    reader = opened(template)
    layout = Layout.of(reader)
    part = target.with_name(f".{target.name}.part")
    writer = gguf.GGUFWriter(part, layout.architecture)
    copy_fields(reader, writer, _tuned_fields(reader, model))
    shapes = {tensor.name: tuple(int(size) for size in reversed(tensor.shape)) for tensor in reader.tensors}
    for name, array in _in_place(_weights(model, "model*.safetensors"), layout, shapes):
        writer.add_tensor(name, np.ascontiguousarray(array))
    _check_none_missing(shapes, writer)
    finish(writer)
    _settle(part, target)


def write_adapter(adapter: Path, target: Path, *, heads: int, kv_heads: int, architecture: str = "llama") -> None:
    """A LoRA adapter for the engine's lora_path, from peft's folder `adapter`.

    heads, kv_heads: of the base. It appears whole or not at all. ConfigurationError for adapters that only merged weights
    can stand for: DoRA, IA3 and PiSSA.
    """
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    weights = dict(_weights(adapter, "adapter_model.safetensors"))
    layers = 1 + max(int(part) for name in weights for part in name.split(".") if part.isdigit())
    layout = Layout(architecture, layers=layers, heads=heads, kv_heads=kv_heads)
    part = target.with_name(f".{target.name}.part")
    writer = gguf.GGUFWriter(part, architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, _alpha(config))
    for name, array in weights.items():
        writer.add_tensor(*_lora_tensor(name, array.astype(np.float32), layout))
    finish(writer)
    _settle(part, target)


def chat_template(model: Path) -> str | None:
    """The one that a Hugging Face folder's tokenizer renders conversations with."""
    beside = model / "chat_template.jinja"
    if beside.exists():
        return beside.read_text(encoding="utf-8")
    config = model / "tokenizer_config.json"
    found = json.loads(config.read_text(encoding="utf-8")).get("chat_template") if config.exists() else None
    return found if isinstance(found, str) else None


def _tuned_fields(reader: gguf.GGUFReader, model: Path) -> dict[str, Any]:
    """What is another than in the template."""
    fields: dict[str, Any] = {"general.name": model.name}
    if reader.get_field("general.file_type") is not None:
        fields["general.file_type"] = FILE_TYPE_F16
    if (template := chat_template(model)) is not None:
        fields[CHAT_TEMPLATE] = template
    return fields


def _weights(folder: Path, pattern: str) -> Iterator[tuple[str, Array]]:
    """Tensors by Hugging Face's names, read when their turn comes; bfloat16 as float32, for NumPy has none."""
    for path in sorted(folder.glob(pattern)):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118
                yield name, file.get_tensor(name).float().numpy()


def _in_place(
    weights: Iterator[tuple[str, Array]], layout: Layout, shapes: dict[str, tuple[int, ...]]
) -> Iterator[tuple[str, Array]]:
    """By GGUF's names, as the template has them: vectors in float32, the rest in float16."""
    for theirs, array in weights:
        name = layout.name(theirs)
        if name == "output.weight" and name not in shapes:
            continue  # tied to the embeddings, and the template says so by having none
        if shapes.get(name) != array.shape:
            raise ConfigurationError(
                f"The tuned model's {theirs} has the shape {array.shape}, its base's GGUF file {shapes.get(name)}: "
                "the file is not of this base."
            )
        yield name, layout.to_gguf(name, array).astype(np.float32 if array.ndim == 1 else np.float16)


def _check_none_missing(shapes: dict[str, tuple[int, ...]], writer: gguf.GGUFWriter) -> None:
    written = {name for shard in writer.tensors for name in shard}
    if missing := sorted(shapes.keys() - written - {"rope_freqs.weight"}):
        raise ConfigurationError(f"The tuned model has no {missing[0]}, which its base's GGUF file has.")


def _alpha(config: dict[str, Any]) -> float:
    """What llama.cpp divides by the rank to scale an adapter."""
    variant = next((name for name in ("use_dora", "alpha_pattern", "rank_pattern") if config.get(name)), None)
    pissa = str(config.get("init_lora_weights")).startswith("pissa")
    if config.get("peft_type") != "LORA" or variant or pissa:
        raise ConfigurationError("Only plain LoRA adapters can stand beside their base in a GGUF file; merge this one.")
    alpha, rank = float(config["lora_alpha"]), int(config["r"])
    return alpha * math.sqrt(rank) if config.get("use_rslora") else alpha


def _lora_tensor(name: str, array: Array, layout: Layout) -> tuple[str, Array]:
    """base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight is blk.0.attn_q.weight.lora_b."""
    module, _, kind = name.removeprefix(_PEFT_PREFIX).removesuffix(".weight").rpartition(".")
    if kind not in ("lora_A", "lora_B"):
        raise ConfigurationError(f"The adapter's {name} has no place in a GGUF adapter; merge it.")
    place = layout.name(f"{module}.weight")
    rows = layout.to_gguf(place, array) if kind == "lora_B" else array
    return f"{place}.{kind.lower()}", np.ascontiguousarray(rows)


def _settle(part: Path, target: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
