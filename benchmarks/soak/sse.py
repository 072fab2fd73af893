"""Server-sent events of one response, as they arrive."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import aiohttp


class Event(NamedTuple):
    """id: the sequence within the run's log, "" where there is none."""

    id: str
    name: str
    data: str


async def events(content: aiohttp.StreamReader) -> AsyncIterator[Event]:
    """Each event once it is whole; one that breaks off is left out."""
    fields: dict[str, str] = {}
    begun = b""
    async for piece in content.iter_any():
        *lines, begun = (begun + piece).split(b"\n")
        for line in lines:
            name, _, value = line.decode().partition(": ")
            if name in ("id", "event", "data"):
                fields[name] = value
            elif not name and fields:
                yield Event(fields.get("id", ""), fields.get("event", ""), fields.get("data", ""))
                fields = {}
