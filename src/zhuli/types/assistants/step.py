"""The RunStep: a message or a round of tool calls that a run made."""

from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import ConfigDict, Field, Tag

from zhuli.core.errors import InvalidRequest
from zhuli.types.assistants.run import RunUsage
from zhuli.types.assistants.tools import API_TOOLS, OtherType, RankingOptions
from zhuli.types.wire import Wire, by_type, optional


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
    """Without results until the search is done. `queries`, `called_by` and `files_in_progress` are our additions.

    queries: what was searched for. called_by: the model, or the server before the model's first word.
    files_in_progress: files of the stores that were still being read, so that nothing was found in them.
    """

    queries: list[str] | None = optional()
    called_by: Literal["model", "server"] | None = optional()
    files_in_progress: int | None = optional()
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

    @property
    def by_model(self) -> bool:
        """Whether the model asked for it; otherwise the server did."""
        return self.file_search.called_by == "model"

    def streamed(self, arguments: str, *, first: bool) -> dict[str, Any] | None:
        """What followers see while the model writes the call: that there is one."""
        return {} if first else None


class ServerToolCall(Wire):
    """A call of a tool that the server was given beside the API's own: type is the tool's name, and so is the field's.

        {"id": "call_…", "type": "weather", "weather": {"name": "forecast", "arguments": "{…}", "output": null}}

    name: the function that the model called. arguments: JSON as the model wrote it. output: what the model reads of it,
    null until it is done. A tool may add fields of its own to these three.
    """

    model_config = ConfigDict(extra="allow")

    id: str
    type: OtherType

    @classmethod
    def asked(cls, tool: str, call_id: str, function: str, arguments: str, **more: Any) -> Self:
        """A call that is not done yet. more: fields of the tool's own."""
        body = {"name": function, "arguments": arguments, "output": None, **more}
        return cls.model_validate({"id": call_id, "type": tool, tool: body})

    @property
    def body(self) -> dict[str, Any]:
        """What stands under the tool's name."""
        found: dict[str, Any] = (self.model_extra or {})[self.type]
        return found

    @property
    def name(self) -> str:
        """The function that was called."""
        return str(self.body["name"])

    @property
    def output(self) -> str | None:
        """What the model reads of it; None until it is done."""
        output: str | None = self.body["output"]
        return output

    @property
    def given(self) -> dict[str, Any]:
        """The arguments; InvalidRequest where the model did not write a JSON object."""
        try:
            given = orjson.loads(self.body["arguments"] or "{}")
        except orjson.JSONDecodeError as error:
            raise InvalidRequest(f"The arguments of {self.name} are not JSON: {error}.") from error
        if not isinstance(given, dict):
            raise InvalidRequest(f"The arguments of {self.name} are not a JSON object.")
        return given

    @property
    def is_done(self) -> bool:
        """Whether there is an output."""
        return self.output is not None

    @property
    def by_model(self) -> bool:
        """Always: the server calls none of these by itself."""
        return True

    def answered(self, output: str, **more: Any) -> Self:
        """The call with its output. more: fields of the tool's own."""
        return self.model_validate(
            {"id": self.id, "type": self.type, self.type: {**self.body, **more, "output": output}}
        )

    def streamed(self, arguments: str, *, first: bool) -> dict[str, Any] | None:
        """What followers see while the model writes the call. arguments: the piece that came; first: of the call."""
        return {**self.body, "arguments": arguments} if first else {"arguments": arguments}


ServerCall = FileSearchToolCall | ServerToolCall
"""Calls that the server answers. A further one of the API's own needs id, type and the members that these have in common."""

ToolCall = Annotated[
    Annotated[FunctionToolCall, Tag("~function")]
    | Annotated[FileSearchToolCall, Tag("~file_search")]
    | Annotated[ServerToolCall, Tag("~server")],
    by_type(others=(API_TOOLS, "~server")),
]


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
