"""A faulty model server on a real socket: chats, embeddings and loading adapters, well or badly, as each test wants it.

    async with FaultyUpstream([status(429, headers={"Retry-After": "1"}), answer("Hello")]) as upstream:
        ... call f"{upstream.base_url}/chat/completions"; upstream.requests says what came in

Each request plays the next reply, the last one plays for all further requests; or a function chooses by the request.
There is no model behind it; for an app that needs answers by rule there is the scripted backend.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

import orjson
from aiohttp import web

Ending = Literal["end", "cut", "stall"]

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes over the wire: status and headers, then the pieces, each in a write of its own, then the ending.

    status None: no byte at all before the ending. "cut" drops the connection, "stall" keeps it and sends no more.
    """

    pieces: Sequence[bytes] = ()
    status: int | None = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/event-stream"})
    ending: Ending = "end"
    delay: float = 0.0
    """Seconds before each piece."""


@dataclass(slots=True)
class Received:
    """A request as it came in. `gone` is set once it is over, be it by the client's leaving."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class FaultyUpstream:
    """The server, from entering to leaving the context, on a free port unless one is named.

    `arrived` is set once there is a request; `connections` counts the TCP connections that requests came over.
    """

    def __init__(self, replies: Sequence[Reply] | Callable[[Received], Reply], *, port: int = 0) -> None:
        self.requests: list[Received] = []
        self.arrived = asyncio.Event()
        self.base_url = ""
        self._replies = replies
        self._port = port
        self._peers: set[Any] = set()

    @property
    def connections(self) -> int:
        return len(self._peers)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        for path in ("/v1/chat/completions", "/v1/embeddings", "/v1/load_lora_adapter"):
            app.router.add_post(path, self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        received = Received(request.path, dict(request.headers), await request.json())
        self.requests.append(received)
        self.arrived.set()
        assert request.transport is not None
        self._peers.add(request.transport.get_extra_info("peername"))
        try:
            return await _play(self._choose(received), request)
        finally:
            received.gone.set()

    def _choose(self, received: Received) -> Reply:
        if callable(self._replies):
            return self._replies(received)
        return self._replies[min(len(self.requests), len(self._replies)) - 1]


async def _play(reply: Reply, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status or 200, headers=reply.headers)
    if reply.status is not None:
        await response.prepare(request)
    for piece in reply.pieces:
        if reply.delay:
            await asyncio.sleep(reply.delay)
        await response.write(piece)
    if reply.ending == "stall":
        await asyncio.Event().wait()
    if reply.ending == "cut" and request.transport is not None:
        request.transport.abort()
    elif reply.status is not None:
        await response.write_eof()
    return response


def answer(text: str = "Hello from upstream.", *, usage: bool = True, delay: float = 0.0) -> Reply:
    """A good answer, a word a chunk."""
    words = [chunk({"content": word if number == 0 else f" {word}"}) for number, word in enumerate(text.split(" "))]
    counts = {"prompt_tokens": 7, "completion_tokens": len(words), "total_tokens": 7 + len(words)}
    counted = [event({"choices": [], "usage": counts})] if usage else []
    return Reply([*words, chunk({}, finish="stop"), *counted, DONE], delay=delay)


def deltas(*parts: dict[str, Any], finish: str | None = "stop", done: bool = True, ending: Ending = "end") -> Reply:
    """These deltas, a chunk each."""
    pieces = [chunk(part) for part in parts]
    if finish is not None:
        pieces.append(chunk({}, finish=finish))
    return Reply([*pieces, DONE] if done else pieces, ending=ending)


def tool_calls(*pieces: dict[str, Any] | list[dict[str, Any]], finish: str = "tool_calls") -> Reply:
    """These pieces of tool calls as they are, a chunk each; a list makes one chunk of several."""
    return deltas(*({"tool_calls": piece if isinstance(piece, list) else [piece]} for piece in pieces), finish=finish)


def status(number: int, message: str = "no luck", *, headers: dict[str, str] | None = None, **error: Any) -> Reply:
    """An error as OpenAI's API words it."""
    body = orjson.dumps({"error": {"message": message, "type": "upstream_error", "param": None, "code": None} | error})
    return Reply([body], status=number, headers={"Content-Type": "application/json"} | (headers or {}))


def completion(message: dict[str, Any], *, finish: str = "stop") -> Reply:
    """A whole completion, although a stream was asked for."""
    body = {"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": finish}]}
    counts = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return Reply([orjson.dumps(body | {"usage": counts})], headers={"Content-Type": "application/json"})


def refuse() -> Reply:
    """Hangs up without an answer."""
    return Reply(status=None, ending="cut")


def stall(*, after: str = "") -> Reply:
    """Goes silent: before the headers, or after these words."""
    return Reply([chunk({"content": after})], ending="stall") if after else Reply(status=None, ending="stall")


def cut(*, after: str = "Half of") -> Reply:
    """Hangs up in the middle of the answer."""
    return Reply([chunk({"content": after})], ending="cut")


def broken_json(*, after: str = "Half of") -> Reply:
    return Reply([chunk({"content": after}), b'data: {"choices": [{"delta": {"content": "\n\n', DONE])


def chunk(delta: dict[str, Any], *, finish: str | None = None) -> bytes:
    """One event of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})


def event(data: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"


def embeddings(rows: Sequence[Sequence[float]], *, backwards: bool = False) -> Reply:
    """These vectors, for the texts in their order; `backwards` sends the last one first, as its index says."""
    data = [{"object": "embedding", "index": index, "embedding": list(row)} for index, row in enumerate(rows)]
    body = {"object": "list", "model": "m", "data": data[::-1] if backwards else data}
    counts = {"prompt_tokens": len(rows), "total_tokens": len(rows)}
    return Reply([orjson.dumps(body | {"usage": counts})], headers={"Content-Type": "application/json"})


def endless(delta: dict[str, Any], *, times: int = 100_000) -> Reply:
    """An answer without an end, as far as anybody will read: many of this delta in one write, again and again."""
    return Reply([chunk(delta) * 100] * (times // 100), ending="stall")
