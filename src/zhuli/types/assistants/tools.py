"""Tools, what they may use, and how a model is made to use them."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Tag

from zhuli.types.wire import Integer, Metadata, Name64, Request, by_shape, by_type, optional


class FunctionDefinition(Request):
    """A function of the client's. `parameters` is a JSON Schema."""

    name: Name64
    description: str | None = optional()
    parameters: dict[str, Any] | None = optional()
    strict: bool | None = False


class FunctionTool(Request):
    """A function of the client's as a tool."""

    type: Literal["function"]
    function: FunctionDefinition


class CodeInterpreterTool(Request):
    """A tool that may be named; models are not offered it."""

    type: Literal["code_interpreter"]


class RankingOptions(Request):
    """How results are ranked, and the score (0 to 1) below which they are left out."""

    ranker: Literal["auto", "default_2024_08_21"] = "default_2024_08_21"
    score_threshold: float = Field(ge=0, le=1)


class FileSearchSettings(Request):
    """How many passages a search gives, and how they are ranked; what is left out takes our defaults."""

    max_num_results: Integer | None = optional(ge=1, le=50)
    ranking_options: RankingOptions | None = optional()


class FileSearchTool(Request):
    """Search in the vector stores that tool_resources name."""

    type: Literal["file_search"]
    file_search: FileSearchSettings | None = optional()


class FileSearchAttachment(Request):
    """On a message's attachment the tool has no settings."""

    type: Literal["file_search"]


API_TOOLS = frozenset({"code_interpreter", "file_search", "function"})
"""Types of tools that the API itself has."""

OtherType = Annotated[str, Field(json_schema_extra={"not": {"enum": sorted(API_TOOLS)}})]
"""The type of a tool that the API does not have."""


class ServerTool(Request):
    """A tool that the server was given beside the API's own, by its name: {"type": "weather", "weather": {settings}}.

    Which there are, and what their settings may be, is checked when an assistant or a run is saved.
    """

    model_config = ConfigDict(extra="allow", strict=True, serialize_by_alias=True)

    type: OtherType

    @property
    def settings(self) -> dict[str, Any]:
        """What stands under the tool's name; {} where nothing does."""
        given = (self.model_extra or {}).get(self.type)
        return given if isinstance(given, dict) else {}


AssistantTool = Annotated[
    Annotated[CodeInterpreterTool, Tag("~code_interpreter")]
    | Annotated[FileSearchTool, Tag("~file_search")]
    | Annotated[FunctionTool, Tag("~function")]
    | Annotated[ServerTool, Tag("~server")],
    by_type(others=(API_TOOLS, "~server")),
]
AttachmentTool = Annotated[
    Annotated[CodeInterpreterTool, Tag("~code_interpreter")] | Annotated[FileSearchAttachment, Tag("~file_search")],
    by_type(),
]


class CodeInterpreterResources(Request):
    """Files for the code interpreter, by their ids."""

    file_ids: list[str] = Field(default=[], max_length=20)


class FileSearchResources(Request):
    """The vector store to search, by its id."""

    vector_store_ids: list[str] = Field(default=[], max_length=1)


class ToolResources(Request):
    """Which files and vector stores the built-in tools may use."""

    code_interpreter: CodeInterpreterResources | None = optional()
    file_search: FileSearchResources | None = optional()


class StaticChunking(Request):
    """How long a chunk may be, and how much of it the next one repeats, both in tokens."""

    max_chunk_size_tokens: Integer = Field(ge=100, le=4096)
    chunk_overlap_tokens: Integer = Field(ge=0)


class StaticChunkingStrategy(Request):
    """Chunks of a length that the client chooses."""

    type: Literal["static"]
    static: StaticChunking


class AutoChunkingStrategy(Request):
    """Chunks of the usual length, see AUTO of vector_store."""

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
    """A vector store by its id, or one to be made on the way; not both."""

    vector_store_ids: list[str] = Field(default=[], max_length=1)
    vector_stores: list[NewVectorStore] | None = Field(default=None, max_length=1)


class NewToolResources(Request):
    """ToolResources of a create call, with the vector store helper."""

    code_interpreter: CodeInterpreterResources | None = optional()
    file_search: NewFileSearchResources | None = optional()


class NamedFunction(Request):
    """A function by its name."""

    name: str


class NamedToolChoice(Request):
    """The tool that the model must call first. function: only of type "function". Other types: names of ServerTools."""

    type: str
    function: NamedFunction | None = optional()


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("~word")] | Annotated[NamedToolChoice, Tag("~named")],
    by_shape({dict: "~named", NamedToolChoice: "~named"}, otherwise="~word"),
]


class TextFormat(Request):
    """An answer in plain text."""

    type: Literal["text"]


class JsonObjectFormat(Request):
    """An answer that is some JSON object."""

    type: Literal["json_object"]


class JsonSchema(Request):
    """The JSON Schema that an answer must satisfy."""

    name: Name64
    description: str | None = optional()
    schema_: dict[str, Any] | None = optional(alias="schema")
    strict: bool | None = False


class JsonSchemaFormat(Request):
    """An answer that satisfies a JSON Schema."""

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
