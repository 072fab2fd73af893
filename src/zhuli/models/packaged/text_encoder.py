"""Runs a model of encoder_folder: texts to vectors, in whatever thread it is called from. Needs onnxruntime and numpy.

A text is encoded alone, never in a batch with others: then nothing is padded, and the same text has the same vector
whatever comes with it. Several threads may encode at once; one encoding uses one core.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException
from tokenizers import Tokenizer

from zhuli.core.errors import BackendError
from zhuli.models.packaged.encoder_folder import ENCODER, TOKENIZER, WORDS
from zhuli.models.packaged.q4_rows import unpacked

Floats = NDArray[np.float32]


class TextEncoder:
    """The encoder of a model's folder in memory. window: tokens of a text that it reads at once."""

    def __init__(self, folder: Path, *, window: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / ENCODER), options, providers=["CPUExecutionProvider"])
        self._words = np.load(folder / WORDS, mmap_mode="r")
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._begin, self._end = self._tokenizer.encode("").ids
        self._window = window
        self._prefixes: dict[str, list[int]] = {}

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without marks and prefixes."""
        return [len(tokens) for tokens in self._tokens(texts)]

    def encode(self, text: str, *, prefix: str) -> Floats:
        """A vector of unit length. A text that is longer than a window is read in several of about the same length,
        and its vector is the mean over all their tokens."""
        before, tokens = self._prefix(prefix), self._ids(text)
        room = self._window - len(before) - 2
        count = max(1, -(-len(tokens) // room))
        ends = [len(tokens) * number // count for number in range(count + 1)]
        windows = [[self._begin, *before, *tokens[a:b], self._end] for a, b in pairwise(ends)]
        total = np.sum([self._mean(window) * len(window) for window in windows], axis=0)
        made: Floats = total / np.linalg.norm(total)
        return made

    def _mean(self, tokens: Sequence[int]) -> Floats:
        rows = self._words[np.asarray(tokens)]
        words = unpacked(rows) if rows.dtype == np.uint8 else rows.astype(np.float32)
        try:
            mean: Floats = self._session.run(["mean"], {"words": words[np.newaxis]})[0][0]
        except (Fail, InvalidArgument, RuntimeException) as error:
            raise BackendError(f"An embedding model failed: {error}") from error
        return mean

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def _ids(self, text: str) -> list[int]:
        """Of one text, without the threads of a batch, which cost more than a message."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _prefix(self, prefix: str) -> list[int]:
        if prefix not in self._prefixes:
            self._prefixes[prefix] = self._ids(prefix)
        return self._prefixes[prefix]
