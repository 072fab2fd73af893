"""Items of a JSON Lines file: a replay. A line that is no item is told with its number, and the rest goes on."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from zhuli.types.applications.feed import FeedFault, item_of


class Plugin:
    """Implements ports.Feed. place: a file. It ends with the file."""

    def __init__(self, place: str, settings: dict[str, Any]) -> None:
        self._path = Path(place)

    async def items(self) -> AsyncGenerator[dict[str, Any] | FeedFault, None]:
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield item_of(f"{self._path}:{number}", line)

    async def taken(self) -> None:
        """Nothing: a replay that begins anew pushes what is there already."""
