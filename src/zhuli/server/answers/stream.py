"""Server-sent events on the wire."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing, suppress

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from zhuli.core.errors import ZhuliError
from zhuli.types.assistants.event import RunEvent

DONE = b"event: done\ndata: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n"
"""Without a blank line, which would end an event: the Python SDK takes an empty one with an earlier event's id for JSON."""


def encode(events: Iterable[RunEvent]) -> bytes:
    """Events as text/event-stream."""
    return b"".join(
        b"event: %b\nid: %d\ndata: %b\n\n" % (event.name.encode(), event.sequence, event.data) for event in events
    )


class EventStream(Response):
    """A response that sends pieces as they come, and stops when the client has gone.

    Starlette's own streaming response makes a task group for each; this one is on the path of every run.
    """

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        self._pieces = pieces
        self.status_code = 200
        self.background = None
        self.init_headers({"cache-control": "no-cache", "x-accel-buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        gone = asyncio.create_task(_gone(receive))
        try:
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    if gone.done():
                        return
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone


async def _gone(receive: Receive) -> None:
    """Return when the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def run_events(following: AsyncIterable[list[RunEvent]], *, first: bytes = b"") -> AsyncGenerator[bytes, None]:
    """A run's events as the API streams them, with [DONE] at the end."""
    if first:
        yield first
    try:
        async for events in following:
            yield encode(events) if events else KEEP_ALIVE
    except ZhuliError as error:
        yield error_event(error)
    yield DONE


def error_event(error: ZhuliError) -> bytes:
    """An error inside a stream, in the shape that SDKs raise."""
    return b"event: error\ndata: %b\n\n" % orjson.dumps(error.body())
