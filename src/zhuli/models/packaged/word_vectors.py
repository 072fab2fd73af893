"""Texts as weighted means of word vectors: the table of a model of encoder_folder without its encoder. Needs numpy.

Frequent words weigh less, a / (a + p) with the tokenizer's own probabilities p (SIF, Arora et al. 2017, with its a), and
what all words have in common is taken off each. Order and context of words count for nothing.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from zhuli.models.packaged.encoder_folder import TOKENIZER, WORDS
from zhuli.models.packaged.q4_rows import unpacked

Floats = NDArray[np.float32]

SMOOTHING = 1e-4
SAMPLE = 30_000
"""Words from which the common part is taken: their mean no longer moves with more."""


class WordVectors:
    """For tokenizers of SentencePiece's unigram kind: the score of a piece is the logarithm of its probability."""

    def __init__(self, folder: Path) -> None:
        content = (folder / TOKENIZER).read_text(encoding="utf-8")
        self._tokenizer = Tokenizer.from_str(content)
        scores = np.array([score for _, score in json.loads(content)["model"]["vocab"]])
        self._weights = (SMOOTHING / (SMOOTHING + np.exp(scores))).astype(np.float32)
        self._words = np.load(folder / WORDS, mmap_mode="r")
        step = max(1, len(scores) // SAMPLE)
        self._common = unpacked(np.asarray(self._words[: len(scores) : step])).mean(axis=0)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [len(encoding.ids) for encoding in encodings]

    def encode(self, text: str, *, prefix: str) -> Floats:
        """A vector of unit length; a text without words gets the common part. Prefixes mean nothing here."""
        tokens = np.asarray(self._tokenizer.encode(text, add_special_tokens=False).ids, dtype=np.int64)
        total = self._common
        if len(tokens):
            rows = unpacked(np.asarray(self._words[tokens])) - self._common
            lengths = np.maximum(np.linalg.norm(rows, axis=1), np.finfo(np.float32).tiny)
            total = (self._weights[tokens] / lengths) @ rows
        made: Floats = (total / np.linalg.norm(total)).astype(np.float32)
        return made
