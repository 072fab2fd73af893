"""Files of a folder: JSON Lines with items, or texts that are an item each; looked at again every few seconds.

A text's id is its name, its time that of its last change. A file is read once it has not changed for a second.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from zhuli.types.applications.feed import FeedFault, item_of

_STILL_SECONDS = 1.0


class Plugin:
    """Implements ports.Feed. place: a folder. settings: seconds between looks (5), 0 to look once; source of texts."""

    def __init__(self, place: str, settings: dict[str, Any]) -> None:
        self._folder = Path(place)
        self._seconds = float(settings.get("seconds", 5))
        self._source = str(settings.get("source", self._folder.name or "directory"))
        self._read: dict[Path, float] = {}

    async def items(self) -> AsyncGenerator[dict[str, Any] | FeedFault, None]:
        while True:
            for path in await asyncio.to_thread(self._changed):
                async for item in self._of(path):
                    yield item
            if not self._seconds:
                return
            await asyncio.sleep(self._seconds)

    def _changed(self) -> list[Path]:
        found = [path for path in sorted(self._folder.iterdir()) if path.is_file() and path.name[0] != "."]
        times = {path: path.stat().st_mtime for path in found}
        still = 0.0 if not self._seconds else _STILL_SECONDS
        new = [path for path in found if times[path] != self._read.get(path) and time.time() - times[path] >= still]
        self._read |= {path: times[path] for path in new}
        return new

    async def _of(self, path: Path) -> AsyncGenerator[dict[str, Any] | FeedFault, None]:
        if path.suffix == ".jsonl":
            lines = await asyncio.to_thread(path.read_bytes)
            for number, line in enumerate(lines.splitlines(), 1):
                if line.strip():
                    yield item_of(f"{path}:{number}", line)
            return
        try:
            text = await asyncio.to_thread(path.read_text, encoding="utf-8")
        except UnicodeDecodeError:
            yield FeedFault(str(path), "not a text in UTF-8")
            return
        yield {"id": path.name, "text": text, "published_at": self._read[path], "source": self._source}

    async def taken(self) -> None:
        """Nothing: what is pushed again is there already."""
