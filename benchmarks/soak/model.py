"""A model server that behaves as badly as those in the wild do, by the mode that a question names.

A question is `soak MARKER MODE`; what is said well contains the marker, so that whoever asked knows his answer again.
MODES says for each mode how often it is drawn and with which statuses its run may end; everything that is not in there
is a fault of zhuli's. The replies are those of `zhuli.testing.upstream`.

    python -m benchmarks.soak.model --port 8901
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import typer
import uvloop

from zhuli.testing import upstream as say
from zhuli.testing.upstream import Received, Reply

WELL = frozenset({"completed"})
BADLY = frozenset({"failed"})
LATE = frozenset({"expired"})

BOM = b"\xef\xbb\xbf"
REFUSALS = {"refused": say.refuse(), "busy": say.status(503), "limited": say.status(429, headers={"Retry-After": "1"})}
"""What comes at first, before the good answer."""


@dataclass(frozen=True)
class Mode:
    """How often it is drawn among all, and how its runs may end."""

    weight: int
    ends: frozenset[str] = WELL


MODES = {
    "honest": Mode(40),
    "slow": Mode(20),
    "calls": Mode(10),
    "broken_arguments": Mode(4),
    "twin_calls": Mode(4),
    "refused": Mode(3),
    "busy": Mode(3),
    "limited": Mode(3),
    "bom": Mode(2),
    "lone_cr": Mode(2),
    "half_surrogate": Mode(2),
    "not_called_a_stream": Mode(2),
    "always_busy": Mode(1, BADLY),
    "cut": Mode(2, BADLY),
    "broken_json": Mode(1, BADLY),
    "silent": Mode(1, LATE),
    "falls_silent": Mode(1, LATE),
    "endless": Mode(1, frozenset({"incomplete", "failed", "expired"})),
}
_CALL: dict[str, Any] = {"index": 0, "id": "c1", "function": {"name": "add", "arguments": '{"n": 1}'}}
CALLING = {
    "calls": [_CALL],
    "broken_arguments": [_CALL | {"function": {"name": "add", "arguments": '{"n": '}}],
    "twin_calls": [_CALL, _CALL | {"index": 1}],
}


def words(marker: str) -> str:
    """The whole of a good answer to a question with this marker."""
    return f"You said {marker} and " + " ".join(f"word{number}" for number in range(16))


class Misbehaving:
    """Chooses the reply to a request; it remembers which markers it has refused already."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()

    def choose(self, received: Received) -> Reply:
        messages = received.body["messages"]
        question = next(text for message in reversed(messages) if "soak " in (text := _text(message)))
        marker, mode = question.split()[-2:]  # questions that nobody answered come joined
        if messages[-1]["role"] == "tool":
            return say.answer(words(marker))
        self._asked[marker] += 1
        if self._asked[marker] == 1 and mode in REFUSALS:
            return REFUSALS[mode]
        return _reply(mode, words(marker))


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(part.get("text", "") for part in content)
    return content if message["role"] == "user" and content else ""


def _reply(mode: str, text: str) -> Reply:
    good = say.answer(text)
    match mode:
        case "slow":
            return replace(good, delay=0.1)
        case "calls" | "broken_arguments" | "twin_calls":
            return say.tool_calls(*CALLING[mode])
        case "bom":
            return replace(good, pieces=[BOM + good.pieces[0], *good.pieces[1:]])
        case "lone_cr":
            return replace(good, pieces=[piece.replace(b"\n", b"\r") for piece in good.pieces])
        case "half_surrogate":
            half = b'data: {"choices": [{"index": 0, "delta": {"content": "\\ud83d"}, "finish_reason": null}]}\n\n'
            return replace(good, pieces=[*good.pieces[:3], half, *good.pieces[3:]])
        case "not_called_a_stream":
            return replace(good, headers={"Content-Type": "application/json"})
        case "always_busy":
            return say.status(503)
        case "cut":
            return say.cut()
        case "broken_json":
            return say.broken_json()
        case "silent":
            return say.stall()
        case "falls_silent":
            return say.stall(after="Well")
        case "endless":
            return say.endless({"content": "and so on " * 20})
    return good


async def serve(port: int) -> None:
    """Until the process is stopped."""
    misbehaving = Misbehaving()

    def choose(received: Received) -> Reply:
        upstream.requests.clear()  # an hour of them is not to be kept
        return misbehaving.choose(received)

    upstream = say.FaultyUpstream(choose, port=port)
    async with upstream:
        await asyncio.Event().wait()


def main(port: int = 8901) -> None:
    """Serve the model on 127.0.0.1."""
    uvloop.run(serve(port))


if __name__ == "__main__":
    typer.run(main)
