"""Deltas as chat completions have them: streamed chunks, and the whole answer as their fold. Pure."""

from collections.abc import Sequence
from typing import Any

from zhuli.types.models.chat import (
    ChatAnswer,
    ChatCall,
    ChatChoice,
    ChatCustomCall,
    ChatCustomInput,
    ChatFunctionCall,
    ChatLogprobs,
    ChatUsage,
    CompletionDetails,
    PromptDetails,
)
from zhuli.types.models.generation import Delta, Finish, ToolCallDelta, Usage


class Answer:
    """Everything one generation has said so far."""

    def __init__(self) -> None:
        self.empty = True
        self.usage: Usage | None = None
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, ChatCall | ChatCustomCall] = {}
        self._written: dict[int, list[str]] = {}
        self._logprobs: list[dict[str, Any]] = []
        self._finish: Finish | None = None

    @property
    def text(self) -> str:
        """What the model wrote, calls included, for counting."""
        calls = (_written(call) for call in self._whole_calls())
        return "".join([*self._text, *self._reasoning, *self._refusal, *calls])

    def add(self, delta: Delta) -> None:
        """Take in a piece."""
        self.empty = False
        self._text.append(delta.text)
        self._refusal.append(delta.refusal)
        self._reasoning.append(delta.reasoning)
        self._logprobs += delta.logprobs
        for piece in delta.tool_calls:
            if piece.index not in self._calls:
                self._calls[piece.index] = _call_of(piece)
            self._written.setdefault(piece.index, []).append(piece.arguments)
        self._finish = delta.finish or self._finish
        self.usage = delta.usage or self.usage

    def _whole_calls(self) -> list[ChatCall | ChatCustomCall]:
        """The calls in order, with what was written of each."""
        for number, call in self._calls.items():
            written = "".join(self._written[number])
            if isinstance(call, ChatCustomCall):
                call.custom.input = written
            else:
                call.function.arguments = written
        return [call for _, call in sorted(self._calls.items())]

    def choice(self, index: int) -> ChatChoice:
        """The complete answer."""
        calls = self._whole_calls()
        text, refusal = "".join(self._text), "".join(self._refusal)
        message = ChatAnswer(
            content=text if text or not (calls or refusal) else None,
            refusal=refusal or None,
            reasoning_content="".join(self._reasoning) or None,
            tool_calls=calls or None,
        )
        finish = "tool_calls" if calls and self._finish == "stop" else self._finish or "stop"
        logprobs = ChatLogprobs(content=self._logprobs) if self._logprobs else None
        return ChatChoice(index=index, message=message, logprobs=logprobs, finish_reason=finish)


def _call_of(piece: ToolCallDelta) -> ChatCall | ChatCustomCall:
    id_, name = piece.id or "", piece.name or ""
    if piece.custom:
        return ChatCustomCall(id=id_, custom=ChatCustomInput(name=name, input=piece.arguments))
    return ChatCall(id=id_, function=ChatFunctionCall(name=name, arguments=piece.arguments))


def _written(call: ChatCall | ChatCustomCall) -> str:
    if isinstance(call, ChatCustomCall):
        return call.custom.name + call.custom.input
    return call.function.name + call.function.arguments


def chunk_of(delta: Delta, *, index: int, first: bool) -> dict[str, Any]:
    """The changing part of a chat.completion.chunk."""
    said: dict[str, Any] = {"role": "assistant", "content": ""} if first else {}
    if delta.text:
        said["content"] = delta.text
    if delta.refusal:
        said["refusal"] = delta.refusal
    if delta.reasoning:
        said["reasoning_content"] = delta.reasoning
    if delta.tool_calls:
        said["tool_calls"] = [_call_chunk(piece) for piece in delta.tool_calls]
    logprobs = {"content": list(delta.logprobs), "refusal": None} if delta.logprobs else None
    return {"choices": [{"index": index, "delta": said, "logprobs": logprobs, "finish_reason": delta.finish}]}


def _call_chunk(piece: ToolCallDelta) -> dict[str, Any]:
    kind, written = ("custom", "input") if piece.custom else ("function", "arguments")
    return {
        "index": piece.index,
        **({"id": piece.id, "type": kind} if piece.id else {}),
        kind: {**({"name": piece.name} if piece.name else {}), written: piece.arguments},
    }


def usage_of(usages: Sequence[Usage | None]) -> ChatUsage:
    """Usage of a request with several answers: its prompt once, its answers added up."""
    known = [usage for usage in usages if usage is not None]
    prompt = known[0].prompt if known else 0
    completion = sum(usage.completion for usage in known)
    return ChatUsage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=PromptDetails(cached_tokens=known[0].cached if known else 0),
        completion_tokens_details=CompletionDetails(reasoning_tokens=sum(usage.reasoning for usage in known)),
    )
