"""The VectorStore, its files, their batches, and searching it."""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from zhuli.core.errors import FileErrorCode, InvalidRequest
from zhuli.types.assistants.tools import ChunkingStrategy, StaticChunking, StaticChunkingStrategy
from zhuli.types.wire import Integer, Metadata, Request, Wire, by_shape, by_type, optional

AttributeValue = Annotated[
    Annotated[Annotated[str, Field(max_length=512)], Tag("~string")]
    | Annotated[bool, Tag("~boolean")]
    | Annotated[int, Tag("~integer")]
    | Annotated[Annotated[float, Field(allow_inf_nan=False)], Tag("~number")],
    by_shape({bool: "~boolean", int: "~integer", float: "~number"}, otherwise="~string"),
]
FileAttributes = Annotated[dict[Annotated[str, Field(max_length=64)], AttributeValue], Field(max_length=16)]


class ExpiresAfter(Request):
    """Days without use after which the store expires."""

    anchor: Literal["last_active_at"]
    days: Integer = Field(ge=1, le=365)


class FileCounts(Wire):
    """How many of a store's or a batch's files stand where."""

    in_progress: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    total: int = 0


class VectorStoreCreate(Request):
    """`embedder` is our addition: the name of one in the models file."""

    file_ids: list[str] = Field(default=[], max_length=500)
    name: str | None = None
    description: str | None = None
    expires_after: ExpiresAfter | None = None
    chunking_strategy: ChunkingStrategy | None = None
    metadata: Metadata | None = None
    embedder: str | None = None


class VectorStoreModify(Request):
    """Each given field overwrites; null takes the name or the expiry away."""

    name: str | None = None
    expires_after: ExpiresAfter | None = None
    metadata: Metadata | None = None


class VectorStore(Wire):
    """`status`, `file_counts` and `usage_bytes` are counted from the store's files whenever it is shown.

    `embedder` is our addition: what its files are embedded with.
    """

    id: str
    object: Literal["vector_store"] = "vector_store"
    created_at: int
    name: str = ""
    description: str | None = optional()
    usage_bytes: int = 0
    file_counts: FileCounts = FileCounts()
    status: Literal["expired", "in_progress", "completed"] = "completed"
    expires_after: ExpiresAfter | None = optional()
    expires_at: int | None = None
    last_active_at: int | None = None
    metadata: dict[str, Any] = {}
    embedder: str | None = optional()


class VectorStoreFileCreate(Request):
    """A file to be attached, how it is cut, and attributes to filter by."""

    file_id: str
    chunking_strategy: ChunkingStrategy | None = None
    attributes: FileAttributes | None = None


AUTO = StaticChunkingStrategy(type="static", static=StaticChunking(max_chunk_size_tokens=800, chunk_overlap_tokens=400))
"""What "auto" means, as the original documented it."""


def chunking_of(asked: ChunkingStrategy | None) -> StaticChunkingStrategy:
    """How a file is to be cut; InvalidRequest for an overlap of more than half a chunk."""
    if not isinstance(asked, StaticChunkingStrategy):
        return AUTO
    most = asked.static.max_chunk_size_tokens // 2
    if asked.static.chunk_overlap_tokens > most:
        raise InvalidRequest(
            f"Invalid 'chunking_strategy': chunk_overlap_tokens must not exceed half of max_chunk_size_tokens. "
            f"Expected a value <= {most}, but got {asked.static.chunk_overlap_tokens} instead.",
            param="chunking_strategy.static.chunk_overlap_tokens",
            code="invalid_value",
        )
    return asked


class VectorStoreFileModify(Request):
    """The attributes that the file has from now on; null: none."""

    attributes: FileAttributes | None


class FileError(Wire):
    """Why a file could not be ingested."""

    code: FileErrorCode
    message: str


FileStatus = Literal["in_progress", "completed", "cancelled", "failed"]


class VectorStoreFile(Wire):
    """`id` is the file's."""

    id: str
    object: Literal["vector_store.file"] = "vector_store.file"
    created_at: int
    vector_store_id: str
    status: FileStatus = "in_progress"
    usage_bytes: int = 0
    last_error: FileError | None = None
    chunking_strategy: StaticChunkingStrategy
    attributes: dict[str, Any] = {}


class FileBatchCreate(Request):
    """Either file_ids, which share the chunking strategy and the attributes, or files, each with its own."""

    file_ids: list[str] | None = Field(default=None, min_length=1, max_length=2000)
    files: list[VectorStoreFileCreate] | None = Field(default=None, min_length=1, max_length=2000)
    chunking_strategy: ChunkingStrategy | None = None
    attributes: FileAttributes | None = None


class FileBatch(Wire):
    """Files that were attached together. Its status is counted from theirs."""

    id: str
    object: Literal["vector_store.files_batch"] = "vector_store.files_batch"
    created_at: int
    vector_store_id: str
    status: FileStatus = "in_progress"
    file_counts: FileCounts = FileCounts()


class FileContentPart(Wire):
    """A piece of text: of a file, or of a passage that was found."""

    type: Literal["text"] = "text"
    text: str


class FileContentPage(Wire):
    """What was read of a file, chunk by chunk."""

    object: Literal["vector_store.file_content.page"] = "vector_store.file_content.page"
    data: list[FileContentPart]
    has_more: bool = False
    next_page: str | None = None


ComparedValue = str | bool | Integer | float | list[str | Integer | float]


class ComparisonFilter(Request):
    """Files whose attribute `key` compares so with `value`; in and nin take a list."""

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]
    key: str
    value: ComparedValue


class CompoundFilter(Request):
    """All of the filters, or any of them."""

    type: Literal["and", "or"]
    filters: list["Filter"]


Filter = Annotated[
    Annotated[ComparisonFilter, Tag("~eq")]
    | Annotated[ComparisonFilter, Tag("~ne")]
    | Annotated[ComparisonFilter, Tag("~gt")]
    | Annotated[ComparisonFilter, Tag("~gte")]
    | Annotated[ComparisonFilter, Tag("~lt")]
    | Annotated[ComparisonFilter, Tag("~lte")]
    | Annotated[ComparisonFilter, Tag("~in")]
    | Annotated[ComparisonFilter, Tag("~nin")]
    | Annotated[CompoundFilter, Tag("~and")]
    | Annotated[CompoundFilter, Tag("~or")],
    by_type(),
]


class SearchRanking(Request):
    """none: by the fused score of vectors and words; otherwise reranked. score_threshold: 0 to 1."""

    ranker: Literal["none", "auto", "default-2024-11-15"] = "auto"
    score_threshold: float = Field(default=0, ge=0, le=1)


class SearchRequest(Request):
    """A query, or several whose results are joined."""

    query: str | list[str]
    rewrite_query: bool = False
    max_num_results: Integer = Field(default=10, ge=1, le=50)
    filters: Filter | None = None
    ranking_options: SearchRanking | None = None


class SearchResult(Wire):
    """A passage. score: 0 to 1, more is better.

    section, page and table_header are our additions: the headings above it, outermost first; the page where it begins; and
    for a passage out of the middle of a table that table's first row, as Markdown. Each is there only where it is known.
    """

    file_id: str
    filename: str
    score: float
    attributes: dict[str, Any]
    content: list[FileContentPart]
    section: str | None = optional()
    page: int | None = optional()
    table_header: str | None = optional()


class SearchResults(Wire):
    """Passages, best first, and the queries that found them."""

    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    search_query: list[str]
    data: list[SearchResult]
    has_more: bool = False
    next_page: str | None = None
