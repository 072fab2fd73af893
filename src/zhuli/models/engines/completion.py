"""Deltas as chat completions have them: streamed chunks, and the whole answer as their fold. Pure."""

from collections.abc import Sequence
from typing import Any

from zhuli.types.models.chat import (
    ChatAnswer,
    ChatCall,
    ChatChoice,
    ChatFunctionCall,
    ChatUsage,
    CompletionDetails,
    PromptDetails,
)
from zhuli.types.models.generation import Delta, Finish, Usage


class Answer:
    """Everything one generation has said so far."""

    def __init__(self) -> None:
        self.empty = True
        self.usage: Usage | None = None
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, ChatCall] = {}
        self._finish: Finish | None = None

    @property
    def text(self) -> str:
        """What the model wrote, calls included, for counting."""
        calls = (call.function.name + call.function.arguments for call in self._calls.values())
        return "".join([*self._text, *self._reasoning, *self._refusal, *calls])

    def add(self, delta: Delta) -> None:
        """Take in a piece."""
        self.empty = False
        self._text.append(delta.text)
        self._refusal.append(delta.refusal)
        self._reasoning.append(delta.reasoning)
        for piece in delta.tool_calls:
            call = self._calls.get(piece.index)
            if call is None:
                function = ChatFunctionCall(name=piece.name or "", arguments=piece.arguments)
                self._calls[piece.index] = ChatCall(id=piece.id or "", function=function)
            else:
                call.function.arguments += piece.arguments
        self._finish = delta.finish or self._finish
        self.usage = delta.usage or self.usage

    def choice(self, index: int) -> ChatChoice:
        """The complete answer."""
        calls = [call for _, call in sorted(self._calls.items())]
        text, refusal = "".join(self._text), "".join(self._refusal)
        message = ChatAnswer(
            content=text if text or not (calls or refusal) else None,
            refusal=refusal or None,
            reasoning_content="".join(self._reasoning) or None,
            tool_calls=calls or None,
        )
        finish = "tool_calls" if calls and self._finish == "stop" else self._finish or "stop"
        return ChatChoice(index=index, message=message, finish_reason=finish)


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
        said["tool_calls"] = [
            {
                "index": piece.index,
                **({"id": piece.id, "type": "function"} if piece.id else {}),
                "function": {**({"name": piece.name} if piece.name else {}), "arguments": piece.arguments},
            }
            for piece in delta.tool_calls
        ]
    return {"choices": [{"index": index, "delta": said, "logprobs": None, "finish_reason": delta.finish}]}


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
