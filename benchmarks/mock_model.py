"""A model server that costs next to nothing: POST /v1/chat/completions, streamed or whole, from prebuilt bytes.

It stands where a real model would, so that what is measured is zhuli. The model's name chooses the pace:
`mock-instant-16` sends 16 tokens and the usage at once, `mock-5ms-32` 32 tokens, one every 5 ms. It does not look at
the prompt, count its tokens or check parameters, and it is no part of the package: tests use the scripted backend.

    python -m benchmarks.mock_model --port 8901
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import httptools
import orjson
import typer
import uvloop

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\n"
LAST_PIECE = b"0\r\n\r\n"
PROMPT_TOKENS = 16


@dataclass(frozen=True)
class Answer:
    """One answer in each form in which it may be asked for, ready to be written."""

    interval: float
    opening: bytes
    tokens: list[bytes]
    closing: bytes
    closing_with_usage: bytes
    whole: bytes


class ModelProtocol(asyncio.Protocol):
    """One connection. A request is answered as soon as its body is there; requests are not pipelined."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self._answers = answers
        self._body = bytearray()
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body = self._body, bytearray()
        if self._parser.get_method() == b"GET":
            self._transport.write(
                _whole({"object": "list", "data": [{"id": name, "object": "model"} for name in self._answers]})
            )
        else:
            self._answer(orjson.loads(body))

    def _answer(self, request: dict[str, Any]) -> None:
        answer = self._answers[request["model"]]
        if not request.get("stream"):
            self._transport.write(answer.whole)
            return
        with_usage = (request.get("stream_options") or {}).get("include_usage")
        closing = answer.closing_with_usage if with_usage else answer.closing
        if answer.interval == 0:
            self._transport.write(b"".join([answer.opening, *answer.tokens, closing]))
            return
        self._transport.write(answer.opening)
        self._stream(answer, closing)

    def _stream(self, answer: Answer, closing: bytes) -> None:
        """Token n goes out n + 1 intervals after the request, whatever the ones before it took."""
        loop = asyncio.get_running_loop()
        start = loop.time() + answer.interval
        last = len(answer.tokens) - 1

        def send(position: int) -> None:
            self._transport.write(answer.tokens[position] + (closing if position == last else b""))
            if position < last:
                loop.call_at(start + (position + 1) * answer.interval, send, position + 1)

        loop.call_at(start, send, 0)


def build_answers() -> dict[str, Answer]:
    """Every model's answer under its name."""
    return {
        "mock-instant-16": _answer("mock-instant-16", tokens=16, interval=0),
        "mock-5ms-32": _answer("mock-5ms-32", tokens=32, interval=0.005),
    }


def _answer(model: str, *, tokens: int, interval: float) -> Answer:
    words = [f" word{number}" for number in range(tokens)]
    usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": tokens, "total_tokens": PROMPT_TOKENS + tokens}
    finish = _event(model, [{"index": 0, "delta": {}, "finish_reason": "stop"}])
    done = _piece(b"data: [DONE]\n\n") + LAST_PIECE
    return Answer(
        interval=interval,
        opening=HEAD % b"text/event-stream"
        + b"transfer-encoding: chunked\r\n\r\n"
        + _event(model, [_choice({"role": "assistant", "content": ""})]),
        tokens=[_event(model, [_choice({"content": word})]) for word in words],
        closing=finish + done,
        closing_with_usage=finish + _event(model, [], usage=usage) + done,
        whole=_whole(
            {
                "id": "chatcmpl-mock",
                "object": "chat.completion",
                "created": 1700000000,
                "model": model,
                "choices": [
                    {"index": 0, "message": {"role": "assistant", "content": "".join(words)}, "finish_reason": "stop"}
                ],
                "usage": usage,
            }
        ),
    )


def _choice(delta: dict[str, str]) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": None}


def _event(model: str, choices: list[dict[str, Any]], *, usage: dict[str, int] | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-mock",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": model,
        "choices": choices,
        "usage": usage,
    }
    return _piece(b"data: " + orjson.dumps(chunk) + b"\n\n")


def _piece(data: bytes) -> bytes:
    """A piece of a body in chunked transfer encoding."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def _whole(body: dict[str, Any]) -> bytes:
    data = orjson.dumps(body)
    return HEAD % b"application/json" + b"content-length: %d\r\n\r\n%s" % (len(data), data)


async def serve(port: int) -> None:
    """Until the process is stopped."""
    answers = build_answers()
    server = await asyncio.get_running_loop().create_server(lambda: ModelProtocol(answers), "127.0.0.1", port)
    await server.serve_forever()


def main(port: int = 8901) -> None:
    """Serve the mock models on 127.0.0.1."""
    uvloop.run(serve(port))


if __name__ == "__main__":
    typer.run(main)
