"""Chat completions: the request, the whole answer and its streamed chunks.

Parameters that we do not know are kept: they go to the model server, which may know them (vLLM's top_k, for one).
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from zhuli.types.assistants.assistant import Model, Temperature, TopP
from zhuli.types.assistants.tools import (
    FunctionDefinition,
    FunctionTool,
    JsonObjectFormat,
    JsonSchemaFormat,
    ReasoningEffort,
    TextFormat,
)
from zhuli.types.wire import TAG, Integer, Metadata, Name64, Request, Wire, by_shape, by_type, most, optional


class Loose(Request):
    """A part of the request whose unknown fields are passed on."""

    model_config = ConfigDict(extra="allow", strict=True)


class TextPart(Loose):
    """Text in a message's content."""

    type: Literal["text"]
    text: str


class RefusalPart(Loose):
    """What a model said in place of an answer, as the client sends it back."""

    type: Literal["refusal"]
    refusal: str


class ImageSource(Loose):
    """Where an image is: its URL, http(s) or data."""

    url: str


class ImagePart(Loose):
    """An image in a message's content; some servers take the URL alone."""

    type: Literal["image_url"]
    image_url: Annotated[
        Annotated[str, Tag("~string")] | Annotated[ImageSource, Tag("~object")],
        by_shape({str: "~string"}, otherwise="~object"),
    ]


class OtherPart(Loose):
    """A part of a type that we do not know: it goes to the model server as it is."""

    type: str


ChatPart = Annotated[
    Annotated[TextPart, Tag("~text")]
    | Annotated[RefusalPart, Tag("~refusal")]
    | Annotated[ImagePart, Tag("~image_url")]
    | Annotated[OtherPart, Tag("~other")],
    by_type(others=(frozenset({"text", "refusal", "image_url"}), "~other")),
]
ChatContent = Annotated[
    Annotated[str, Tag("~string")] | Annotated[Annotated[list[ChatPart], Field(min_length=1)], Tag("~array")],
    by_shape({list: "~array"}, otherwise="~string"),
]


class CalledChatFunction(Loose):
    """A function that the model called earlier. arguments: JSON as the model wrote it."""

    name: str
    arguments: str


class CalledChatTool(Loose):
    """A custom tool that the model called earlier, with its free text."""

    name: str
    input: str


class ChatFunctionToolCall(Loose):
    """An earlier call of a function, as the client sends it back."""

    id: str
    type: Literal["function"] = "function"
    function: CalledChatFunction


class ChatCustomToolCall(Loose):
    """An earlier call of a custom tool, as the client sends it back."""

    id: str
    type: Literal["custom"]
    custom: CalledChatTool


def _kind_of_call(value: Any) -> str:
    """Some clients leave the type out: a call is one of a function then."""
    kind = value.get("type", "function") if isinstance(value, dict) else getattr(value, "type", "function")
    return f"{TAG}{kind}"


ChatToolCall = Annotated[
    Annotated[ChatFunctionToolCall, Tag("~function")] | Annotated[ChatCustomToolCall, Tag("~custom")],
    Discriminator(_kind_of_call),
]


class ChatMessageInput(Loose):
    """function_call and the role "function" are the API's older form of tool_calls and "tool"."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: ChatContent | None = None
    name: str | None = optional()
    tool_calls: list[ChatToolCall] | None = optional()
    tool_call_id: str | None = optional()
    function_call: CalledChatFunction | None = optional()


class NamedChatFunction(Loose):
    """A function or a custom tool by its name."""

    name: str


class NamedChatTool(Loose):
    """The function that the model must call."""

    type: Literal["function"]
    function: NamedChatFunction


class NamedCustomTool(Loose):
    """The custom tool that the model must call."""

    type: Literal["custom"]
    custom: NamedChatFunction


class CustomTool(Loose):
    """format: {"type": "text"}, or {"type": "grammar", "grammar": {"syntax", "definition"}}."""

    name: Name64
    description: str | None = optional()
    format: dict[str, Any] | None = optional()


class CustomChatTool(Loose):
    """A tool whose input is free text, or text of a grammar."""

    type: Literal["custom"]
    custom: CustomTool


class AllowedTool(Loose):
    """One of the tools that the model may call now."""

    type: Literal["function", "custom"]
    function: NamedChatFunction | None = optional()
    custom: NamedChatFunction | None = optional()


class AllowedTools(Loose):
    """Which of the request's tools the model may call now, and whether it must call one."""

    mode: Literal["auto", "required"]
    tools: list[AllowedTool] = Field(min_length=1, max_length=128)


class AllowedToolsChoice(Loose):
    """A tool choice that names several."""

    type: Literal["allowed_tools"]
    allowed_tools: AllowedTools


ChatTool = Annotated[Annotated[FunctionTool, Tag("~function")] | Annotated[CustomChatTool, Tag("~custom")], by_type()]
ChatToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("~word")]
    | Annotated[NamedChatTool, Tag("~function")]
    | Annotated[NamedCustomTool, Tag("~custom")]
    | Annotated[AllowedToolsChoice, Tag("~allowed_tools")],
    by_type(otherwise="~word"),
]
LegacyChoice = Annotated[
    Annotated[Literal["none", "auto"], Tag("~word")] | Annotated[NamedChatFunction, Tag("~named")],
    by_shape({dict: "~named", NamedChatFunction: "~named"}, otherwise="~word"),
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
    """include_usage: a last chunk has the usage and no choices."""

    include_usage: bool | None = None


class ChatRequest(Loose):
    """A request for a chat completion. functions and function_call are the older form of tools and tool_choice."""

    model: Model
    messages: Annotated[list[ChatMessageInput], most(2_048, least=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[ChatTool] | None = Field(default=None, max_length=128)
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
    top_logprobs: Integer | None = Field(default=None, ge=0, le=20)
    functions: list[FunctionDefinition] | None = Field(default=None, min_length=1, max_length=128)
    function_call: LegacyChoice | None = None
    reasoning_effort: ReasoningEffort | None = None
    user: str | None = None
    metadata: Metadata | None = None
    store: bool | None = None


class ChatFunctionCall(Wire):
    """A function that the model calls. arguments: JSON as the model wrote it, which may be broken."""

    name: str
    arguments: str


class ChatCall(Wire):
    """A call of a function in an answer."""

    id: str
    type: Literal["function"] = "function"
    function: ChatFunctionCall


class ChatCustomInput(Wire):
    """A custom tool that the model calls, with its text."""

    name: str
    input: str


class ChatCustomCall(Wire):
    """A call of a custom tool in an answer."""

    id: str
    type: Literal["custom"] = "custom"
    custom: ChatCustomInput


class ChatLogprobs(Wire):
    """Entries are as the model gave them: {"token", "logprob", "bytes", "top_logprobs"}."""

    content: list[dict[str, Any]] | None
    refusal: list[dict[str, Any]] | None = None


class ChatAnswer(Wire):
    """What the model says: content, a refusal or calls. reasoning_content: what it thought before, if it tells."""

    role: Literal["assistant"] = "assistant"
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = optional()
    tool_calls: list[ChatCall | ChatCustomCall] | None = optional()
    function_call: ChatFunctionCall | None = optional()


class ChatChoice(Wire):
    """One of the answers that were asked for, and why it ends."""

    index: int
    message: ChatAnswer
    logprobs: ChatLogprobs | None = None
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter", "function_call"]


class PromptDetails(Wire):
    """How much of the prompt the model had in memory still."""

    cached_tokens: int = 0


class CompletionDetails(Wire):
    """How much of the answer was thinking."""

    reasoning_tokens: int = 0


class ChatUsage(Wire):
    """Tokens of the prompt and of all answers."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails = PromptDetails()
    completion_tokens_details: CompletionDetails = CompletionDetails()


class ChatCompletion(Wire):
    """A whole answer: the fold of its chunks. created: Unix seconds."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage
    metadata: Metadata | None = optional()


def passed_on(body: ChatRequest) -> dict[str, Any]:
    """The parameters that go to the backend as they are."""
    names = ("stop", "seed", "presence_penalty", "frequency_penalty", "logit_bias", "user", "top_logprobs")
    known = {name: getattr(body, name) for name in names} | {"logprobs": body.logprobs or None}
    return {name: value for name, value in {**known, **(body.model_extra or {})}.items() if value is not None}
