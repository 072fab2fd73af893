"""The RunStep: a message or a round of tool calls that a run made."""

from typing import Annotated, Any, Literal

from pydantic import Field

from zhuli.types.run import RunUsage
from zhuli.types.wire import Wire


class MessageCreation(Wire):
    message_id: str


class MessageCreationDetails(Wire):
    type: Literal["message_creation"] = "message_creation"
    message_creation: MessageCreation


class FunctionCallResult(Wire):
    """`output` is null until the client submits it."""

    name: str
    arguments: str
    output: str | None = None


class FunctionToolCall(Wire):
    id: str
    type: Literal["function"] = "function"
    function: FunctionCallResult


class ToolCallsDetails(Wire):
    type: Literal["tool_calls"] = "tool_calls"
    tool_calls: list[FunctionToolCall] = []


class StepError(Wire):
    code: Literal["server_error", "rate_limit_exceeded"]
    message: str


class RunStep(Wire):
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
