"""Tools, what they may use, and how a model is made to use them."""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from zhuli.types.wire import Integer, Metadata, Name64, Request, by_shape, by_type, optional


class FunctionDefinition(Request):
    """A function of the client's. `parameters` is a JSON Schema."""

    name: Name64
    description: str | None = optional()
    parameters: dict[str, Any] | None = optional()
    strict: bool | None = False


class FunctionTool(Request):
    type: Literal["function"]
    function: FunctionDefinition


class CodeInterpreterTool(Request):
    type: Literal["code_interpreter"]


class RankingOptions(Request):
    ranker: Literal["auto", "default_2024_08_21"] = "default_2024_08_21"
    score_threshold: float = Field(ge=0, le=1)


class FileSearchSettings(Request):
    max_num_results: Integer | None = optional(ge=1, le=50)
    ranking_options: RankingOptions | None = optional()


class FileSearchTool(Request):
    type: Literal["file_search"]
    file_search: FileSearchSettings | None = optional()


class FileSearchAttachment(Request):
    """On a message's attachment the tool has no settings."""

    type: Literal["file_search"]


AssistantTool = Annotated[
    Annotated[CodeInterpreterTool, Tag("~code_interpreter")]
    | Annotated[FileSearchTool, Tag("~file_search")]
    | Annotated[FunctionTool, Tag("~function")],
    by_type(),
]
AttachmentTool = Annotated[
    Annotated[CodeInterpreterTool, Tag("~code_interpreter")] | Annotated[FileSearchAttachment, Tag("~file_search")],
    by_type(),
]


class CodeInterpreterResources(Request):
    file_ids: list[str] = Field(default=[], max_length=20)


class FileSearchResources(Request):
    vector_store_ids: list[str] = Field(default=[], max_length=1)


class ToolResources(Request):
    """Which files and vector stores the built-in tools may use."""

    code_interpreter: CodeInterpreterResources | None = optional()
    file_search: FileSearchResources | None = optional()


class StaticChunking(Request):
    max_chunk_size_tokens: Integer = Field(ge=100, le=4096)
    chunk_overlap_tokens: Integer = Field(ge=0)


class StaticChunkingStrategy(Request):
    type: Literal["static"]
    static: StaticChunking


class AutoChunkingStrategy(Request):
    type: Literal["auto"]


ChunkingStrategy = Annotated[
    Annotated[AutoChunkingStrategy, Tag("~auto")] | Annotated[StaticChunkingStrategy, Tag("~static")], by_type()
]


class NewVectorStore(Request):
    """The helper of the create calls: a vector store made on the way."""

    file_ids: list[str] = Field(default=[], max_length=10000)
    chunking_strategy: ChunkingStrategy | None = optional()
    metadata: Metadata | None = None


class NewFileSearchResources(Request):
    vector_store_ids: list[str] = Field(default=[], max_length=1)
    vector_stores: list[NewVectorStore] | None = Field(default=None, max_length=1)


class NewToolResources(Request):
    """ToolResources of a create call, with the vector store helper."""

    code_interpreter: CodeInterpreterResources | None = optional()
    file_search: NewFileSearchResources | None = optional()


class NamedFunction(Request):
    name: str


class NamedToolChoice(Request):
    type: Literal["function", "code_interpreter", "file_search"]
    function: NamedFunction | None = optional()


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("~word")] | Annotated[NamedToolChoice, Tag("~named")],
    by_shape({dict: "~named", NamedToolChoice: "~named"}, otherwise="~word"),
]


class TextFormat(Request):
    type: Literal["text"]


class JsonObjectFormat(Request):
    type: Literal["json_object"]


class JsonSchema(Request):
    name: Name64
    description: str | None = optional()
    schema_: dict[str, Any] | None = optional(alias="schema")
    strict: bool | None = False


class JsonSchemaFormat(Request):
    type: Literal["json_schema"]
    json_schema: JsonSchema


ResponseFormat = Annotated[
    Annotated[Literal["auto"], Tag("~word")]
    | Annotated[TextFormat, Tag("~text")]
    | Annotated[JsonObjectFormat, Tag("~json_object")]
    | Annotated[JsonSchemaFormat, Tag("~json_schema")],
    by_type(otherwise="~word"),
]

ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class TruncationStrategy(Request):
    """How much of a thread a run reads: as much as fits, or its newest messages."""

    type: Literal["auto", "last_messages"]
    last_messages: Integer | None = Field(default=None, ge=1)
