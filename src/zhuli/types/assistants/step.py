"""The RunStep: a message or a round of tool calls that a run made."""

from typing import Annotated, Any, Literal

from pydantic import Field

from zhuli.types.assistants.run import RunUsage
from zhuli.types.assistants.tools import RankingOptions
from zhuli.types.wire import Wire, optional


class MessageCreation(Wire):
    """The message that a step made, by its id."""

    message_id: str


class MessageCreationDetails(Wire):
    """A step that made a message."""

    type: Literal["message_creation"] = "message_creation"
    message_creation: MessageCreation


class FunctionCallResult(Wire):
    """`output` is null until the client submits it."""

    name: str
    arguments: str
    output: str | None = None


class FunctionToolCall(Wire):
    """A call of a function of the client's, and its output."""

    id: str
    type: Literal["function"] = "function"
    function: FunctionCallResult


class ResultContent(Wire):
    """A piece of a passage's text."""

    type: Literal["text"] = "text"
    text: str


class FileSearchResult(Wire):
    """A passage that the model was given. The store keeps its content; clients get it when they ask for it.

    section and page are our additions: the headings above it, and the page where it begins.
    """

    file_id: str
    file_name: str
    score: float = Field(ge=0, le=1)
    content: list[ResultContent] | None = optional()
    section: str | None = optional()
    page: int | None = optional()

    @property
    def text(self) -> str:
        """The passage; empty where the content was left out."""
        return "".join(part.text for part in self.content or ())


class FileSearchCall(Wire):
    """Without results until the search is done. `queries` and `called_by` are our additions.

    queries: what was searched for. called_by: the model, or the server before the model's first word.
    """

    queries: list[str] | None = optional()
    called_by: Literal["model", "server"] | None = optional()
    ranking_options: RankingOptions | None = optional()
    results: list[FileSearchResult] | None = optional()


class FileSearchToolCall(Wire):
    """A search in vector stores."""

    id: str
    type: Literal["file_search"] = "file_search"
    file_search: FileSearchCall = FileSearchCall()

    @property
    def is_done(self) -> bool:
        """Whether the search is over; it may have found nothing."""
        return self.file_search.results is not None


ToolCall = Annotated[FunctionToolCall | FileSearchToolCall, Field(discriminator="type")]


class ToolCallsDetails(Wire):
    """A step that called tools: all calls of one turn."""

    type: Literal["tool_calls"] = "tool_calls"
    tool_calls: list[ToolCall] = []


class StepError(Wire):
    """Why a step has failed."""

    code: Literal["server_error", "rate_limit_exceeded"]
    message: str


class RunStep(Wire):
    """A message or a round of tool calls that a run made, with its usage once it is completed."""

    id: str
    object: Literal["thread.run.step"] = "thread.run.step"
    created_at: int
    assistant_id: str
    thread_id: str
    run_id: str
    type: Literal["message_creation", "tool_calls"]
    status: Literal["in_progress", "cancelled", "failed", "completed", "expired"] = "in_progress"
    step_details: Annotated[MessageCreationDetails | ToolCallsDetails, Field(discriminator="type")]
    last_error: StepError | None = None
    expires_at: int | None = None
    expired_at: int | None = None
    cancelled_at: int | None = None
    failed_at: int | None = None
    completed_at: int | None = None
    metadata: dict[str, Any] = {}
    usage: RunUsage | None = None
