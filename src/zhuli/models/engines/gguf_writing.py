"""How the same weights lie in a GGUF file and in a Hugging Face folder: names, the order of rows, copied metadata.

For decoders whose tensors have one counterpart each, such as Llama, Qwen2, Qwen3 and Mistral. Names are the gguf package's.
Needs gguf and numpy: only those import it who make such files.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

CHAT_TEMPLATE = "tokenizer.chat_template"
_ENDS = (".weight", ".bias")


class Layout:
    """Of an architecture, as GGUF names it: "llama", "qwen2", …; ValueError for one that the gguf package does not know."""

    def __init__(self, architecture: str, *, layers: int, heads: int, kv_heads: int) -> None:
        known = {name: number for number, name in gguf.MODEL_ARCH_NAMES.items()}
        if architecture not in known:
            raise ValueError(f"GGUF has no architecture {architecture!r}.")
        self.architecture = architecture
        self._names = gguf.get_tensor_name_map(known[architecture], layers)
        self._heads = {"attn_q": heads, "attn_k": kv_heads} if architecture == "llama" else {}

    @classmethod
    def of(cls, reader: gguf.GGUFReader) -> "Layout":
        name = field(reader, "general.architecture")
        heads = field(reader, f"{name}.attention.head_count")
        kv_heads = field(reader, f"{name}.attention.head_count_kv", heads)
        return cls(name, layers=field(reader, f"{name}.block_count"), heads=heads, kv_heads=kv_heads)

    def name(self, theirs: str) -> str:
        """What GGUF calls a tensor that Hugging Face calls `theirs`, like model.layers.0.self_attn.q_proj.weight."""
        found = self._names.get_name(theirs, try_suffixes=_ENDS)
        if found is None:
            raise ValueError(f"A {self.architecture} GGUF has no place for the tensor {theirs}.")
        return str(found)

    def to_gguf(self, name: str, rows: Array) -> Array:
        """Rows of the tensor `name`, a name of GGUF's, in its order."""
        heads = self._heads_of(name)
        return halves_interleaved(rows, heads) if heads else rows

    def from_gguf(self, name: str, rows: Array) -> Array:
        heads = self._heads_of(name)
        return halves_apart(rows, heads) if heads else rows

    def _heads_of(self, name: str) -> int:
        return self._heads.get(name.split(".")[-2], 0)


def halves_interleaved(rows: Array, heads: int) -> Array:
    """Rows of each head for rotary positions on neighbours (llama.cpp's), from rows for positions on halves (Hugging Face's).

    As LlamaModel.permute in llama.cpp's convert_hf_to_gguf.py.
    """
    return rows.reshape(heads, 2, len(rows) // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def halves_apart(rows: Array, heads: int) -> Array:
    """The way back."""
    return rows.reshape(heads, len(rows) // heads // 2, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def field(reader: gguf.GGUFReader, name: str, default: Any = None) -> Any:
    """A metadata value; ValueError where there is none and no default."""
    found = reader.get_field(name)
    if found is not None:
        return found.contents()
    if default is None:
        raise ValueError(f"The GGUF file has no {name}.")
    return default


def copy_fields(reader: gguf.GGUFReader, writer: gguf.GGUFWriter, replaced: Mapping[str, Any]) -> None:
    """All metadata of a file, with other values for the keys of `replaced`; strings of it that were not there are added."""
    for entry in reader.fields.values():
        if entry.name.startswith("GGUF.") or entry.name == "general.architecture":
            continue
        kind = entry.types[0]
        items = entry.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        value = replaced[entry.name] if entry.name in replaced else entry.contents()
        writer.add_key_value(entry.name, value, kind, sub_type=items)
    for name in replaced.keys() - reader.fields.keys():
        writer.add_string(name, replaced[name])


def finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def half_floats(reader: gguf.GGUFReader) -> dict[str, Array]:
    """All tensors by GGUF's names: float32 for vectors, float16 for the rest, whatever they are stored as."""
    read: dict[str, Array] = {}
    for tensor in reader.tensors:
        shape = tuple(int(size) for size in reversed(tensor.shape))
        numbers = gguf.dequantize(tensor.data, tensor.tensor_type).reshape(shape)
        read[tensor.name] = numbers.astype(np.float32 if len(shape) == 1 else np.float16)
    return read


def opened(path: Path) -> gguf.GGUFReader:
    return gguf.GGUFReader(str(path))
