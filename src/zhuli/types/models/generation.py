"""What goes into a backend and what comes out of it.

Plain slotted dataclasses: they are made per token, and they never cross the wire as they are. Messages and tools keep the
shape of the chat completions API, which every model server reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

ChatMessage = dict[str, Any]
"""{"role": system|user|assistant|tool, "content": str | parts | None, "tool_calls"?: […], "tool_call_id"?: str}"""

ToolDefinition = dict[str, Any]
"""{"type": "function", "function": {"name", "description"?, "parameters"?, "strict"?}}; for backends with the ability
"custom_tools" also {"type": "custom", "custom": {"name", "description"?, "format"?}}"""

ToolChoice = str | dict[str, Any]
""""none", "auto", "required" or {"type": "function", "function": {"name": …}}; likewise for "custom"."""

Ability = Literal["logprobs", "custom_tools", "raw_prompts"]
"""What a backend may do beyond chats with function tools: give the probabilities of tokens, call tools that take free text,
go on with a text as it is."""

Finish = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one model call. `cached` of the prompt tokens came from a prefix cache."""

    prompt: int
    completion: int
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call.

    Indexes start at 0 without gaps. The first piece of an index carries `id` and `name`, the later ones only `arguments`
    (a fragment of a JSON text, of a custom tool's call: of its input). Calls may interleave.
    """

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Delta:
    """A streamed piece of an answer. The last one, and only it, has `finish`, and `usage` when the backend knows it.

    logprobs: of the piece's tokens, as the API has them ({"token", "logprob", "bytes", "top_logprobs"}), if asked for.
    """

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    finish: Finish | None = None
    usage: Usage | None = None
    logprobs: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One call of a model.

    messages: chat completions messages, oldest first.
    tools: function tools only; tool_choice counts only with tools.
    response_format: {"type": "text" | "json_object" | "json_schema", …}, None for text.
    max_tokens: most new tokens; None for the backend's own limit.
    cache_key: requests with the same key (a thread's id) grow by a suffix, so a backend may keep their prefix.
    extra: further parameters of the chat completions API, passed on as they are by backends that can
        (stop, seed, presence_penalty, frequency_penalty, logit_bias, user …); logprobs and top_logprobs only for backends
        with the ability.
    prompt: a text to be gone on with. Backends with the ability "raw_prompts" take it instead of the messages, which say
        the same to the others.
    """

    messages: Sequence[ChatMessage]
    tools: Sequence[ToolDefinition] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    response_format: dict[str, Any] | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    reasoning_effort: str | None = None
    cache_key: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    prompt: str | None = None
