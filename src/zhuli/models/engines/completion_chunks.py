"""Reads the chunks that chat completions servers stream, in all the shapes that real servers give them, into Deltas.

Takes parsed JSON objects and knows nothing of sockets or server-sent events. It repairs shapes, never content: the
arguments of tool calls are passed on as they come.
"""

from dataclasses import replace
from typing import Any

import orjson

from zhuli.core.errors import BackendError
from zhuli.core.ids import new_id
from zhuli.models.engines.token_logprobs import token_logprobs
from zhuli.types.models.generation import Delta, Finish, ToolCallDelta, Usage

_FINISHES: dict[str, Finish] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
"""What servers say and what it means; anything else ("stop", "eos", "end_turn" …) is a stop."""

_FAILURES = frozenset({"error", "abort", "insufficient_system_resource"})


class CompletionReader:
    """One answer: `read` each chunk, then `close` gives the last delta with what was held back, finish and usage."""

    def __init__(self) -> None:
        self.begun = False
        """Whether anything of the answer has come."""
        self.finished = False
        """Whether the server has said how the answer ended; a stream may break after that and nothing is lost."""
        self._reason: str | None = None
        self._usage: Usage | None = None
        self._calls: ToolCallReader | None = None

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
        return Delta(tool_calls=held, finish=self._finish(), usage=self._usage)

    def _read(self, chunk: dict[str, Any]) -> Delta | None:
        if usage := chunk.get("usage"):
            self._usage = _usage(usage)
        choices = chunk.get("choices")
        # We never ask for more than one choice; a server that sends more means them as alternatives.
        if not choices or (choice := choices[0]).get("index"):
            return None
        if reason := choice.get("finish_reason"):
            self._end(reason)
        delta = choice["delta"] if "delta" in choice else choice.get("message")
        if "text" in choice and not delta:  # of /v1/completions
            delta = {"content": choice["text"]}
        read = self._delta(delta) if delta else None
        logprobs = token_logprobs(choice.get("logprobs"))
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
            text, reasoning = _parts(text)
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
        return tuple(read for piece in pieces if (read := self._calls.read(piece)))

    def _finish(self) -> Finish:
        finish = _FINISHES.get(self._reason or "", "stop")
        if self._calls is None:
            # Calls were announced but none came: for whoever executes them the answer is over.
            return "stop" if finish == "tool_calls" else finish
        return "tool_calls" if finish == "stop" else finish


class ToolCallReader:
    """Gives every call an index without gaps, and id and name in its first piece; holds pieces back until it can."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._emitted = 0

    def read(self, piece: dict[str, Any]) -> ToolCallDelta | None:
        function = piece.get("function") or piece.get("custom") or {}
        custom = piece.get("type") == "custom" or "custom" in piece
        name, arguments = function.get("name") or "", _arguments(function.get("input" if custom else "arguments"))
        key, given_id = piece.get("index"), str(piece.get("id") or "")
        call = self._find(key, given_id, name) or self._open(key)
        call.given_id = call.given_id or given_id
        call.arguments += arguments
        call.custom = call.custom or custom
        if call.index is not None:
            return ToolCallDelta(call.index, arguments=arguments, custom=call.custom) if arguments else None
        return self._announce(call, name) if name else None

    def close(self) -> tuple[ToolCallDelta, ...]:
        """Arguments for calls that came without any: an empty object, as joined arguments must be a JSON text."""
        if any(call.index is None for call in self._calls):
            raise BackendError("The model server streamed a tool call without a name.")
        return tuple(
            ToolCallDelta(call.index, arguments="{}")
            for call in self._calls
            if call.index is not None and not (call.arguments.strip() or call.custom)
        )

    def _find(self, key: int | None, given_id: str, name: str) -> "_Call | None":
        """The call that the piece goes on with, None if it starts one."""
        if key is None:
            return self._find_without_index(given_id, name)
        call = next((call for call in reversed(self._calls) if call.key == key), None)
        # Some servers number every call 0: another id with a name is another call. Others make up an id for each piece,
        # so an id alone is not.
        if call and name and given_id and call.given_id and call.given_id != given_id:
            return None
        return call

    def _find_without_index(self, given_id: str, name: str) -> "_Call | None":
        if given_id and (known := next((call for call in self._calls if call.given_id == given_id), None)):
            return known
        last = self._calls[-1] if self._calls else None
        if last is None or not name:
            return last
        repeated = name == last.name and not (given_id and last.given_id) and not _is_json(last.arguments)
        return last if repeated or not last.name else None

    def _open(self, key: int | None) -> "_Call":
        self._calls.append(_Call(key))
        return self._calls[-1]

    def _announce(self, call: "_Call", name: str) -> ToolCallDelta:
        call.index, call.name = self._emitted, name
        self._emitted += 1
        id_ = call.given_id or new_id("call")
        return ToolCallDelta(call.index, id=id_, name=name, arguments=call.arguments, custom=call.custom)


class _Call:
    __slots__ = ("arguments", "custom", "given_id", "index", "key", "name")

    def __init__(self, key: int | None) -> None:
        self.key = key
        self.given_id = ""
        self.name = ""
        self.index: int | None = None
        self.arguments = ""
        self.custom = False


def shortened(said: Any, *, limit: int = 300, hide: str | None = None) -> str:
    """What a server said, on one line, short enough to be quoted in a message, and without the secret `hide`."""
    text = said if isinstance(said, str) else orjson.dumps(said, default=str).decode()
    text = " ".join(text.replace(hide, "***").split() if hide else text.split())
    return text if len(text) <= limit else f"{text[:limit]}…"


def _arguments(arguments: Any) -> str:
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return orjson.dumps(arguments).decode()


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _parts(parts: list[dict[str, Any]]) -> tuple[str, str]:
    """Text and reasoning of a content that is a list of parts (Mistral's reasoning models)."""
    text = "".join(part.get("text") or "" for part in parts if part["type"] == "text")
    thinking = [part.get("thinking") or () for part in parts if part["type"] == "thinking"]
    return text, "".join(piece["text"] for pieces in thinking for piece in pieces)


def _usage(usage: dict[str, Any]) -> Usage:
    prompt_details = usage.get("prompt_tokens_details") or {}
    completion_details = usage.get("completion_tokens_details") or {}
    return Usage(
        prompt=int(usage.get("prompt_tokens") or 0),
        completion=int(usage.get("completion_tokens") or 0),
        cached=int(prompt_details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or 0),
        reasoning=int(completion_details.get("reasoning_tokens") or 0),
    )
