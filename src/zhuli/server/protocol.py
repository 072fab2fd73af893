"""HTTP on a connection, by uvicorn, with limits on what is no request yet, or none any more: it may be neither long nor slow."""

import asyncio
from typing import ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from zhuli.core.errors import HeadersTooLarge, InvalidRequest, RequestTimeout, ZhuliError

MOST_HEADER_BYTES = 64 * 1024
"""The request line with them. nginx takes 32 KiB, and nobody's SDK sends 4."""


class LimitedProtocol(HttpToolsProtocol):
    """What comes beside a body, trailers and the extensions of chunks, may be as much as headers may.

    What is still sent behind an answer has as long to end as headers have.
    """

    header_seconds: ClassVar[float]
    """From the connection, or a request's first byte, to its headers' end."""

    _bytes_beside = 0
    _has_come = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_headers()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_headers()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._deadline is not None:  # else it is a trailer, and what it could say has been decided
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._have_headers()
        self._has_come = True
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MOST_HEADER_BYTES:
            self._refuse_headers()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._has_come = True
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.transport.is_closing():
            return
        super().on_message_complete()
        if self._has_answered():
            self._have_headers()
            self._rest()

    def data_received(self, data: bytes) -> None:
        self._has_come = False
        super().data_received(data)
        self._bytes_beside = 0 if self._has_come else self._bytes_beside + len(data)
        if self._bytes_beside > MOST_HEADER_BYTES:
            self._refuse_headers()
        elif self._has_answered() and self.timeout_keep_alive_task is None:
            self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_headers()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What uvicorn says of bytes that are no HTTP; in the API's shape."""
        self._refuse(InvalidRequest("This is no HTTP request: its first line, a header or a length can't be read."))

    def _unsupported_upgrade_warning(self) -> None:
        """Java's HttpClient offers h2c with each request. Nobody must be told."""

    def _has_answered(self) -> bool:
        return self.cycle is not None and self.cycle.response_complete

    def _rest(self) -> None:
        """Wait for another request as long as uvicorn does, which does not where a body ended behind its answer."""
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _expect_headers(self) -> None:
        if self._deadline is None:
            self._bytes_beside = 0
            self._deadline = self.loop.call_later(self.header_seconds, self._too_late)

    def _have_headers(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._refuse(RequestTimeout(f"The headers did not arrive within {self.header_seconds:g} seconds."))

    def _refuse_headers(self) -> None:
        self._refuse(HeadersTooLarge(f"The headers are too large: at most {MOST_HEADER_BYTES} bytes are taken."))

    def _refuse(self, error: ZhuliError) -> None:
        self._have_headers()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_response(error))
        self.transport.close()


def limited(header_seconds: float) -> type[LimitedProtocol]:
    """The protocol class for uvicorn, which makes its protocols itself and hands them none of our settings."""
    return type("LimitedProtocol", (LimitedProtocol,), {"header_seconds": header_seconds})


def _response(error: ZhuliError) -> bytes:
    body: bytes = orjson.dumps(error.body())
    lines = [
        f"HTTP/1.1 {error.status} {type(error).__name__}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
