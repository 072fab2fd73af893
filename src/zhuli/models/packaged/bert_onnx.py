"""A BERT encoder as an ONNX graph in eight-bit integers, from its weights. Needs onnx and numpy; does not run anything.

Word embeddings stay out of the graph: their table is most of a small model, and only the rows of the words that occur
are ever read. The graph takes those rows and gives the mean of the last layer, not normalised.

Operators of the domain com.microsoft are ONNX Runtime's own (its docs/ContribOperators.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Floats = NDArray[np.float32]

LARGEST = 63
"""Of a quantised weight. Seven bits, because AVX2's vpmaddubsw adds two products into sixteen bits, where eight overflow."""

_RUNTIME = "com.microsoft"


@dataclass(frozen=True, slots=True)
class Linear:
    """weight: inputs × outputs."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Norm:
    weight: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Layer:
    """qkv: query, key and value side by side."""

    qkv: Linear
    out: Linear
    out_norm: Norm
    up: Linear
    down: Linear
    down_norm: Norm


@dataclass(frozen=True, slots=True)
class Encoder:
    """Everything but the word embeddings. positions: with the embedding of token type 0 added."""

    positions: Floats
    norm: Norm
    layers: Sequence[Layer]
    heads: int
    epsilon: float = 1e-12


def linear(weight: Floats, bias: Floats) -> Linear:
    """From a weight as PyTorch has it, outputs × inputs."""
    return Linear(np.ascontiguousarray(weight.T), bias)


def graph(encoder: Encoder) -> bytes:
    """A model file. In: words, float32 1 × tokens × width. Out: mean, float32 1 × width."""
    drawn: bytes = _Drawing(encoder).model().SerializeToString()
    return drawn


def quantised(weight: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Whole numbers and a scale for each column: weight ≈ numbers * scales."""
    scales = np.maximum(np.abs(weight).max(axis=0) / LARGEST, np.finfo(np.float32).tiny).astype(np.float32)
    return np.rint(weight / scales).astype(np.int8), scales


class _Drawing:
    """The graph while it is drawn: each method adds an operator and says what its output is called."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._width = encoder.positions.shape[1]
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._names = 0

    def model(self) -> ModelProto:
        hidden = self._embedded()
        for layer in self._encoder.layers:
            hidden = self._layer(layer, hidden)
        self._add("ReduceMean", [hidden, self._constant(np.array([1], np.int64))], keepdims=0, to="mean")
        drawn = helper.make_graph(
            self._nodes,
            "encoder",
            [helper.make_tensor_value_info("words", TensorProto.FLOAT, [1, "tokens", self._width])],
            [helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, self._width])],
            self._constants,
        )
        versions = [helper.make_opsetid("", 20), helper.make_opsetid(_RUNTIME, 1)]
        return helper.make_model(drawn, opset_imports=versions, ir_version=10)

    def _embedded(self) -> str:
        zero = self._constant(np.array([0], np.int64))
        length = self._add("Shape", ["words"], start=1, end=2)
        positions = self._add("Slice", [self._constant(self._encoder.positions), zero, length, zero])
        norm = self._encoder.norm
        together = self._add("Add", ["words", positions])
        given = [together, self._constant(norm.weight), self._constant(norm.bias)]
        return self._add("LayerNormalization", given, axis=-1, epsilon=self._encoder.epsilon)

    def _layer(self, layer: Layer, hidden: str) -> str:
        width = self._constant(np.array([self._width] * 3, np.int64))
        parts = [self._name() for _ in range(3)]
        self._nodes.append(helper.make_node("Split", [self._linear(layer.qkv, hidden), width], parts, axis=-1))
        attended = self._add("MultiHeadAttention", parts, _RUNTIME, num_heads=self._encoder.heads)
        hidden = self._normed(self._linear(layer.out, attended), hidden, layer.out_norm)
        raised = self._add("Gelu", [self._linear(layer.up, hidden)], _RUNTIME)
        return self._normed(self._linear(layer.down, raised), hidden, layer.down_norm)

    def _linear(self, layer: Linear, hidden: str) -> str:
        """The range of `hidden` is found as it comes, for the whole tensor: one text alone must be in it."""
        numbers, scales = quantised(layer.weight)
        zeros = np.zeros(scales.shape, np.int8)
        constants = [self._constant(array) for array in (numbers, scales, zeros, layer.bias)]
        return self._add("DynamicQuantizeMatMul", [hidden, *constants], _RUNTIME)

    def _normed(self, hidden: str, skipped: str, norm: Norm) -> str:
        given = [hidden, skipped, self._constant(norm.weight), self._constant(norm.bias)]
        return self._add("SkipLayerNormalization", given, _RUNTIME, epsilon=self._encoder.epsilon)

    def _add(self, operator: str, given: list[str], domain: str = "", *, to: str = "", **attributes: Any) -> str:
        output = to or self._name()
        self._nodes.append(helper.make_node(operator, given, [output], domain=domain, **attributes))
        return output

    def _constant(self, array: NDArray[Any]) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _name(self) -> str:
        self._names += 1
        return f"h{self._names}"
