"""HTTP on a connection, by uvicorn, with limits on what comes before a request is one: headers may be neither long nor slow."""

import asyncio

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from zhuli.core.errors import HeadersTooLarge, RequestTimeout, ZhuliError

MOST_HEADER_BYTES = 64 * 1024
"""The request line with them. nginx takes 32 KiB, and nobody's SDK sends 4."""


def limited(header_seconds: float) -> type[HttpToolsProtocol]:
    """The protocol class for uvicorn. header_seconds: from the connection, or a request's first byte, to its headers' end."""

    class LimitedProtocol(HttpToolsProtocol):
        _header_bytes = 0
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._expect_headers()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._expect_headers()

        def on_headers_complete(self) -> None:
            self._have_headers()
            super().on_headers_complete()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._deadline is not None:
                self._header_bytes += len(data)
                if self._header_bytes > MOST_HEADER_BYTES:
                    self._refuse(
                        HeadersTooLarge(f"The headers are too large: at most {MOST_HEADER_BYTES} bytes are taken.")
                    )

        def connection_lost(self, exc: Exception | None) -> None:
            self._have_headers()
            super().connection_lost(exc)

        def _expect_headers(self) -> None:
            if self._deadline is None:
                self._header_bytes = 0
                self._deadline = self.loop.call_later(header_seconds, self._too_late)

        def _have_headers(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _too_late(self) -> None:
            self._refuse(RequestTimeout(f"The headers did not arrive within {header_seconds:g} seconds."))

        def _refuse(self, error: ZhuliError) -> None:
            self._have_headers()
            if self.transport.is_closing():
                return
            self.transport.write(_response(error))
            self.transport.close()

    return LimitedProtocol


def _response(error: ZhuliError) -> bytes:
    body: bytes = orjson.dumps(error.body())
    lines = [
        f"HTTP/1.1 {error.status} {type(error).__name__}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
