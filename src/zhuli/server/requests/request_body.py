"""A request's body as it arrives: within a number of bytes and a time, and read to its end also where it is refused."""

import asyncio
from contextlib import suppress

from starlette.types import Message, Receive

from zhuli.core.errors import BodyTooLarge, RequestTimeout

SLOWEST = 16 * 1024
"""Bytes a second, on the whole, below which a body is given up."""

DRAINED_SECONDS = 10.0
"""How long a body is read on that nobody wants: a proxy hears the refusal only when it could send what it has."""


class RequestBody:
    """A `receive` for the app below. Raises BodyTooLarge and RequestTimeout."""

    def __init__(self, receive: Receive, limit: int, *, seconds: float) -> None:
        """limit: bytes. seconds: for which no piece may come; a body that comes slowly has as much and a second a SLOWEST."""
        self._receive = receive
        self._limit = limit
        self._seconds = seconds
        self._began: float | None = None
        self._seen = 0
        self._more = True

    async def __call__(self) -> Message:
        if not self._more:
            return await self._receive()
        message = await self._in_time()
        if message["type"] != "http.request":
            self._more = False
            return message
        self._more = message.get("more_body", False)
        self._seen += len(message.get("body", b""))
        if self._seen > self._limit:
            raise too_large(self._limit)
        return message

    async def _in_time(self) -> Message:
        loop = asyncio.get_running_loop()
        self._began = loop.time() if self._began is None else self._began
        last = self._began + self._seconds + self._seen / SLOWEST
        try:
            async with asyncio.timeout_at(min(last, loop.time() + self._seconds)):
                return await self._receive()
        except TimeoutError:
            raise RequestTimeout("The body did not arrive in time. Send it faster, or in several requests.") from None

    async def drain(self) -> None:
        """Read on what is left, up to as many bytes again as may be sent there."""
        left = self._limit
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAINED_SECONDS):
                while self._more and left > 0:
                    message = await self._receive()
                    left -= len(message.get("body", b""))
                    self._more = message["type"] == "http.request" and message.get("more_body", False)


def too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The request body is too large. At most {limit} bytes are taken here.", code="request_too_large"
    )
