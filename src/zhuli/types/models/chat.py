"""Chat completions: the request, the whole answer and its streamed chunks.

Parameters that we do not know are kept: they go to the model server, which may know them (vLLM's top_k, for one).
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Tag

from zhuli.types.assistants.assistant import Model, Temperature, TopP
from zhuli.types.assistants.tools import FunctionTool, JsonObjectFormat, JsonSchemaFormat, ReasoningEffort, TextFormat
from zhuli.types.wire import Integer, Metadata, Request, Wire, by_shape, by_type, optional


class Loose(Request):
    """A part of the request whose unknown fields are passed on."""

    model_config = ConfigDict(extra="allow", strict=True)


class ChatPart(Loose):
    type: str


ChatContent = Annotated[
    Annotated[str, Tag("~string")] | Annotated[Annotated[list[ChatPart], Field(min_length=1)], Tag("~array")],
    by_shape({list: "~array"}, otherwise="~string"),
]


class CalledChatFunction(Loose):
    name: str
    arguments: str


class ChatToolCall(Loose):
    id: str
    type: Literal["function"] = "function"
    function: CalledChatFunction


class ChatMessageInput(Loose):
    role: Literal["developer", "system", "user", "assistant", "tool"]
    content: ChatContent | None = None
    name: str | None = optional()
    tool_calls: list[ChatToolCall] | None = optional()
    tool_call_id: str | None = optional()


class NamedChatFunction(Loose):
    name: str


class NamedChatTool(Loose):
    type: Literal["function"]
    function: NamedChatFunction


ChatToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("~word")] | Annotated[NamedChatTool, Tag("~named")],
    by_shape({dict: "~named", NamedChatTool: "~named"}, otherwise="~word"),
]
ChatFormat = Annotated[
    Annotated[TextFormat, Tag("~text")]
    | Annotated[JsonObjectFormat, Tag("~json_object")]
    | Annotated[JsonSchemaFormat, Tag("~json_schema")],
    by_type(),
]
Stop = Annotated[
    Annotated[str, Tag("~string")] | Annotated[Annotated[list[str], Field(max_length=4)], Tag("~array")],
    by_shape({list: "~array"}, otherwise="~string"),
]
Penalty = Annotated[float, Field(ge=-2, le=2)]


class StreamOptions(Loose):
    include_usage: bool | None = None


class ChatRequest(Loose):
    model: Model
    messages: list[ChatMessageInput] = Field(min_length=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[FunctionTool] | None = Field(default=None, max_length=128)
    tool_choice: ChatToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ChatFormat | None = None
    max_tokens: Integer | None = Field(default=None, ge=1)
    max_completion_tokens: Integer | None = Field(default=None, ge=1)
    temperature: Temperature | None = None
    top_p: TopP | None = None
    n: Integer | None = Field(default=None, ge=1, le=128)
    stop: Stop | None = None
    seed: Integer | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    reasoning_effort: ReasoningEffort | None = None
    user: str | None = None
    metadata: Metadata | None = None
    store: bool | None = None


class ChatFunctionCall(Wire):
    name: str
    arguments: str


class ChatCall(Wire):
    id: str
    type: Literal["function"] = "function"
    function: ChatFunctionCall


class ChatAnswer(Wire):
    role: Literal["assistant"] = "assistant"
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = optional()
    tool_calls: list[ChatCall] | None = optional()


class ChatChoice(Wire):
    index: int
    message: ChatAnswer
    logprobs: None = None
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter"]


class PromptDetails(Wire):
    cached_tokens: int = 0


class CompletionDetails(Wire):
    reasoning_tokens: int = 0


class ChatUsage(Wire):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails = PromptDetails()
    completion_tokens_details: CompletionDetails = CompletionDetails()


class ChatCompletion(Wire):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage


def passed_on(body: ChatRequest) -> dict[str, Any]:
    """The parameters that go to the backend as they are."""
    known = {
        name: getattr(body, name)
        for name in ("stop", "seed", "presence_penalty", "frequency_penalty", "logit_bias", "user")
    }
    return {name: value for name, value in {**known, **(body.model_extra or {})}.items() if value is not None}
