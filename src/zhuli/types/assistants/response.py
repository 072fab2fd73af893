"""The Response: a run as the Responses API shows it, and what may be asked of it beyond what a run has.

What clients replay is taken in whatever form servers give it: keys that mean nothing here are let through.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Tag, model_validator

from zhuli.types.assistants.assistant import Model, Temperature, TopP
from zhuli.types.assistants.response_items import InputItem
from zhuli.types.assistants.tools import ReasoningEffort
from zhuli.types.wire import Integer, Metadata, Name64, Request, Wire, by_shape, by_type, optional

LONGEST_INPUT = 10_485_760
"""Characters of an input that is a string, as the API has it."""

MOST_ITEMS = 1000
"""Items that a request may bring: one transaction of some tens of milliseconds."""

Include = Literal[
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
]


class Open(BaseModel):
    """A part of a body that may have keys which mean nothing here."""

    model_config = ConfigDict(extra="ignore", strict=True, serialize_by_alias=True)


class ResponseFunction(Open):
    """A function of the client's. Unlike an assistant's its name, description and parameters stand beside the type."""

    type: Literal["function"]
    name: Name64
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ResponseRanking(Open):
    """How results are ranked, and the score (0 to 1) below which they are left out."""

    ranker: str | None = optional()
    score_threshold: float | None = optional(ge=0, le=1)


class ResponseFileSearch(Open):
    """Search in a vector store."""

    type: Literal["file_search"]
    vector_store_ids: list[str] = Field(min_length=1, max_length=20)
    max_num_results: Integer | None = optional(ge=1, le=50)
    ranking_options: ResponseRanking | None = optional()
    filters: dict[str, Any] | None = optional()


class OtherResponseTool(BaseModel):
    """Every other tool by its type: one of this server's own, or one that is refused by name."""

    model_config = ConfigDict(extra="allow", strict=True)

    type: Annotated[str, Field(json_schema_extra={"not": {"enum": ["file_search", "function"]}})]


ResponseTool = Annotated[
    Annotated[ResponseFunction, Tag("~function")]
    | Annotated[ResponseFileSearch, Tag("~file_search")]
    | Annotated[OtherResponseTool, Tag("~other")],
    by_type(others=(frozenset({"function", "file_search"}), "~other")),
]


class NamedTool(Open):
    """A tool that must be called, or may be: a function by its name, another by its type."""

    type: str
    name: str | None = None
    mode: Literal["auto", "required"] | None = None
    tools: Annotated[list[dict[str, Any]], Field(max_length=128)] | None = None


ResponseToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("~word")] | Annotated[NamedTool, Tag("~named")],
    by_shape({dict: "~named", NamedTool: "~named"}, otherwise="~word"),
]


class PlainFormat(Open):
    """An answer in plain text."""

    type: Literal["text"]


class ObjectFormat(Open):
    """An answer that is some JSON object."""

    type: Literal["json_object"]


class SchemaFormat(Open):
    """An answer that satisfies a JSON Schema, which stands beside the type."""

    type: Literal["json_schema"]
    name: Name64
    schema_: dict[str, Any] = Field(alias="schema")
    description: str | None = optional()
    strict: bool | None = None


Format = Annotated[
    Annotated[PlainFormat, Tag("~text")]
    | Annotated[ObjectFormat, Tag("~json_object")]
    | Annotated[SchemaFormat, Tag("~json_schema")],
    by_type(),
]


class TextSettings(Open):
    """How the answer's text is written."""

    format: Format | None = None
    verbosity: Literal["low", "medium", "high"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _format_itself(cls, value: Any) -> Any:
        """AutoGen gives the format in place of what has it."""
        if isinstance(value, dict) and "type" in value and "format" not in value:
            return {"format": value}
        return value


class Reasoning(Open):
    """How much a model thinks, and whether it sums up what it thought."""

    effort: ReasoningEffort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class ConversationId(Open):
    """A conversation by its id."""

    id: str


ConversationParam = Annotated[
    Annotated[str, Tag("~id")] | Annotated[ConversationId, Tag("~object")],
    by_shape({dict: "~object", ConversationId: "~object"}, otherwise="~id"),
]
Input = Annotated[
    Annotated[Annotated[str, Field(max_length=LONGEST_INPUT)], Tag("~string")]
    | Annotated[Annotated[list[InputItem], Field(max_length=MOST_ITEMS)], Tag("~array")],
    by_shape({list: "~array"}, otherwise="~string"),
]

_OF_CHATS = {"messages": "input", "response_format": "text.format", "max_tokens": "max_output_tokens"}
"""What belongs to chat completions, and what it is called here: to pass it by would change what is meant."""


class ResponseCreate(Open):
    """What a response is asked with. `domain` is our addition: the domain that understands what the user says."""

    model: Model
    input: Input | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: ConversationParam | None = None
    store: bool | None = None
    background: bool | None = None
    stream: bool | None = None
    include: Annotated[list[Include], Field(max_length=20)] | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    top_logprobs: Integer | None = Field(default=None, ge=0, le=20)
    max_output_tokens: Integer | None = Field(default=None, ge=16)
    max_tool_calls: Integer | None = Field(default=None, ge=1)
    parallel_tool_calls: bool | None = None
    tools: Annotated[list[ResponseTool], Field(max_length=128)] | None = None
    tool_choice: ResponseToolChoice | None = None
    text: TextSettings | None = None
    reasoning: Reasoning | None = None
    truncation: Literal["auto", "disabled"] | None = None
    service_tier: str | None = None
    safety_identifier: Annotated[str, Field(max_length=64)] | None = None
    prompt_cache_key: str | None = None
    prompt: dict[str, Any] | None = None
    user: str | None = None
    domain: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_chat(cls, value: Any) -> Any:
        for name, here in _OF_CHATS.items() if isinstance(value, dict) else ():
            if name in value:
                raise ValueError(f"there is no '{name}' in the Responses API, it is called '{here}' here")
        return value


class Asked(BaseModel):
    """What a response was asked with that its run can't say. It never changes.

    tools, tool_choice, text_format: as the client gave them, where the run's do not lead back to them.
    """

    instructions: bool = False
    previous_response_id: str | None = None
    conversation: bool = False
    store: bool = True
    background: bool = False
    max_tool_calls: int | None = None
    verbosity: str | None = None
    reasoning_summary: str | None = None
    truncation: Literal["auto", "disabled"] = "disabled"
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    user: str | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None

    @classmethod
    def read(cls, stored: str | None) -> Self | None:
        """What is stored with a run; None where it is no response."""
        return None if stored is None else cls.model_validate_json(stored)


class ResponseError(Wire):
    """Why a response has failed."""

    code: str
    message: str


class ResponseIncompleteDetails(Wire):
    """Why a response breaks off."""

    reason: Literal["max_output_tokens", "content_filter"]


class InputTokensDetails(Wire):
    """Of the tokens that were read."""

    cached_tokens: int = 0
    cache_write_tokens: int = 0


class OutputTokensDetails(Wire):
    """Of the tokens that were written."""

    reasoning_tokens: int = 0


class ResponseUsage(Wire):
    """Tokens of all turns of a response."""

    input_tokens: int
    input_tokens_details: InputTokensDetails = InputTokensDetails()
    output_tokens: int
    output_tokens_details: OutputTokensDetails = OutputTokensDetails()
    total_tokens: int


class ResponseReasoning(Wire):
    """How much the model was to think."""

    effort: str | None = None
    summary: str | None = None


class ConversationReference(Wire):
    """The conversation that a response belongs to."""

    id: str


ResponseStatus = Literal["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]


class Response(Wire):
    """A run, seen by the Responses API. output: items as the API has them, in order."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: ResponseStatus
    background: bool = False
    error: ResponseError | None = None
    incomplete_details: ResponseIncompleteDetails | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    model: str
    output: list[dict[str, Any]] = []
    parallel_tool_calls: bool = True
    previous_response_id: str | None = None
    conversation: ConversationReference | None = optional()
    reasoning: ResponseReasoning = ResponseReasoning()
    store: bool = True
    temperature: float = 1.0
    text: dict[str, Any] = {"format": {"type": "text"}}
    tool_choice: Any = "auto"
    tools: list[dict[str, Any]] = []
    top_logprobs: int = 0
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    truncation: Literal["auto", "disabled"] = "disabled"
    service_tier: str = "default"
    usage: ResponseUsage | None = None
    metadata: dict[str, Any] = {}
    safety_identifier: str | None = optional()
    prompt_cache_key: str | None = optional()
    user: str | None = optional()
    domain: str | None = optional()


class DeletedResponse(Wire):
    """The answer to deleting a response."""

    id: str
    object: Literal["response.deleted"] = "response.deleted"
    deleted: Literal[True] = True


class Item(Wire):
    """An item of a conversation; what it has beside these is its type's."""

    model_config = ConfigDict(extra="allow")

    id: str
    type: str


class ItemList(Wire):
    """A page of items."""

    object: Literal["list"] = "list"
    data: list[dict[str, Any]]
    first_id: str | None
    last_id: str | None
    has_more: bool


class Conversation(Wire):
    """A thread, seen by the Conversations API."""

    id: str
    object: Literal["conversation"] = "conversation"
    created_at: int
    metadata: dict[str, Any] = {}


class DeletedConversation(Wire):
    """The answer to deleting a conversation."""

    id: str
    object: Literal["conversation.deleted"] = "conversation.deleted"
    deleted: Literal[True] = True


MOST_AT_ONCE = 20
"""Items that a conversation takes in one request."""


class ConversationCreate(Request):
    """A new conversation, with its first items."""

    metadata: Metadata | None = None
    items: Annotated[list[InputItem], Field(max_length=MOST_AT_ONCE)] | None = None


class ConversationModify(Request):
    """The one thing of a conversation that a client may change."""

    metadata: Metadata | None


class ItemsCreate(Request):
    """Items to be added to a conversation."""

    items: Annotated[list[InputItem], Field(min_length=1, max_length=MOST_AT_ONCE)]
