"""An embedder whose model comes in a Python package, run on this machine's processor by ONNX Runtime.

Which model, says its recipe. It is made ready, loaded and run in a process of its own, which the first text starts; threads
here wait for its answers, a few texts each. Short requests have a line of their own, without a thread, so that a question is not
put behind documents.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from zhuli.core.errors import BackendError, ConfigurationError, Unavailable
from zhuli.core.shared import Shared
from zhuli.models.entry_settings import checked
from zhuli.models.packaged.encoder_folder import Recipe
from zhuli.types.knowledge.vectors import Purpose, Vectors

SHORT = 2_000
"""Characters in all: a request of no more is answered beside the documents, not after them; others are worked on in pieces of
about so many."""

FEW = 32
"""Texts of a short request: their vectors fit into a socket."""


class Settings(BaseModel):
    """What an entry of the models file may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_dir: str = Field(".", description="The model is made ready in models/ in here.")
    threads: int = Field(0, ge=0, le=256, description="Texts at once, each on one core; 0: one for each core.")


class PackagedEmbedder:
    """A text that is longer than the model's window is read in several windows; its vector is the mean of all tokens."""

    recipe: Recipe
    words_only = False
    """Without the encoder: means of the vectors of words."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self._name = name
        self._settings = checked(Settings, f"Embedder '{name}'", settings)
        self._encoder: Any = None
        self._ending = False
        self._loading = Shared(partial(asyncio.to_thread, self._load))
        self._threads = self._settings.threads or os.cpu_count() or 1
        self._many = ThreadPoolExecutor(self._threads, "embedding")
        self._counting = ThreadPoolExecutor(1, "embedding-counting")
        self.dimensions = self.recipe.dimensions
        self.max_tokens = self.recipe.window

    async def start(self) -> None:
        await self._loaded()

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        encoder, prefix = await self._ready(), self.recipe.prefixes[purpose]
        if len(texts) <= FEW and sum(map(len, texts)) <= SHORT:
            return Vectors(self.dimensions, await encoder.line.ask("encode", list(texts), prefix))
        encode, run = partial(encoder.encode, prefix=prefix), asyncio.get_running_loop().run_in_executor
        rows = await asyncio.gather(*(run(self._many, encode, piece) for piece in _pieces(texts)))
        return Vectors(self.dimensions, b"".join(rows))

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        count = (await self._ready()).count
        counts: list[int] = await asyncio.get_running_loop().run_in_executor(self._counting, count, list(texts))
        return counts

    async def aclose(self) -> None:
        self._ending = True
        await self._loading.stop()
        if self._encoder is not None:
            await asyncio.to_thread(self._encoder.end)
        for pool in (self._many, self._counting):
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)

    async def _ready(self) -> Any:
        try:
            return await self._loaded()
        except ConfigurationError as error:
            raise BackendError(error.message) from error

    async def _loaded(self) -> Any:
        if self._encoder is None or not self._encoder.alive:
            self._encoder = await self._loading.made()
        return self._encoder

    def _load(self) -> Any:
        # A server starts without what only its end of a child needs.
        from zhuli.models.packaged.encoder_child import Order
        from zhuli.models.packaged.encoder_process import EncoderProcess

        check_packages()
        models = Path(self._settings.data_dir, "models")
        try:
            order = Order(self.recipe, models, self.words_only)
            encoder = EncoderProcess(order, at_once=self._threads + 1)  # counting beside
        except OSError as error:
            raise ConfigurationError(
                f"The embedder '{self._name}' can't be made ready in {models}: {error}."
            ) from error
        if self._ending:
            encoder.end()
            raise Unavailable("The server is stopping.")
        return encoder


def _pieces(texts: Sequence[str]) -> Iterator[list[str]]:
    piece: list[str] = []
    size = 0
    for text in texts:
        if piece and size + len(text) > SHORT:
            yield piece
            piece, size = [], 0
        piece.append(text)
        size += len(text)
    if piece:
        yield piece


def check_packages() -> None:
    """What runs the models is installed; ConfigurationError says how to get it."""
    for package in ("numpy", "onnxruntime", "onnx", "tokenizers"):
        if find_spec(package) is None:
            raise ConfigurationError(
                f"Embedding on this machine needs the package {package}: `pip install 'zhuli[knowledge]'` gets it."
            )
