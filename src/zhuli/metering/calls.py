"""Calls of models, held to limits and counted: each backend of the catalog is asked through one of these."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from zhuli.core.origin import origin
from zhuli.core.tokens import MESSAGE_OVERHEAD, sevenths
from zhuli.metering.meter import Meter
from zhuli.models.around import AroundBackend
from zhuli.ports import Backend
from zhuli.types.models.generation import Delta, GenerationRequest, Usage

_USUAL_TOKENS = 256
"""Of an answer whose length nobody limited, until it has ended."""


class MeteredBackend(AroundBackend):
    """The same backend; generate() may raise RateLimited before it begins. The last delta has always its usage."""

    def __init__(self, name: str, backend: Backend, meter: Meter) -> None:
        super().__init__(name, backend)
        self._meter = meter

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Delta, None]:
        asked = origin.get()
        read = estimated_prompt(request) if await self._meter.shares(asked, "tokens") else 0
        taken = await self._meter.take(asked, "tokens", read + (request.max_tokens or _USUAL_TOKENS), least=read)
        said: list[str] = []
        usage: Usage | None = None
        try:
            async with aclosing(self._backend.generate(request)) as deltas:
                async for delta in deltas:
                    said.append(_said(delta))
                    if delta.finish is not None and delta.usage is None:
                        (written,) = await self._backend.count_tokens(["".join(said)])
                        delta = replace(delta, usage=Usage(read or estimated_prompt(request), written))
                    usage = delta.usage
                    yield delta
        finally:
            if usage is None:  # it broke off; what a model has read and said so far is used
                usage = (
                    Usage(read or estimated_prompt(request), -(-sum(map(sevenths, said)) // 7)) if said else Usage(0, 0)
                )
            taken.settle(usage.prompt + usage.completion)
            if said:
                self._meter.counting.add(asked, "completions", self._name, usage)


def estimated_prompt(request: GenerationRequest) -> int:
    """Tokens of what a model is to read, before it is asked."""
    text = sum(sevenths(_text(message.get("content"))) for message in request.messages)
    tools = sum(sevenths(str(tool)) for tool in request.tools)
    return MESSAGE_OVERHEAD * len(request.messages) + -(-(text + tools) // 7)


def _said(delta: Delta) -> str:
    if not delta.tool_calls:
        return delta.text or delta.refusal
    return delta.text + delta.refusal + "".join((call.name or "") + call.arguments for call in delta.tool_calls)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content or () if isinstance(part, dict))
