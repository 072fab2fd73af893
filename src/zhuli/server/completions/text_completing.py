"""One request of /v1/completions, perhaps of several texts with several answers each: whole, or streamed.

A backend that can go on with a text as it is gets the text; others get it as a user's message.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from typing import Any

from zhuli.core.errors import InvalidRequest
from zhuli.core.ids import new_id
from zhuli.models.catalog import Entry
from zhuli.models.engines.completion import Answer, usage_of
from zhuli.models.engines.token_logprobs import Logprob, of_text
from zhuli.server.completions.chat_request import unsupported
from zhuli.server.completions.completing import begun, counted, line
from zhuli.types.models.chat import ChatUsage
from zhuli.types.models.generation import Ability, Delta, GenerationRequest
from zhuli.types.models.text_completion import (
    MOST_ANSWERS,
    USUAL_TOKENS,
    TextChoice,
    TextCompletion,
    TextRequest,
    passed_on,
)


class TextCompleting:
    """Made for a request; prompts: its texts."""

    def __init__(self, entry: Entry, body: TextRequest, prompts: Sequence[str], *, now: int) -> None:
        _check(body, len(prompts), entry.abilities)
        self._entry = entry
        self._body = body
        self._requests = [_generation(body, prompt) for prompt in prompts]
        self._each = body.n or 1
        self._head: dict[str, Any] = {"id": new_id("cmpl"), "created": now, "model": body.model}

    async def whole(self) -> TextCompletion:
        """All answers, complete; those of the first text first."""
        asked = [request for request in self._requests for _ in range(self._each)]
        answers = await asyncio.gather(*(self._answer(request) for request in asked))
        choices = [_choice(answer, index) for index, answer in enumerate(answers)]
        return TextCompletion(**self._head, choices=choices, usage=self._usage(answers))

    async def begun(self) -> AsyncGenerator[bytes, None]:
        """The stream, once the model has begun: what fails before is an error with its own status."""
        return await begun(self._chunks())

    async def _answer(self, request: GenerationRequest) -> Answer:
        answer = Answer()
        async with aclosing(self._entry.backend.generate(request)) as deltas:
            async for delta in deltas:
                answer.add(delta)
        return await counted(self._entry, request, answer)

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        answers: list[Answer] = []
        for index, request in enumerate(request for request in self._requests for _ in range(self._each)):
            answers.append(answer := Answer())
            said = 0
            async with aclosing(self._entry.backend.generate(request)) as deltas:
                async for delta in deltas:
                    answer.add(delta)
                    text = _text(delta)
                    if text or delta.finish:
                        yield self._line({"choices": [_piece(delta, text, index, start=said)]})
                    said += len(text)
            await counted(self._entry, request, answer)
        if self._wants_usage:
            yield self._line({"choices": [], "usage": self._usage(answers).model_dump(mode="json")})

    def _usage(self, answers: Sequence[Answer]) -> ChatUsage:
        """Each text once, all answers."""
        usages = [answer.usage for answer in answers]
        of_texts = [usage_of(usages[start : start + self._each]) for start in range(0, len(usages), self._each)]
        prompt = sum(usage.prompt_tokens for usage in of_texts)
        completion = sum(usage.completion_tokens for usage in of_texts)
        return ChatUsage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)

    @property
    def _wants_usage(self) -> bool:
        return bool(self._body.stream_options and self._body.stream_options.include_usage)

    def _line(self, chunk: dict[str, Any]) -> bytes:
        usage = {"usage": None} if self._wants_usage else {}
        return line({**self._head, "object": "text_completion", **usage, **chunk})


def _check(body: TextRequest, prompts: int, abilities: Collection[Ability]) -> None:
    if body.stream_options is not None and not body.stream:
        raise InvalidRequest(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    if body.suffix:
        raise unsupported("suffix", "Nothing is filled in between two texts here. Put both into 'prompt', and say so.")
    if body.echo:
        raise unsupported("echo", "The prompt is not said again. Put it in front of the text.")
    if body.best_of is not None and body.best_of > (body.n or 1):
        raise unsupported("best_of", "All answers are given. Ask for as many by 'n', and choose.")
    if body.logprobs is not None and "logprobs" not in abilities:
        raise unsupported("logprobs", f"The model '{body.model}' gives no logprobs. Leave 'logprobs' out.")
    if prompts * (body.n or 1) > MOST_ANSWERS:
        raise InvalidRequest(
            f"{prompts} prompts with {body.n} answers each are more than the {MOST_ANSWERS} answers of a request.",
            param="n",
            code="invalid_value",
        )


def _generation(body: TextRequest, prompt: str) -> GenerationRequest:
    return GenerationRequest(
        messages=[{"role": "user", "content": prompt}],
        max_tokens=body.max_tokens or USUAL_TOKENS,
        temperature=body.temperature,
        top_p=body.top_p,
        extra=passed_on(body),
        prompt=prompt,
    )


def _text(delta: Delta) -> str:
    return delta.text + delta.refusal


def _choice(answer: Answer, index: int) -> TextChoice:
    choice = answer.choice(index)
    text = (choice.message.content or "") + (choice.message.refusal or "")
    found: list[Logprob] = choice.logprobs.content or [] if choice.logprobs else []
    finish = choice.finish_reason if choice.finish_reason in ("length", "content_filter") else "stop"
    return TextChoice.model_validate(
        {"text": text, "index": index, "logprobs": of_text(found, start=0) if found else None, "finish_reason": finish}
    )


def _piece(delta: Delta, text: str, index: int, *, start: int) -> dict[str, Any]:
    finish = "stop" if delta.finish == "tool_calls" else delta.finish
    logprobs = of_text(delta.logprobs, start=start) if delta.logprobs else None
    return {"text": text, "index": index, "logprobs": logprobs, "finish_reason": finish}
