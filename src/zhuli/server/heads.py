"""HEAD on every path that has GET: the same status and headers, and no body.

The handler is stopped when its headers are there, so that a stream is not followed and a large file is not read.
"""

from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Heads:
    """Wraps the app; below it there is no HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}

        async def send_head(message: Message) -> None:
            scope["route"] = asked.get("route")  # the edge counts requests by it
            await send(message)
            await send({"type": "http.response.body", "body": b""})
            raise _Answered

        with suppress(_Answered):
            await self._app(asked, receive, send_head)


class _Answered(BaseException):
    """Stops the handler. Like a cancellation it is no failure, so nothing on its way may handle it as one."""
