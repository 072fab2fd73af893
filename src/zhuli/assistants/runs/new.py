"""New objects from what a client sent: defaults filled in, the run's settings over the assistant's. Pure."""

from typing import Any

from zhuli.core.errors import InvalidRequest
from zhuli.core.ids import new_id
from zhuli.types.assistants.assistant import Assistant, AssistantCreate
from zhuli.types.assistants.message import Message, MessageCreate, blocks_of
from zhuli.types.assistants.run import Run, RunCreate, ThreadRunCreate
from zhuli.types.assistants.thread import Thread, ThreadCreate
from zhuli.types.assistants.tools import (
    FileSearchResources,
    NamedToolChoice,
    NewToolResources,
    ToolResources,
    TruncationStrategy,
)

NO_DOMAIN = "none"
"""What a run says to switch the understanding off."""


def assistant_of(body: AssistantCreate, now: int) -> Assistant:
    """A new assistant."""
    return Assistant(
        id=new_id("asst"),
        created_at=now,
        name=body.name,
        description=body.description,
        model=body.model,
        instructions=body.instructions,
        tools=body.tools or [],
        tool_resources=_resources(body.tool_resources),
        metadata=dict(body.metadata or {}),
        temperature=1.0 if body.temperature is None else body.temperature,
        top_p=1.0 if body.top_p is None else body.top_p,
        response_format=body.response_format or "auto",
        reasoning_effort=body.reasoning_effort,
        domain=body.domain,
        guards=body.guards,
    )


def thread_of(body: ThreadCreate, now: int) -> Thread:
    """A new thread, without its messages."""
    return Thread(
        id=new_id("thread"),
        created_at=now,
        tool_resources=_resources(body.tool_resources),
        metadata=dict(body.metadata or {}),
    )


def message_of(thread_id: str, body: MessageCreate, now: int) -> Message:
    """A message that a client adds; it is complete from the start."""
    return Message(
        id=new_id("msg"),
        created_at=now,
        completed_at=now,
        thread_id=thread_id,
        role=body.role,
        content=blocks_of(body.content),
        attachments=body.attachments or [],
        metadata=dict(body.metadata or {}),
    )


def new_run(thread_id: str, assistant: Assistant, body: RunCreate | ThreadRunCreate, *, now: int, lifetime: int) -> Run:
    """A queued run; what the body does not say comes from the assistant, and later changes of the assistant don't count."""
    _check(body)
    return Run(
        id=new_id("run"),
        created_at=now,
        expires_at=now + lifetime,
        thread_id=thread_id,
        assistant_id=assistant.id,
        model=body.model or assistant.model,
        instructions=_instructions(assistant, body),
        tools=assistant.tools if body.tools is None else body.tools,
        tool_resources=(isinstance(body, ThreadRunCreate) and body.tool_resources) or assistant.tool_resources,
        metadata=dict(body.metadata or {}),
        temperature=_first(body.temperature, assistant.temperature),
        top_p=_first(body.top_p, assistant.top_p),
        max_prompt_tokens=body.max_prompt_tokens,
        max_completion_tokens=body.max_completion_tokens,
        truncation_strategy=body.truncation_strategy or TruncationStrategy(type="auto"),
        tool_choice=body.tool_choice or "auto",
        parallel_tool_calls=body.parallel_tool_calls is not False,
        response_format=body.response_format or assistant.response_format,
        reasoning_effort=body.reasoning_effort or assistant.reasoning_effort,
        domain=None if body.domain == NO_DOMAIN else body.domain or assistant.domain,
        guards=assistant.guards,
    )


def _check(body: RunCreate | ThreadRunCreate) -> None:
    """What a schema can't say."""
    strategy, choice = body.truncation_strategy, body.tool_choice
    if strategy is not None and strategy.type == "last_messages" and strategy.last_messages is None:
        raise _required("truncation_strategy.last_messages")
    if isinstance(choice, NamedToolChoice) and choice.type == "function" and choice.function is None:
        raise _required("tool_choice.function")


def _required(param: str) -> InvalidRequest:
    return InvalidRequest(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def _instructions(assistant: Assistant, body: RunCreate | ThreadRunCreate) -> str:
    """The run's instructions instead of the assistant's, and what is to be appended; never null."""
    own = assistant.instructions if body.instructions is None else body.instructions
    added = body.additional_instructions if isinstance(body, RunCreate) else None
    return "\n".join(part for part in (own, added) if part)


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _resources(given: NewToolResources | None) -> ToolResources:
    """The resources as the object shows them; a vector store that is to be made is not among them yet."""
    if given is None:
        return ToolResources()
    search = given.file_search
    if search is not None and search.vector_stores and search.vector_store_ids:
        raise InvalidRequest(
            "Invalid 'tool_resources.file_search': give either vector_store_ids or vector_stores, not both.",
            param="tool_resources.file_search",
            code="invalid_value",
        )
    return ToolResources(
        code_interpreter=given.code_interpreter,
        file_search=None if search is None else FileSearchResources(vector_store_ids=search.vector_store_ids),
    )
