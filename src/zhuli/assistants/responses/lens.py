"""A run as a Response, and its settings back and forth. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from zhuli.assistants.responses import items
from zhuli.assistants.responses.ids import conversation_id, response_id
from zhuli.types.assistants.response import (
    Asked,
    ConversationReference,
    Response,
    ResponseError,
    ResponseIncompleteDetails,
    ResponseReasoning,
    ResponseStatus,
    ResponseUsage,
)
from zhuli.types.assistants.run import Run
from zhuli.types.assistants.tools import (
    AssistantTool,
    FileSearchTool,
    FunctionTool,
    JsonObjectFormat,
    JsonSchemaFormat,
    NamedToolChoice,
    ServerTool,
)

_STATUS: dict[str, ResponseStatus] = {
    "in_progress": "in_progress",
    "requires_action": "completed",
    "cancelling": "cancelled",
    "cancelled": "cancelled",
    "completed": "completed",
    "incomplete": "incomplete",
    "failed": "failed",
    "expired": "failed",
}

_EXPIRED = ResponseError(code="server_error", message="The response was not done by the time at which its run expires.")


def status_of(run: Run, asked: Asked) -> ResponseStatus:
    """What a response's status is when its run's is this; what waits for the client's functions is complete."""
    if run.status == "queued":
        return "queued" if asked.background else "in_progress"
    return _STATUS[run.status]


def response_of(run: Run, asked: Asked, output: Sequence[dict[str, Any]]) -> Response:
    """The run as a response."""
    status = status_of(run, asked)
    usage = run.usage
    return Response(
        id=response_id(run.id),
        created_at=run.created_at,
        completed_at=run.completed_at if status == "completed" else None,
        status=status,
        background=asked.background,
        error=_error(run),
        incomplete_details=ResponseIncompleteDetails(reason="max_output_tokens") if status == "incomplete" else None,
        instructions=run.instructions if asked.instructions else None,
        max_output_tokens=run.max_completion_tokens,
        max_tool_calls=asked.max_tool_calls,
        model=run.model,
        output=list(output),
        parallel_tool_calls=run.parallel_tool_calls,
        previous_response_id=asked.previous_response_id,
        conversation=ConversationReference(id=conversation_id(run.thread_id)) if asked.conversation else None,
        reasoning=ResponseReasoning(effort=run.reasoning_effort, summary=asked.reasoning_summary),
        store=asked.store,
        temperature=1.0 if run.temperature is None else run.temperature,
        text=_text(run, asked),
        tool_choice=_choice(run) if asked.tool_choice is None else asked.tool_choice,
        tools=tools_of(run) if asked.tools is None else asked.tools,
        top_p=1.0 if run.top_p is None else run.top_p,
        truncation=asked.truncation,
        usage=None
        if usage is None
        else ResponseUsage(
            input_tokens=usage.prompt_tokens,
            output_tokens=usage.completion_tokens,
            total_tokens=usage.total_tokens,
        ),
        metadata=run.metadata,
        safety_identifier=asked.safety_identifier,
        prompt_cache_key=asked.prompt_cache_key,
        user=asked.user,
        domain=run.domain,
    )


def output_of(
    run: Run, messages: Mapping[str, Mapping[str, Any]], steps: Sequence[Mapping[str, Any]], *, results: bool
) -> list[dict[str, Any]]:
    """The items that a run has made, from its messages by their ids and its steps in order."""
    return items.output_of(messages, steps, cut=run.status == "incomplete", results=results)


def of_run(run: Run) -> Asked:
    """What a run of the Assistants API would have been asked with as a response."""
    return Asked(instructions=bool(run.instructions), conversation=True, background=True, truncation="auto")


def _error(run: Run) -> ResponseError | None:
    if run.status == "expired":
        return _EXPIRED
    error = run.last_error
    return None if error is None else ResponseError(code=error.code, message=error.message)


def tools_of(run: Run) -> list[dict[str, Any]]:
    """The run's tools as a response has them."""
    stores = (run.tool_resources and run.tool_resources.file_search) or None
    return [_tool(tool, stores.vector_store_ids if stores else []) for tool in run.tools]


def _tool(tool: AssistantTool, stores: list[str]) -> dict[str, Any]:
    match tool:
        case FunctionTool(function=function):
            return {
                "type": "function",
                "name": function.name,
                "description": function.description,
                "parameters": function.parameters,
                "strict": bool(function.strict),
            }
        case FileSearchTool(file_search=settings):
            chosen = {} if settings is None else settings.model_dump(mode="json")
            return {"type": "file_search", "vector_store_ids": stores, **chosen}
        case ServerTool():
            return tool.model_dump(mode="json")
        case _:
            return {"type": tool.type, "container": {"type": "auto"}}


def _choice(run: Run) -> Any:
    choice = run.tool_choice
    if not isinstance(choice, NamedToolChoice):
        return choice or "auto"
    if choice.function is not None:
        return {"type": "function", "name": choice.function.name}
    return {"type": choice.type}


def _text(run: Run, asked: Asked) -> dict[str, Any]:
    shown: dict[str, Any] = {"format": {"type": "text"}}
    match run.response_format:
        case JsonObjectFormat():
            shown = {"format": {"type": "json_object"}}
        case JsonSchemaFormat(json_schema=schema):
            described = {} if schema.description is None else {"description": schema.description}
            shown = {
                "format": {
                    "type": "json_schema",
                    "name": schema.name,
                    "schema": schema.schema_ or {},
                    "strict": bool(schema.strict),
                    **described,
                }
            }
    return shown if asked.verbosity is None else {**shown, "verbosity": asked.verbosity}
