"""Clients of the server whose every answer is inspected: the official SDK, sync and async, and plain HTTP.

They retry nothing, so that a test sees what the server said the first time.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack

import httpx2
import openai

from tests.harness.inspector import Inspector, StreamInspector
from tests.harness.server import Server

ANY_KEY = "sk-any"
"""A server without keys takes whatever the SDK insists on sending."""

PATIENCE = 30.0

NO_TLS = False
"""Everything is plain HTTP here, and reading the machine's certificates would take longer than most tests."""


class Clients:
    """Makes clients for one test and closes them with it."""

    def __init__(self, inspector: Inspector) -> None:
        self._inspector = inspector
        self._open = ExitStack()
        self._open_async = AsyncExitStack()

    def sdk(self, server: Server, *, key: str = ANY_KEY, strict: bool = True) -> openai.OpenAI:
        """strict: refuse what the SDK's own types do not know; False as its users have it, for what is an addition of ours."""
        http = httpx2.Client(transport=InspectedTransport(self._inspector), timeout=PATIENCE)
        self._open.callback(http.close)
        return openai.OpenAI(
            base_url=server.base_url, api_key=key, http_client=http, max_retries=0, _strict_response_validation=strict
        )

    def async_sdk(self, server: Server, *, key: str = ANY_KEY) -> openai.AsyncOpenAI:
        http = httpx2.AsyncClient(transport=InspectedAsyncTransport(self._inspector), timeout=PATIENCE)
        self._open_async.push_async_callback(http.aclose)
        return openai.AsyncOpenAI(
            base_url=server.base_url, api_key=key, http_client=http, max_retries=0, _strict_response_validation=True
        )

    def http(self, server: Server, *, headers: dict[str, str] | None = None) -> httpx2.Client:
        """Plain HTTP against the server's root, for what no SDK would send."""
        transport = InspectedTransport(self._inspector)
        http = httpx2.Client(base_url=server.url, transport=transport, timeout=PATIENCE, headers=headers)
        self._open.callback(http.close)
        return http

    def close(self) -> None:
        self._open.close()

    async def aclose(self) -> None:
        await self._open_async.aclose()


class InspectedTransport(httpx2.HTTPTransport):
    def __init__(self, inspector: Inspector) -> None:
        super().__init__(verify=NO_TLS)
        self._inspector = inspector

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        self._inspector.headers(request, response)
        if self._inspector.is_stream(request, response):
            assert isinstance(response.stream, httpx2.SyncByteStream)
            response.stream = InspectedStream(response.stream, self._inspector.stream(request))
        else:
            response.read()
            self._inspector.body(request, response)
        return response


class InspectedAsyncTransport(httpx2.AsyncHTTPTransport):
    def __init__(self, inspector: Inspector) -> None:
        super().__init__(verify=NO_TLS)
        self._inspector = inspector

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        self._inspector.headers(request, response)
        if self._inspector.is_stream(request, response):
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = InspectedAsyncStream(response.stream, self._inspector.stream(request))
        else:
            await response.aread()
            self._inspector.body(request, response)
        return response


class InspectedStream(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, inspector: StreamInspector) -> None:
        self._stream = stream
        self._inspector = inspector

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            self._inspector.feed(piece)
            yield piece
        self._inspector.end()

    def close(self) -> None:
        self._stream.close()


class InspectedAsyncStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, inspector: StreamInspector) -> None:
        self._stream = stream
        self._inspector = inspector

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._inspector.feed(piece)
            yield piece
        self._inspector.end()

    async def aclose(self) -> None:
        await self._stream.aclose()
