"""One answer of llama.cpp: its chunks read into Deltas, its tool calls found, its promises checked.

The shapes of chunks are completion_chunks' part and calls in text are tool_calls'; this knows what is peculiar to the engine.
"""

import json
from collections.abc import Sequence
from typing import Any

from zhuli.core.errors import BackendError, RunErrorCode
from zhuli.models.engines.completion_chunks import CompletionReader
from zhuli.models.engines.repetition import Repetition
from zhuli.models.engines.token_logprobs import Logprob
from zhuli.models.engines.tool_calls import ToolCallText
from zhuli.models.engines.tool_prompt import offered_tools
from zhuli.types.models.generation import Delta, GenerationRequest, Usage

_NO_GRAMMAR = "llama.cpp can't use the schema of the tool or of the response format; its log says why."


class Answer:
    """Feed it chunks; `close` gives the last delta.

    Calls in the template's form are parsed by the engine already, others are found in the text.
    """

    def __init__(self, request: GenerationRequest) -> None:
        self._request = request
        self._reader = CompletionReader()
        self._repetition = Repetition()
        self._calls = ToolCallText({tool["function"]["name"] for tool in offered_tools(request)})
        self._parsed_there = False
        self._text: list[str] = []
        self._usage: Usage | None = None

    @property
    def stutters(self) -> bool:
        """Whether the rest is not worth waiting for."""
        return self._calls.stutters or self._repetition.loops

    def read(self, chunks: Sequence[dict[str, Any]]) -> Delta:
        """What these add to the answer, as one piece: whoever is late gets more at a time."""
        deltas = [delta for chunk in chunks if (delta := self._read(chunk))]
        return Delta(
            "".join(delta.text for delta in deltas),
            "".join(delta.reasoning for delta in deltas),
            tool_calls=tuple(call for delta in deltas for call in delta.tool_calls),
            logprobs=tuple(self._shown(token) for delta in deltas for token in delta.logprobs),
        )

    def close(self) -> Delta:
        """The last delta; BackendError if the answer is not what was asked for. What loops was cut: "length"."""
        if self._calls.stutters:
            return Delta(finish="tool_calls", usage=self._usage)
        if self._repetition.loops:
            return Delta(finish="length", usage=self._usage)
        if not self._reader.finished:
            raise BackendError("llama.cpp ended the answer without saying why.")
        last = self._reader.close()
        held = self._calls.close(cut_off=last.finish == "length")
        finish = "tool_calls" if self._calls.calls and last.finish == "stop" else last.finish
        if finish == "stop":
            self._check("".join((*self._text, held.text)))
        return Delta(held.text, tool_calls=last.tool_calls + held.tool_calls, finish=finish, usage=last.usage)

    def _check(self, text: str) -> None:
        """The engine ignores a grammar that it can't compile, and only logs it."""
        forced = self._request.tool_choice not in ("auto", "none") and self._request.tools
        if forced:
            raise BackendError(f"The model did not call a tool as it must. {_NO_GRAMMAR}", run_code="invalid_prompt")
        if (self._request.response_format or {}).get("type", "text") != "text" and not _is_json(text):
            raise BackendError(f"The answer is not JSON as it must be. {_NO_GRAMMAR}", run_code="invalid_prompt")

    def _read(self, chunk: dict[str, Any]) -> Delta | None:
        if error := chunk.get("error"):
            raise _failure(error)
        if timings := chunk.get("timings"):
            self._usage = Usage(timings["cache_n"] + timings["prompt_n"], timings["predicted_n"], timings["cache_n"])
        delta = self._reader.read(chunk)
        if delta is None:
            return None
        self._repetition.feed(delta.text or delta.reasoning)
        self._parsed_there = self._parsed_there or bool(delta.tool_calls)
        if not delta.text or self._parsed_there:
            return delta
        found = self._calls.feed(delta.text)
        self._text.append(found.text)
        return Delta(found.text, delta.reasoning, tool_calls=found.tool_calls, logprobs=delta.logprobs)

    def _shown(self, token: Logprob) -> Logprob:
        """With as many others beside it as were asked for."""
        return {**token, "top_logprobs": token["top_logprobs"][: self._request.extra.get("top_logprobs") or 0]}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _failure(error: dict[str, Any]) -> BackendError:
    if error.get("type") == "exceed_context_size_error":
        return BackendError(
            f"The prompt has {error['n_prompt_tokens']} tokens and the model's context window {error['n_ctx']}.",
            run_code="invalid_prompt",
        )
    run_code: RunErrorCode = "invalid_prompt" if error.get("code") == 400 else "server_error"
    return BackendError(f"llama.cpp: {error.get('message', error)}", run_code=run_code)
