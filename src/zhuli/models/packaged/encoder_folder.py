"""An embedding model as it lies in the data folder: made once from what a package brings, then opened by whoever embeds.

Three files: the encoder (bert_onnx), the table of word embeddings, of which only the rows that are asked for are read, and
the tokenizer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhuli.models.packaged.made_once import made_once
from zhuli.models.packaged.packaged_file import PackagedFile
from zhuli.types.knowledge.vectors import Purpose

ENCODER = "encoder.onnx"
WORDS = "words.npy"
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a model is made of. words: half floats, or rows of q4_rows. tokenizer: as the library writes it."""

    words: Any
    encoder: bytes
    tokenizer: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """A model and how it is made: `make` gets the bytes of `files`, in this order.

    folder: a name that changes whenever what `make` gives does. window: tokens that the model reads at once, its marks
    and the prefix included. prefixes: what the model expects before a text.
    """

    title: str
    folder: str
    files: Sequence[PackagedFile]
    make: Callable[[Sequence[bytes]], Parts]
    dimensions: int
    window: int
    prefixes: dict[Purpose, str]

    def place(self, models: Path) -> Path:
        return models / self.folder

    def prepared(self, models: Path) -> Path:
        """The model's folder in `models`; made if it is missing, which takes some seconds.

        It appears whole or not at all: a process that dies meanwhile, or two that do it at once, leave nothing half done.
        """
        return made_once(self.place(models), self._write, title=self.title)

    def _write(self, folder: Path) -> None:
        import numpy as np

        parts = self.make([file.read() for file in self.files])
        (folder / TOKENIZER).write_text(parts.tokenizer, encoding="utf-8")
        (folder / ENCODER).write_bytes(parts.encoder)
        np.save(folder / WORDS, parts.words)
