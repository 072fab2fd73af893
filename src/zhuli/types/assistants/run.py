"""The Run: one piece of work of an assistant on a thread, and how its states follow each other."""

from typing import Annotated, Any, Literal

from pydantic import Field

from zhuli.types.assistants.assistant import Model, Temperature, TopP
from zhuli.types.assistants.message import MOST_MESSAGES, MessageCreate
from zhuli.types.assistants.thread import ThreadCreate
from zhuli.types.assistants.tools import (
    AssistantTool,
    ReasoningEffort,
    ResponseFormat,
    ToolChoice,
    ToolResources,
    TruncationStrategy,
)
from zhuli.types.safety.guard import GuardDecision, Guards
from zhuli.types.wire import Integer, Metadata, Request, Wire, optional

RunStatus = Literal[
    "queued",
    "in_progress",
    "requires_action",
    "cancelling",
    "cancelled",
    "failed",
    "completed",
    "incomplete",
    "expired",
]

TERMINAL: frozenset[str] = frozenset({"cancelled", "failed", "completed", "incomplete", "expired"})

FOLLOWS: dict[str, frozenset[str]] = {
    "queued": frozenset({"queued", "in_progress", "cancelling", "expired", "failed"}),
    "in_progress": frozenset({"in_progress", "requires_action", "cancelling"}) | TERMINAL,
    "requires_action": frozenset({"queued", "cancelling", "expired"}),
    "cancelling": frozenset({"cancelled", "expired", "failed"}),
}
"""Which status may follow which; a terminal status is followed by none."""

Budget = Annotated[Integer, Field(ge=256)]


class RunCreate(Request):
    """`domain` is our addition: another domain than the assistant's, or "none"."""

    assistant_id: str
    model: Model | None = None
    reasoning_effort: ReasoningEffort | None = None
    instructions: str | None = None
    additional_instructions: str | None = None
    additional_messages: Annotated[list[MessageCreate], Field(max_length=MOST_MESSAGES)] | None = None
    tools: Annotated[list[AssistantTool], Field(max_length=20)] | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    stream: bool | None = None
    max_prompt_tokens: Budget | None = None
    max_completion_tokens: Budget | None = None
    truncation_strategy: TruncationStrategy | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    domain: str | None = None


class ThreadRunCreate(Request):
    """Create a thread and run it."""

    assistant_id: str
    thread: ThreadCreate | None = None
    model: Model | None = None
    reasoning_effort: ReasoningEffort | None = None
    instructions: str | None = None
    tools: Annotated[list[AssistantTool], Field(max_length=20)] | None = None
    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    stream: bool | None = None
    max_prompt_tokens: Budget | None = None
    max_completion_tokens: Budget | None = None
    truncation_strategy: TruncationStrategy | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    domain: str | None = None


class MetadataModify(Request):
    """The one thing of a run that a client may change."""

    metadata: Metadata | None = None


class ToolOutput(Request):
    """What the client's function gave for the call of this id."""

    tool_call_id: str
    output: str = ""


class ToolOutputsSubmit(Request):
    """Outputs of all calls that a run waits for; with stream the run's events follow."""

    tool_outputs: list[ToolOutput]
    stream: bool | None = None


class CalledFunction(Wire):
    """A function as the model calls it. arguments: JSON as the model wrote it, which may be broken."""

    name: str
    arguments: str


class RequiredToolCall(Wire):
    """A call of a function that the client is to make."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class RequiredOutputs(Wire):
    """All calls whose outputs a run waits for."""

    tool_calls: list[RequiredToolCall]


class RequiredAction(Wire):
    """What a run that requires_action waits for."""

    type: Literal["submit_tool_outputs"] = "submit_tool_outputs"
    submit_tool_outputs: RequiredOutputs


class LastError(Wire):
    """Why a run has failed: a code to act on, a message to read."""

    code: Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]
    message: str


class RunIncompleteDetails(Wire):
    """Which budget of tokens a run has used up."""

    reason: Literal["max_completion_tokens", "max_prompt_tokens"]


class RunUsage(Wire):
    """Tokens of all turns of a run."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class Run(Wire):
    """The fold of its log. expires_at and the other times: Unix seconds, null until they come."""

    id: str
    object: Literal["thread.run"] = "thread.run"
    created_at: int
    thread_id: str
    assistant_id: str
    status: RunStatus = "queued"
    required_action: RequiredAction | None = None
    last_error: LastError | None = None
    expires_at: int | None = None
    started_at: int | None = None
    cancelled_at: int | None = None
    failed_at: int | None = None
    completed_at: int | None = None
    incomplete_details: RunIncompleteDetails | None = None
    model: str
    instructions: str = ""
    tools: list[AssistantTool] = []
    tool_resources: ToolResources | None = ToolResources()
    metadata: dict[str, Any] = {}
    usage: RunUsage | None = None
    temperature: float | None = 1.0
    top_p: float | None = 1.0
    max_prompt_tokens: int | None = None
    max_completion_tokens: int | None = None
    truncation_strategy: TruncationStrategy | None = TruncationStrategy(type="auto")
    tool_choice: ToolChoice | None = "auto"
    parallel_tool_calls: bool = True
    response_format: ResponseFormat | None = "auto"
    reasoning_effort: ReasoningEffort | None = None
    domain: str | None = optional()
    guards: Guards | None = optional()
    guarded: list[GuardDecision] | None = optional()
