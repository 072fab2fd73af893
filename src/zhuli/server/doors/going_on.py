"""A request that goes on for long goes on only as long as its key opens: streams, downloads, uploads."""

import time
from collections.abc import Awaitable, Callable

import orjson
from starlette.types import Message, Receive, Send

from zhuli.core.errors import Forbidden, Unauthenticated, Unavailable, ZhuliError

LOOK_SECONDS = 5.0
"""How often it is asked, and not before so long has passed: most requests are never asked again."""


class KeyClosed(BaseException):
    """An answer was ended in its midst. Like a cancellation it is no failure that anything on its way may handle."""


class GoingOn:
    """`receive` and `send` for the app below.

    What is still sent to us ends with the refusal, which the client is told. What we still send ends too: a stream of events
    with the refusal as its last one, anything else with the connection.
    """

    def __init__(self, admit: Callable[[], Awaitable[object]], receive: Receive, send: Send) -> None:
        """admit: raises Unauthenticated or Forbidden as soon as the request would no longer be let in."""
        self._admit = admit
        self._receive = receive
        self._send = send
        self._look_at = time.monotonic() + LOOK_SECONDS
        self._is_stream = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and (closed := await self._closed()) is not None:
            raise closed
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._is_stream = any(
                name == b"content-type" and value.startswith(b"text/event-stream") for name, value in message["headers"]
            )
        elif message.get("more_body", False) and (closed := await self._closed()) is not None:
            if self._is_stream:
                last = b"event: error\ndata: %b\n\n" % orjson.dumps(closed.body())
                await self._send({"type": "http.response.body", "body": last, "more_body": False})
            raise KeyClosed
        await self._send(message)

    async def _closed(self) -> ZhuliError | None:
        """Why it is to end. While the database is away it goes on."""
        if time.monotonic() < self._look_at:
            return None
        self._look_at = time.monotonic() + LOOK_SECONDS
        try:
            await self._admit()
        except (Unauthenticated, Forbidden) as refused:
            return refused
        except Unavailable:
            pass
        return None
