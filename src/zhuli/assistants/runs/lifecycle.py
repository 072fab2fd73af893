"""The events with which a run ends, as values: what is open is closed first, then the run. Pure, no I/O."""

from collections.abc import Sequence
from typing import Any

from zhuli.assistants.runs.outcomes import Cancelled, End, Expired, Failed, Incomplete
from zhuli.store.assistants.runs import OpenItems
from zhuli.types.assistants.event import TURN_ABANDONED, Change
from zhuli.types.assistants.message import IncompleteReason, Message
from zhuli.types.assistants.run import CalledFunction, RequiredAction, RequiredOutputs, RequiredToolCall, RunUsage
from zhuli.types.assistants.step import FunctionToolCall, RunStep


def ending(end: End, open_items: OpenItems, usages: Sequence[dict[str, Any]], now: int) -> list[Change]:
    """Close what is open and end the run: the message first, for clients reject an unterminated message."""
    return [*closing(end, open_items, now), run_ended(end, usages, now)]


def closing(end: End, open_items: OpenItems, now: int) -> list[Change]:
    """Close messages and steps that the run leaves unfinished, keeping what was streamed."""
    return [
        *(_close_message(message, end, now) for message in open_items.messages),
        *(_close_step(step, end, now) for step in open_items.steps),
    ]


def abandoning(message_ids: list[str]) -> list[Change]:
    """Keep what a dead turn had finished saying from being read as if the turn had ended."""
    return [Change(TURN_ABANDONED, {"message_ids": message_ids})] if message_ids else []


def run_ended(end: End, usages: Sequence[dict[str, Any]], now: int) -> Change:
    """The run's last event."""
    common = {"usage": total(usages), "required_action": None, "expires_at": None}
    match end:
        case Incomplete(reason=reason):
            return Change(
                "thread.run.incomplete", {"status": "incomplete", "incomplete_details": {"reason": reason}, **common}
            )
        case Cancelled():
            return Change("thread.run.cancelled", {"status": "cancelled", "cancelled_at": now, **common})
        case Expired():
            return Change("thread.run.expired", {"status": "expired", **common})
        case Failed(code=code, message=message):
            error = {"code": code, "message": message}
            return Change("thread.run.failed", {"status": "failed", "failed_at": now, "last_error": error, **common})


def run_completed(usages: Sequence[dict[str, Any]], now: int) -> Change:
    """The run's last event when all went well."""
    return Change(
        "thread.run.completed",
        {"status": "completed", "completed_at": now, "expires_at": None, "usage": total(usages)},
    )


def run_needs_client(calls: Sequence[FunctionToolCall]) -> Change:
    """The run waits for the client to run these functions."""
    asked = [
        RequiredToolCall(
            id=call.id, function=CalledFunction(name=call.function.name, arguments=call.function.arguments)
        )
        for call in calls
    ]
    action = RequiredAction(submit_tool_outputs=RequiredOutputs(tool_calls=asked))
    fields = {"status": "requires_action", "required_action": action.model_dump(mode="json")}
    return Change("thread.run.requires_action", fields)


def total(usages: Sequence[dict[str, Any]]) -> dict[str, int]:
    """A run's usage: the sum over its turns."""
    prompt = sum(usage["prompt_tokens"] for usage in usages)
    completion = sum(usage["completion_tokens"] for usage in usages)
    return RunUsage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion).model_dump()


def _close_message(message: Message, end: End, now: int) -> Change:
    closed = {
        **message.model_dump(mode="json"),
        "status": "incomplete",
        "incomplete_at": now,
        "incomplete_details": {"reason": _message_reason(end)},
    }
    return Change("thread.message.incomplete", closed)


def _message_reason(end: End) -> IncompleteReason:
    match end:
        case Incomplete():
            return "max_tokens"
        case Cancelled():
            return "run_cancelled"
        case Expired():
            return "run_expired"
        case Failed(filtered=filtered):
            return "content_filter" if filtered else "run_failed"


def _close_step(step: RunStep, end: End, now: int) -> Change:
    fields: dict[str, Any]
    match end:
        case Cancelled():
            fields = {"status": "cancelled", "cancelled_at": now}
        case Expired():
            fields = {"status": "expired", "expired_at": now}
        case Incomplete():
            fields = {"status": "completed", "completed_at": now}
        case Failed(code=code, message=message):
            step_code = "rate_limit_exceeded" if code == "rate_limit_exceeded" else "server_error"
            fields = {"status": "failed", "failed_at": now, "last_error": {"code": step_code, "message": message}}
    return Change(f"thread.run.step.{fields['status']}", {**step.model_dump(mode="json"), **fields})
