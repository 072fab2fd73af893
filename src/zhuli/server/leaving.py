"""A client that leaves ends its work, where all that the work is for is its answer: nobody would read it.

What asks and leaves nothing behind is ended, all of it: the handler is cancelled, and with it what it waits for: the request
to a model server is closed, an engine on this machine leaves off, texts and inputs that wait for their turn lose it. What
writes goes to its end whether somebody waits or not; runs are jobs of the worker, and know nothing of clients. A request with
an Idempotency-Key goes on too: its client means to come again for the answer.
"""

import asyncio
import re
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zhuli.core.cancelling import being_cancelled
from zhuli.server.doors.scopes import writes_nothing
from zhuli.server.requests.once import HEADER

_ANSWERS = re.compile(r"/v1/(?:chat/completions|completions)/?", re.ASCII)
"""Beside what writes nothing. A chat completion may be stored: that is one transaction behind its end, done whole or not."""

_KEY = HEADER.encode()


class ClientLeft(Exception):
    """The client closed the connection before its answer was complete, and the work for it was ended."""


async def unless_client_leaves(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Call `app`; ClientLeft if the work was ended."""
    if not _ends_with_client(scope):
        await app(scope, receive, send)
        return
    asked = _Asked(receive)

    async def work() -> None:
        await app(scope, asked, send)

    working = asyncio.create_task(work())
    asked.when_left = working.cancel
    try:
        await working
    except asyncio.CancelledError:
        if asked.left and not being_cancelled():
            raise ClientLeft from None
        raise
    finally:
        await asked.stop()


def _ends_with_client(scope: Scope) -> bool:
    path = scope["path"]
    if scope["method"] != "POST" or not (writes_nothing(path) or _ANSWERS.fullmatch(path)):
        return False
    return all(name != _KEY for name, _ in scope["headers"])


class _Asked:
    """A `receive` for the app. Once the body is there it looks out for the client's leaving."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._watching: asyncio.Task[None] | None = None
        self.when_left: Callable[[], object] | None = None
        self.left = False

    async def __call__(self) -> Message:
        if self._watching is not None:
            await asyncio.shield(self._watching)
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._watching = asyncio.create_task(self._watch())
        return message

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        if self.when_left is not None:
            self.when_left()

    async def stop(self) -> None:
        """The app has ended, one way or the other."""
        if self._watching is not None and not self._watching.done():
            self._watching.cancel()
            await asyncio.wait([self._watching])
