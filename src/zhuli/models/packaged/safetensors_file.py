"""A safetensors file of float32 tensors: the length of a JSON directory, the directory, the numbers. Read as a whole."""

import json
import struct

import numpy as np

from zhuli.models.packaged.bert_onnx import Encoder, Floats, Layer, Linear, Norm, linear


class SafetensorsFile:
    """Tensors by name, as views of the content."""

    def __init__(self, content: bytes) -> None:
        (length,) = struct.unpack_from("<Q", content)
        self._content = content
        self._start = 8 + length
        self._directory = json.loads(content[8 : self._start])

    def tensor(self, name: str) -> Floats:
        entry = self._directory[name]
        if entry["dtype"] != "F32":
            raise ValueError(f"{name} is {entry['dtype']}, not F32")
        begin, end = entry["data_offsets"]
        numbers = np.frombuffer(self._content, "<f4", (end - begin) // 4, self._start + begin)
        made: Floats = numbers.reshape(entry["shape"])
        return made


def bert_encoder(file: SafetensorsFile, *, layers: int, heads: int) -> Encoder:
    """The encoder of a BertModel as Hugging Face names its tensors."""
    kind = file.tensor("embeddings.token_type_embeddings.weight")[0]
    positions = file.tensor("embeddings.position_embeddings.weight") + kind
    norm = _norm(file, "embeddings.LayerNorm")
    return Encoder(positions, norm, [_layer(file, f"encoder.layer.{number}.") for number in range(layers)], heads)


def _layer(file: SafetensorsFile, at: str) -> Layer:
    parts = [_linear(file, f"{at}attention.self.{part}") for part in ("query", "key", "value")]
    weights, biases = [part.weight for part in parts], [part.bias for part in parts]
    return Layer(
        qkv=Linear(np.concatenate(weights, axis=1), np.concatenate(biases)),
        out=_linear(file, f"{at}attention.output.dense"),
        out_norm=_norm(file, f"{at}attention.output.LayerNorm"),
        up=_linear(file, f"{at}intermediate.dense"),
        down=_linear(file, f"{at}output.dense"),
        down_norm=_norm(file, f"{at}output.LayerNorm"),
    )


def _linear(file: SafetensorsFile, name: str) -> Linear:
    return linear(file.tensor(f"{name}.weight"), file.tensor(f"{name}.bias"))


def _norm(file: SafetensorsFile, name: str) -> Norm:
    return Norm(file.tensor(f"{name}.weight"), file.tensor(f"{name}.bias"))
