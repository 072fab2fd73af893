"""An embedder that a test holds, lets fail, and asks what it was given; it embeds like `hashed`, which has no model.

embedder = controlled(app.app)
embedder.hold()
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from zhuli.app import App
from zhuli.core.errors import BackendError
from zhuli.plugins.embedders.hashed import Plugin as Hashed
from zhuli.types.knowledge.vectors import Purpose, Vectors

NAME = "controlled"


class ControlledEmbedder(Hashed):
    """texts: every passage that was embedded, in order; calls: how many calls there were."""

    def __init__(self) -> None:
        super().__init__(NAME, {"dimensions": 64})
        self.texts: list[str] = []
        self.calls = 0
        self.waiting = asyncio.Event()
        self._failures: list[BackendError] = []
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        """Keep calls from returning, until release()."""
        self._open.clear()
        self.waiting.clear()

    def release(self) -> None:
        self._open.set()

    def fail(self, *errors: BackendError) -> None:
        """The next calls raise these."""
        self._failures += errors

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        self.calls += 1
        self.waiting.set()
        await self._open.wait()
        if self._failures:
            raise self._failures.pop(0)
        if purpose == "passage":
            self.texts += texts
        return await super().embed(texts, purpose)


class ControlledEntry:
    """An entry of the catalog with such an embedder."""

    name = NAME
    is_made = True

    def __init__(self) -> None:
        self.embedder = ControlledEmbedder()


def controlled(app: App) -> ControlledEmbedder:
    """Put one into the app's catalog, under the name "controlled"."""
    entry: Any = ControlledEntry()
    app.catalog.embedders[NAME] = entry
    embedder: ControlledEmbedder = entry.embedder
    return embedder
