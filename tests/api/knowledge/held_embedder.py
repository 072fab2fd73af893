"""An embedder that embeds passages only when the file of its setting `go` is there: files of its stores are read until then."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zhuli.plugins.embedders.hashed import Plugin as Hashed
from zhuli.types.knowledge.vectors import Purpose, Vectors

_LOOK_SECONDS = 0.05


class Held(Hashed):
    """Settings: `go`, a path."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, {})
        self._go = Path(settings["go"])

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        while purpose == "passage" and any("river" in text for text in texts) and not self._go.exists():
            await asyncio.sleep(_LOOK_SECONDS)
        return await super().embed(texts, purpose)
