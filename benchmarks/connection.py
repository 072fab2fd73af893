"""One HTTP/1.1 connection that costs the client little, so that the client is not what is measured.

It knows keep-alive, content-length and chunked bodies on 127.0.0.1, and the moment at which a piece of text first
arrived. It knows no TLS, redirects, retries or pipelining. An unexpected end is an error, never hidden.
"""

import asyncio
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import httptools
import orjson


@dataclass(slots=True)
class Answer:
    """What came back. Moments are perf_counter() seconds; `marked` is when the mark asked for first was in the body."""

    began: float
    status: int = 0
    body: bytearray = field(default_factory=bytearray)
    marked: float | None = None
    ended: float = 0.0

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Connection(asyncio.Protocol):
    """Open with `await Connection.open(port)`; send() one request at a time."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answered: asyncio.Future[Answer] | None = None
        self._mark = b""

    @classmethod
    async def open(cls, port: int) -> "Connection":
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return connection

    async def send(
        self, method: str, path: str, body: Any = None, *, mark: bytes = b"", may_fail: bool = False
    ) -> Answer:
        """The whole answer, once its body has ended. Raises RuntimeError unless its status is 200, or it may fail."""
        data = b"" if body is None else orjson.dumps(body)
        self._mark = mark
        self._answered = asyncio.get_running_loop().create_future()
        self._answer = Answer(began=perf_counter())
        self._transport.write(
            b"%s %s HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer benchmark\r\nopenai-beta: assistants=v2\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            % (method.encode(), path.encode(), len(data), data)
        )
        answer = await self._answered
        if answer.status != 200 and not may_fail:
            raise RuntimeError(
                f"{method} {path} answered {answer.status}: {answer.body[:500].decode(errors='replace')}"
            )
        return answer

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        answer = self._answer
        answer.body += body
        if self._mark and answer.marked is None and self._mark in answer.body:
            answer.marked = perf_counter()

    def on_message_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()
        self._answer.ended = perf_counter()
        if self._answered and not self._answered.done():
            self._answered.set_result(self._answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered and not self._answered.done():
            self._answered.set_exception(
                ConnectionError(f"The server closed the connection before its answer ended: {exc}")
            )
