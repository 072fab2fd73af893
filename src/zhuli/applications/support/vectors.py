"""Vectors of many texts, each once, as a desk's embedder makes them: in memory, or into a file for the child."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from zhuli.models.catalog import Catalog, EmbedderEntry
from zhuli.types.applications.support import Desk

ENGLISH, EVERY_LANGUAGE = "minilm", "e5-small"
"""Packaged embedders, as understanding chooses them."""

_AT_ONCE = 128

Told = Callable[[int], Awaitable[None]]
"""Told how many texts are done."""


def embedder_of(catalog: Catalog, desk: Desk) -> EmbedderEntry:
    """The desk's embedder; NotFound where it names one that is not there."""
    if desk.embedder is not None:
        entry = catalog.resolve_embedder(desk.embedder)
        if entry is None:
            raise catalog.embedder_not_found(desk.embedder)
        return entry
    suits = ENGLISH if set(desk.languages) == {"en"} else EVERY_LANGUAGE
    return catalog.embedders.get(suits) or catalog.embedders[catalog.default_embedder]


async def write(entry: EmbedderEntry, texts: Sequence[str], path: Path, told: Told) -> None:
    """A row a text into the file, as little-endian float32; beside it, with the suffix width, how many numbers a row has."""
    width = 0
    with await asyncio.to_thread(path.open, "wb") as out:
        for start in range(0, len(texts), _AT_ONCE):
            made = await entry.embedder.embed(texts[start : start + _AT_ONCE], "query")
            width = made.dimensions
            await asyncio.to_thread(out.write, made.data)
            await told(min(start + _AT_ONCE, len(texts)))
    await asyncio.to_thread(path.with_suffix(".width").write_text, str(max(width, 1)))
