"""RSS and Atom, by feedparser: fetched every few minutes, only where the server says that something has changed."""

import asyncio
import calendar
import re
import time
from collections.abc import AsyncGenerator
from hashlib import sha256
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp

from zhuli.types.applications.feed import FeedFault

_LARGEST = 16 * 1024 * 1024
_SECONDS = 30.0


class Plugin:
    """Implements ports.Feed. place: an address, or a file. settings: seconds between fetches (300), 0 to fetch once; source."""

    def __init__(self, place: str, settings: dict[str, Any]) -> None:
        self._place = place
        self._seconds = float(settings.get("seconds", 300))
        self._source = settings.get("source")
        self._unless: dict[str, str] = {}

    async def items(self) -> AsyncGenerator[dict[str, Any] | FeedFault, None]:
        while True:
            try:
                content = await self._fetched()
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                yield FeedFault(self._place, f"can't be fetched ({type(error).__name__}: {error})")
            else:
                for item in [] if content is None else await asyncio.to_thread(self._parsed, content):
                    yield item
            if not self._seconds:
                return
            await asyncio.sleep(self._seconds)

    async def _fetched(self) -> bytes | None:
        """None where nothing has changed."""
        if "://" not in self._place:
            return await asyncio.to_thread(Path(self._place).read_bytes)
        limit = aiohttp.ClientTimeout(total=_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=limit, headers={"user-agent": "zhuli"}) as session,
            session.get(self._place, headers=self._unless) as answer,
        ):
            if answer.status == 304:
                return None
            answer.raise_for_status()
            names = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
            self._unless = {to: answer.headers[name] for name, to in names.items() if name in answer.headers}
            content = await answer.content.read(_LARGEST)
            while len(content) < _LARGEST and (more := await answer.content.read(_LARGEST - len(content))):
                content += more
            return content

    def _parsed(self, content: bytes) -> list[dict[str, Any] | FeedFault]:
        import feedparser

        parsed = feedparser.parse(BytesIO(content))
        if parsed.bozo and not parsed.entries:
            return [FeedFault(self._place, f"neither RSS nor Atom: {parsed.bozo_exception}")]
        source = str(self._source or parsed.feed.get("title") or self._place)[:128]
        return [_item(entry, source) for entry in parsed.entries]


def _item(entry: Any, source: str) -> dict[str, Any] | FeedFault:
    title, text = entry.get("title", "").strip(), _plain(entry.get("summary", "")) or entry.get("title", "").strip()
    if not text:
        return FeedFault(str(entry.get("link", source)), "an entry without title and text")
    id_ = entry.get("id") or entry.get("link") or sha256(f"{title}\n{text}".encode()).hexdigest()
    when = entry.get("published_parsed") or entry.get("updated_parsed")
    item = {
        "id": id_[:256],
        "text": text,
        "published_at": float(calendar.timegm(when)) if when else time.time(),
        "source": source,
    }
    more = {"title": title[:2_000] if title != text else "", "url": entry.get("link", "")[:2_048]}
    return {**item, **{name: value for name, value in more.items() if value}}


def _plain(html: str) -> str:
    """Without marks; feedparser has taken out what could do harm."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
