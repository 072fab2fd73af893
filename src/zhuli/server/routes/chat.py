"""/v1/chat/completions: the models without threads. A whole answer is the fold of its chunks."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from zhuli.app import App
from zhuli.core.errors import BackendError, InvalidRequest, ZhuliError
from zhuli.core.ids import new_id
from zhuli.models.catalog import Entry
from zhuli.models.engines.completion import Answer, chunk_of, usage_of
from zhuli.server.json_route import JsonRoute
from zhuli.server.parameters import Json, TheActor, TheApp
from zhuli.server.stream import EventStream
from zhuli.types.models.chat import ChatCompletion, ChatRequest, passed_on
from zhuli.types.models.generation import GenerationRequest, Usage

router = APIRouter(prefix="/v1/chat/completions", tags=["Chat"], route_class=JsonRoute, strict_content_type=False)

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "The answer, or its chunks with stream: true."}
}


@router.post("", response_model=ChatCompletion, responses=_STREAM)
async def create_chat_completion(body: ChatRequest, app: TheApp, actor: TheActor) -> Response:
    entry = app.catalog.resolve(body.model, actor.project)
    if entry is None:
        entry = await app.database.run(app.catalog.resolve_now, body.model, actor.project)
    if entry is None:
        raise app.catalog.not_found(body.model, actor.project)
    if body.stream_options is not None and not body.stream:
        raise InvalidRequest(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    if body.logprobs:
        raise InvalidRequest("This server gives no logprobs.", param="logprobs", code="unsupported_parameter")
    completion = _Completion(app, entry, body)
    return EventStream(await completion.begun()) if body.stream else Json(await completion.whole())


class _Completion:
    """One request, perhaps of several answers."""

    def __init__(self, app: App, entry: Entry, body: ChatRequest) -> None:
        self._app = app
        self._entry = entry
        self._body = body
        self._request = _request(body)
        self._head: dict[str, Any] = {"id": new_id("chatcmpl"), "created": int(app.clock.now()), "model": body.model}

    async def whole(self) -> ChatCompletion:
        """All answers, complete."""
        answers = await asyncio.gather(*(self._answer(index) for index in range(self._body.n or 1)))
        usage = usage_of([answer.usage for answer in answers])
        choices = [answer.choice(index) for index, answer in enumerate(answers)]
        return ChatCompletion(**self._head, choices=choices, usage=usage)

    async def _answer(self, index: int) -> Answer:
        answer = Answer()
        async with aclosing(self._entry.backend.generate(self._request)) as deltas:
            async for delta in deltas:
                answer.add(delta)
        return await self._counted(answer)

    async def _counted(self, answer: Answer) -> Answer:
        if answer.usage is None:
            read, said = await self._entry.backend.count_tokens([str(self._request.messages), answer.text])
            answer.usage = Usage(read, said)
        return answer

    async def begun(self) -> AsyncGenerator[bytes, None]:
        """The stream, once the model has begun: what fails before is an error with its own status."""
        pieces = self._chunks()
        try:
            first = await anext(pieces)
        except BackendError:
            await pieces.aclose()
            raise
        return _resumed(first, pieces)

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        usages: list[Usage | None] = []
        for index in range(self._body.n or 1):
            answer = Answer()
            async with aclosing(self._entry.backend.generate(self._request)) as deltas:
                async for delta in deltas:
                    first = answer.empty
                    answer.add(delta)
                    yield self._line(chunk_of(delta, index=index, first=first))
            usages.append((await self._counted(answer)).usage)
        if self._wants_usage:
            yield self._line({"choices": [], "usage": usage_of(usages).model_dump(mode="json")})

    @property
    def _wants_usage(self) -> bool:
        return bool(self._body.stream_options and self._body.stream_options.include_usage)

    def _line(self, chunk: dict[str, Any]) -> bytes:
        usage = {"usage": None} if self._wants_usage else {}
        return b"data: %b\n\n" % orjson.dumps({**self._head, "object": "chat.completion.chunk", **usage, **chunk})


async def _resumed(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The chunks with the end mark; a failure half-way is an error in the stream."""
    async with aclosing(rest):
        yield first
        try:
            async for piece in rest:
                yield piece
        except ZhuliError as error:
            yield b"data: %b\n\n" % orjson.dumps(error.body())
            return
        yield b"data: [DONE]\n\n"


def _request(body: ChatRequest) -> GenerationRequest:
    return GenerationRequest(
        messages=[_message(message.model_dump(mode="json", exclude_unset=True)) for message in body.messages],
        tools=[tool.model_dump(mode="json") for tool in body.tools or ()],
        tool_choice="auto" if body.tool_choice is None else _plain(body.tool_choice),
        parallel_tool_calls=body.parallel_tool_calls is not False,
        response_format=None if body.response_format is None else body.response_format.model_dump(mode="json"),
        max_tokens=body.max_completion_tokens or body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        reasoning_effort=body.reasoning_effort,
        extra=passed_on(body),
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else value.model_dump(mode="json")


def _message(message: dict[str, Any]) -> dict[str, Any]:
    """Local models know "system" only; "developer" is its newer name."""
    return {**message, "role": "system"} if message["role"] == "developer" else message
