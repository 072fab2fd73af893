"""`zhuli opinion …`: monitors through a server. A feed is followed by a process of its own, which pushes what it brings.

The server has each item once, by its id, so a process that was ended goes on by beginning anew.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from zhuli import registry
from zhuli.core.errors import BackendError, ConfigurationError, Unavailable
from zhuli.operating.asking.api_client import ApiClient, api_client
from zhuli.ports import Feed
from zhuli.types.applications.feed import FeedFault

AT_ONCE = 200
WAIT_SECONDS = 2.0
"""How long what a feed has brought waits for more."""

_AGAIN_SECONDS = (1.0, 5.0, 15.0, 60.0)


@dataclass
class Told:
    """What a feed came to."""

    added: int = 0
    corrected: int = 0
    unchanged: int = 0
    faults: list[str] = field(default_factory=list)


async def create(base_url: str, api_key: str | None, path: Path) -> str:
    """A monitor as a JSON file describes it; its id."""
    if not await asyncio.to_thread(path.is_file):
        raise ConfigurationError(f"There is no file {path}.")
    try:
        body = json.loads(await asyncio.to_thread(path.read_text))
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}.") from error
    async with api_client(base_url, api_key) as api:
        return str((await api.call("POST", "/opinion_monitors", body))["id"])


async def follow(base_url: str, api_key: str | None, monitor: str, feed: Feed, console: Console) -> Told:
    """Push what the feed brings until it ends; faults are told with their places, and the rest goes on."""
    told = Told()
    async with api_client(base_url, api_key) as api, aclosing(_batches(feed, told, console)) as batches:
        with console.status("Reading the feed") as status:
            async for batch in batches:
                await _push(api, f"/opinion_monitors/{monitor}", batch, told, console)
                await feed.taken()
                status.update(f"{told.added} new, {told.corrected} corrected, {told.unchanged} known")
    return told


async def _batches(feed: Feed, told: Told, console: Console) -> AsyncGenerator[list[dict[str, Any]], None]:
    """Items a few at a time; what waits longer than WAIT_SECONDS goes alone."""
    queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(AT_ONCE)

    async def read() -> None:
        try:
            async for item in feed.items():
                if isinstance(item, FeedFault):
                    told.faults.append(f"{item.place}: {item.why}")
                    console.print(f"[yellow]{item.place}: {item.why}")
                else:
                    await queue.put(item)
        finally:
            await queue.put(None)

    reading = asyncio.create_task(read())
    try:
        batch: list[dict[str, Any]] = []
        ended = False
        while not ended:
            try:
                item = await asyncio.wait_for(queue.get(), WAIT_SECONDS if batch else None)
            except TimeoutError:
                item = {}
            ended = item is None
            batch += [item] if item else []
            if batch and (not item or len(batch) >= AT_ONCE):
                yield batch
                batch = []
        await reading
    finally:
        reading.cancel()


async def _push(api: ApiClient, monitor: str, batch: list[dict[str, Any]], told: Told, console: Console) -> None:
    """All at once; where one is refused, each alone, so that the others go on. monitor: its path."""
    try:
        _count(told, await _patiently(api, monitor, batch, console))
    except BackendError as error:
        await api.call("GET", monitor)  # that the monitor is not there is nobody's fault but the command's
        if len(batch) == 1:
            told.faults.append(f"{batch[0].get('id', '?')}: {error}")
            console.print(f"[yellow]{batch[0].get('id', '?')}: {error}")
            return
        for item in batch:
            await _push(api, monitor, [item], told, console)


async def _patiently(api: ApiClient, monitor: str, batch: list[dict[str, Any]], console: Console) -> Any:
    for seconds in _AGAIN_SECONDS:
        try:
            return await api.call("POST", f"{monitor}/items", {"data": batch})
        except Unavailable as error:
            console.print(f"[yellow]{error} Again in {seconds:g} s.")
            await asyncio.sleep(seconds)
    return await api.call("POST", f"{monitor}/items", {"data": batch})


def _count(told: Told, answer: Any) -> None:
    for each in answer["data"]:
        setattr(told, each["state"], getattr(told, each["state"]) + 1)


def feed_of(kind: str, place: str, settings: list[str]) -> Feed:
    """The plugin for a feed. settings: NAME=VALUE."""
    given = dict(each.partition("=")[::2] for each in settings)
    made: Feed = registry.find("feeds", kind)(place, given)
    return made
