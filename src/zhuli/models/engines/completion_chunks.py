"""Reads the chunks that chat completions servers stream, in all the shapes that real servers give them, into Deltas.

Takes parsed JSON objects and knows nothing of sockets or server-sent events. It repairs shapes, never content: the
arguments of tool calls are passed on as they come.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from zhuli.core.errors import BackendError
from zhuli.models.engines.token_logprobs import token_logprobs
from zhuli.models.engines.tool_call_pieces import ToolCallReader
from zhuli.models.engines.whole_characters import WholeCharacters, whole
from zhuli.types.models.generation import Delta, Finish, ToolCallDelta, Usage

_FINISHES: dict[str, Finish] = {
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "sensitive": "content_filter",
    "refusal": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
"""What servers say and what it means; anything else ("stop", "eos", "end_turn" …) is a stop."""

_FAILURES = frozenset({"error", "abort", "network_error", "insufficient_system_resource"})


class CompletionReader:
    """One answer: `read` each chunk, then `close` gives the last delta with what was held back, finish and usage."""

    def __init__(self) -> None:
        self.begun = False
        """Whether anything of the answer has come."""
        self.finished = False
        """Whether the server has said how the answer ended; a stream may break after that and nothing is lost."""
        self._reason = ""
        self._usage: Usage | None = None
        self._calls: ToolCallReader | None = None
        self._text, self._reasoning = WholeCharacters(), WholeCharacters()

    def read(self, chunk: dict[str, Any]) -> Delta | None:
        """What `chunk` adds to the answer; None if nothing. Also reads a whole completion, as if it were one chunk."""
        try:
            delta = self._read(chunk)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BackendError(f"The model server sent a chunk of an unknown shape: {shortened(chunk)}") from error
        if delta:
            self.begun = True
        return delta

    def close(self) -> Delta:
        """The last delta, to be asked for once and at the end."""
        held = self._calls.close() if self._calls else ()
        return Delta(
            self._text.close(),
            self._reasoning.close(),
            tool_calls=held,
            finish=self._finish(),
            usage=self._usage,
        )

    def _read(self, chunk: dict[str, Any]) -> Delta | None:
        self._usage = _usage(chunk) or self._usage
        choice = _first(chunk.get("choices") or ())
        if choice is None:
            return None
        if reason := choice.get("finish_reason"):
            self._end(str(reason).lower())
        delta = choice.get("delta") or choice.get("message") or {"content": choice.get("text")}
        read, said = self._delta(delta), choice.get("logprobs")
        logprobs = token_logprobs(said) if isinstance(said, dict) else ()
        return replace(read or Delta(), logprobs=logprobs) if logprobs else read

    def _end(self, reason: str) -> None:
        if reason in _FAILURES:
            raise BackendError(f"The model server gave the answer up (finish_reason '{reason}').")
        self._reason = reason
        self.finished = True

    def _delta(self, delta: dict[str, Any]) -> Delta | None:
        text = delta.get("content") or ""
        reasoning = delta.get("reasoning_content") or delta.get("reasoning") or ""
        refusal = delta.get("refusal") or ""
        if not isinstance(text, str):
            text, reasoning = _parts([text] if isinstance(text, dict) else text)
        if not isinstance(reasoning, str):
            reasoning = ""
        text, reasoning = text and self._text.feed(text), reasoning and self._reasoning.feed(reasoning)
        refusal = refusal and whole(str(refusal))
        calls = self._tool_calls(delta)
        if not (text or reasoning or refusal or calls):
            return None
        return Delta(text, reasoning, refusal, calls)

    def _tool_calls(self, delta: dict[str, Any]) -> tuple[ToolCallDelta, ...]:
        pieces = delta.get("tool_calls")
        if not pieces and (legacy := delta.get("function_call")):
            pieces = [{"index": 0, "function": legacy}]
        if not pieces:
            return ()
        if self._calls is None:
            self._calls = ToolCallReader()
        pieces = [pieces] if isinstance(pieces, dict) else pieces
        return tuple(read for piece in pieces if piece for read in self._calls.read(piece))

    def _finish(self) -> Finish:
        finish = _FINISHES.get(self._reason, "stop")
        if self._calls is None:
            # Calls were announced but none came: for whoever executes them the answer is over.
            return "stop" if finish == "tool_calls" else finish
        return "tool_calls" if finish == "stop" else finish


def shortened(said: Any, *, limit: int = 300, hide: str | None = None) -> str:
    """What a server said, on one line, short enough to be quoted in a message, and without the secret `hide`."""
    text = said if isinstance(said, str) else json.dumps(said, default=str, ensure_ascii=False)
    text = whole(" ".join(text.replace(hide, "***").split() if hide else text.split()))
    return text if len(text) <= limit else f"{text[:limit]}…"


def _first(choices: Iterable[Any]) -> Any:
    """The one that is read. We never ask for more; a server that sends more means them as alternatives."""
    for choice in choices:
        if choice and not int(choice.get("index") or 0):
            return choice
    return None


def _parts(parts: list[Any]) -> tuple[str, str]:
    """Text and reasoning of a content that is a list of parts (Mistral's reasoning models)."""
    text, reasoning = "", ""
    for part in parts:
        if isinstance(part, str):
            text += part
        elif part.get("type") == "thinking":
            thought = part.get("thinking") or ()
            reasoning += thought if isinstance(thought, str) else "".join(piece.get("text") or "" for piece in thought)
        elif part.get("type") in (None, "text", "output_text"):
            text += part.get("text") or ""
    return text, reasoning


def _usage(chunk: dict[str, Any]) -> Usage | None:
    """The token counts of a chunk; None where it has none that can be read."""
    usage = chunk.get("usage") or ("x_groq" in chunk and (chunk["x_groq"] or {}).get("usage"))
    if not isinstance(usage, dict):
        return None
    prompt_details = usage.get("prompt_tokens_details") or {}
    completion_details = usage.get("completion_tokens_details") or {}
    return Usage(
        prompt=_number(usage.get("prompt_tokens")),
        completion=_number(usage.get("completion_tokens")),
        cached=_number(prompt_details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens")),
        reasoning=_number(completion_details.get("reasoning_tokens")),
    )


def _number(value: Any) -> int:
    """A count; 0 for what is none."""
    try:
        return max(0, int(value or 0))
    except (OverflowError, TypeError, ValueError):
        return 0
