"""What understanders use of a server, without one: embedders whose vectors are kept in a file, tuned models from their folders,
and the embedded chat model. They are asked the same as in a server; only the queues and the child processes are missing."""

import asyncio
import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from zhuli.models.catalog import Catalog
from zhuli.types.knowledge.vectors import Vectors
from zhuli.types.learning.example import Prediction
from zhuli.types.models.generation import GenerationRequest
from zhuli.types.understanding.domain import Language
from zhuli.understanding.dialogue.understander_services import ENGLISH, EVERY_LANGUAGE

BATCH = 64


class KeptVectors:
    """Vectors by embedder and text, so that a text is embedded once in all runs of the benchmark."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path, timeout=60)
        self._file.execute("PRAGMA journal_mode = wal")
        self._file.execute("PRAGMA synchronous = off")  # they can be made again
        self._file.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, data BLOB) WITHOUT ROWID")

    def get(self, embedder: str, text: str) -> bytes | None:
        found = self._file.execute("SELECT data FROM vectors WHERE key = ?", (self._key(embedder, text),)).fetchone()
        return found[0] if found else None

    def put(self, embedder: str, texts: Sequence[str], rows: Sequence[bytes]) -> None:
        keys = (self._key(embedder, text) for text in texts)
        self._file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", zip(keys, rows, strict=True))
        self._file.commit()

    @staticmethod
    def _key(embedder: str, text: str) -> bytes:
        return hashlib.sha256(f"{embedder} {text}".encode()).digest()


class BenchServices:
    """Implements ports.Services. folder: for what is learned, which is never read again by another row."""

    def __init__(self, folder: Path, catalog: Catalog, kept: KeptVectors, *, language: Language, models: Path) -> None:
        self.folder = folder
        self._catalog = catalog
        self._kept = kept
        self._suits = ENGLISH if language == "en" else EVERY_LANGUAGE
        self._models = models
        self._opened: dict[str, Any] = {}

    async def embed(self, embedder: str | None, texts: Sequence[str]) -> Vectors:
        name = embedder or self._suits
        entry = self._catalog.resolve_embedder(name)
        if entry is None:
            raise self._catalog.embedder_not_found(name)
        missing = [text for text in dict.fromkeys(texts) if self._kept.get(name, text) is None]
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            made = await entry.embedder.embed(part, "query")
            width = 4 * made.dimensions
            self._kept.put(name, part, [made.data[at : at + width] for at in range(0, len(made.data), width)])
        rows = [self._kept.get(name, text) or b"" for text in texts]
        return Vectors(entry.embedder.dimensions, b"".join(rows))

    async def predict(self, model: str, inputs: Sequence[Any]) -> list[Prediction]:
        """model: a folder of benchmarks.learning.tuning's work, such as banking77-all."""
        if model not in self._opened:
            self._opened[model] = await asyncio.to_thread(_opened, self._models / model / "model")
        answers = await asyncio.to_thread(self._opened[model].answer, inputs, explain=False)
        return [answer["output"] for answer in answers]

    async def generate(self, model: str | None, request: GenerationRequest) -> str:
        entry = self._catalog.resolve(model or self._catalog.default)
        assert entry is not None
        async with aclosing(entry.backend.generate(request)) as deltas:
            return "".join([delta.text async for delta in deltas])


def _opened(folder: Path) -> Any:
    from zhuli.learning.predicting.opened import OpenedModel  # torch, which only rows of tuned models need

    return OpenedModel(folder)
