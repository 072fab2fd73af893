"""`zhuli end-users`: all of one person, deleted or exported by a server."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from zhuli.operating.asking.api_client import api_client

_LOOK_SECONDS = 0.5


async def delete(base_url: str, api_key: str | None, user: str) -> dict[str, Any]:
    """The record, when nothing is left, or when a fine-tuning job must end first."""
    async with api_client(base_url, api_key) as api:
        begun = await api.call("DELETE", f"/end_users/{quote(user, safe='')}")
        while True:
            record = dict(await api.call("GET", f"/end_user_deletions/{begun['deletion']}"))
            if record["status"] == "completed" or record.get("waits_for"):
                return record
            await asyncio.sleep(_LOOK_SECONDS)


async def export(base_url: str, api_key: str | None, user: str, to: Path | None) -> AsyncGenerator[bytes, None]:
    """JSON Lines in pieces; what goes into a file `to` is not given. BackendError for somebody unknown."""
    async with api_client(base_url, api_key) as api:
        pieces = api.stream(f"/end_users/{quote(user, safe='')}/export")
        if to is None:
            async for piece in pieces:
                yield piece
            return
        first = await anext(pieces)
        with await asyncio.to_thread(to.open, "wb") as out:
            out.write(first)
            async for piece in pieces:
                out.write(piece)


def told(record: dict[str, Any]) -> str:
    """What a deletion came to, in lines."""
    went = ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in sorted(record["counts"].items()))
    lines = [f"Deleted: {went or 'nothing more'}."]
    if record.get("waits_for"):
        lines = [f"Fine-tuning jobs read examples of this user and must end first: {', '.join(record['waits_for'])}."]
    if record["models"]:
        lines.append(f"Models that learned from this user, and can't forget: {', '.join(record['models'])}.")
    lines.append(f"The record is {record['id']}.")
    return "\n".join(lines)
