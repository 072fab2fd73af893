"""One chat completion, perhaps of several answers: whole, or streamed in chunks of which a whole answer is the fold."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

import orjson

from zhuli.core.errors import BackendError, ZhuliError
from zhuli.core.ids import new_id
from zhuli.models.catalog import Entry
from zhuli.models.engines.completion import Answer, chunk_of, usage_of
from zhuli.server.completions.chat_request import generation_of
from zhuli.server.completions.legacy_functions import chunk_with_function_call, with_function_call
from zhuli.types.models.chat import ChatCompletion, ChatRequest
from zhuli.types.models.generation import GenerationRequest, Usage

Keep = Callable[[ChatCompletion], Awaitable[ChatCompletion]]
"""What is done with an answer when it is complete: it may be stored."""


class Completing:
    """Made for a request; keep: None for an answer that is only given."""

    def __init__(self, entry: Entry, body: ChatRequest, *, now: int, keep: Keep | None) -> None:
        self._entry = entry
        self._body = body
        self._keep = keep
        self._request = generation_of(body, entry.abilities)
        self._head: dict[str, Any] = {"id": new_id("chatcmpl"), "created": now, "model": body.model}

    async def whole(self) -> ChatCompletion:
        """All answers, complete."""
        answers = await asyncio.gather(*(self._answer() for _ in range(self._body.n or 1)))
        return await self._kept(answers)

    async def begun(self) -> AsyncGenerator[bytes, None]:
        """The stream, once the model has begun: what fails before is an error with its own status."""
        return await begun(self._chunks())

    async def _answer(self) -> Answer:
        answer = Answer()
        async with aclosing(self._entry.backend.generate(self._request)) as deltas:
            async for delta in deltas:
                answer.add(delta)
        return await counted(self._entry, self._request, answer)

    async def _kept(self, answers: Sequence[Answer]) -> ChatCompletion:
        choices = [answer.choice(index) for index, answer in enumerate(answers)]
        if self._body.functions is not None:
            choices = [with_function_call(choice) for choice in choices]
        usage = usage_of([answer.usage for answer in answers])
        completion = ChatCompletion(**self._head, choices=choices, usage=usage)
        return completion if self._keep is None else await self._keep(completion)

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        answers: list[Answer] = []
        for index in range(self._body.n or 1):
            answers.append(answer := Answer())
            async with aclosing(self._entry.backend.generate(self._request)) as deltas:
                async for delta in deltas:
                    first = answer.empty
                    answer.add(delta)
                    yield self._line(self._shown(chunk_of(delta, index=index, first=first)))
            await counted(self._entry, self._request, answer)
        completion = await self._kept(answers)
        if self._wants_usage:
            yield self._line({"choices": [], "usage": completion.usage.model_dump(mode="json")})

    def _shown(self, chunk: dict[str, Any]) -> dict[str, Any]:
        return chunk if self._body.functions is None else chunk_with_function_call(chunk)

    @property
    def _wants_usage(self) -> bool:
        return bool(self._body.stream_options and self._body.stream_options.include_usage)

    def _line(self, chunk: dict[str, Any]) -> bytes:
        usage = {"usage": None} if self._wants_usage else {}
        return line({**self._head, "object": "chat.completion.chunk", **usage, **chunk})


async def counted(entry: Entry, request: GenerationRequest, answer: Answer) -> Answer:
    """The answer with its usage, which is counted here if the backend did not."""
    if answer.usage is None:
        read, said = await entry.backend.count_tokens([str(request.messages), answer.text])
        answer.usage = Usage(read, said)
    return answer


def line(chunk: dict[str, Any]) -> bytes:
    """A chunk as server-sent event; these have no names."""
    return b"data: %b\n\n" % orjson.dumps(chunk)


async def begun(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The stream, after its first piece has come."""
    try:
        first = await anext(pieces)
    except BackendError:
        await pieces.aclose()
        raise
    return _resumed(first, pieces)


async def _resumed(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The chunks with the end mark; a failure half-way is an error in the stream."""
    async with aclosing(rest):
        yield first
        try:
            async for piece in rest:
                yield piece
        except ZhuliError as error:
            yield line(error.body())
            return
        yield b"data: [DONE]\n\n"
