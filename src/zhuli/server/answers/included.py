"""What of run steps leaves the server: the passages that a search found go to clients that ask for them by include[]."""

from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import orjson
from fastapi import Query

from zhuli.types.assistants.event import RunEvent
from zhuli.types.assistants.step import FileSearchToolCall, RunStep, ToolCallsDetails

SearchContent = Literal["step_details.tool_calls[*].file_search.results[*].content"]
Include = Annotated[list[SearchContent], Query(alias="include[]")]


def shown(step: RunStep, include: Sequence[str]) -> RunStep:
    """The step as a client sees it."""
    if include or not isinstance(step.step_details, ToolCallsDetails):
        return step
    calls = [
        _without_content(call) if isinstance(call, FileSearchToolCall) else call
        for call in step.step_details.tool_calls
    ]
    details = step.step_details.model_copy(update={"tool_calls": calls})
    return step.model_copy(update={"step_details": details})


async def shown_events(
    following: AsyncIterable[list[RunEvent]], include: Sequence[str]
) -> AsyncGenerator[list[RunEvent], None]:
    """Pieces of a run's log as a client sees them."""
    async for events in following:
        yield events if include else [_shown_event(event) for event in events]


def _without_content(call: FileSearchToolCall) -> FileSearchToolCall:
    if not call.file_search.results:
        return call
    results = [result.model_copy(update={"content": None}) for result in call.file_search.results]
    return call.model_copy(update={"file_search": call.file_search.model_copy(update={"results": results})})


def _shown_event(event: RunEvent) -> RunEvent:
    if not event.name.startswith("thread.run.step.") or b'"results":' not in event.data:
        return event
    step: dict[str, Any] = orjson.loads(event.data)
    for call in step.get("step_details", {}).get("tool_calls", ()):
        for result in call.get("file_search", {}).get("results") or ():
            result.pop("content", None)
    return replace(event, data=orjson.dumps(step))
