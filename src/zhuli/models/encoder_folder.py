"""An embedding model as it lies in the data folder: made once from what a package brings, then opened by whoever embeds.

Three files: the encoder (bert_onnx), the table of word embeddings, of which only the rows that are asked for are read, and
the tokenizer.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from zhuli.models.packaged_file import PackagedFile
from zhuli.types.vectors import Purpose

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
        target = self.place(models)
        if target.exists():
            return target
        contents = [file.read() for file in self.files]
        logging.getLogger(__name__).info("Setting up %s, once.", target)
        models.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=models, prefix=".setting-up-") as workshop:
            made = Path(workshop, self.folder)
            made.mkdir()
            self._write(contents, made)
            _settle(made, target)
        return target

    def _write(self, contents: Sequence[bytes], folder: Path) -> None:
        import numpy as np

        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task(f"Setting up {self.title}", total=2)
            parts = self.make(contents)
            progress.advance(task)
            (folder / TOKENIZER).write_text(parts.tokenizer, encoding="utf-8")
            (folder / ENCODER).write_bytes(parts.encoder)
            np.save(folder / WORDS, parts.words)
            for name in (TOKENIZER, ENCODER, WORDS):
                _flush(folder / name)
            progress.advance(task)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _settle(made: Path, target: Path) -> None:
    """Move it into place; if another process was faster, what that one made is the same."""
    try:
        made.rename(target)
    except OSError:
        if not target.exists():
            raise
