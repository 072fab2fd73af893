"""How a run ends: what is open is closed first, each with the reason that the API has for it."""

from typing import Any

import pytest

from zhuli.assistants.runs import lifecycle
from zhuli.assistants.runs.outcomes import Cancelled, End, Expired, Failed, Incomplete
from zhuli.store.assistants.runs import OpenItems
from zhuli.types.assistants.message import Message, Text, TextBlock
from zhuli.types.assistants.run import FOLLOWS, TERMINAL
from zhuli.types.assistants.step import (
    FunctionCallResult,
    FunctionToolCall,
    MessageCreation,
    MessageCreationDetails,
    RunStep,
)

NOW = 1_750_000_000
USAGES = [
    {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11},
    {"prompt_tokens": 20, "completion_tokens": 2, "total_tokens": 22},
]
TOTAL = {"prompt_tokens": 30, "completion_tokens": 3, "total_tokens": 33}
MESSAGE = Message(
    id="msg_1",
    created_at=NOW,
    thread_id="thread_1",
    role="assistant",
    status="in_progress",
    content=[TextBlock(text=Text(value="Half"))],
)
STEP = RunStep(
    id="step_1",
    created_at=NOW,
    assistant_id="asst_1",
    thread_id="thread_1",
    run_id="run_1",
    type="message_creation",
    step_details=MessageCreationDetails(message_creation=MessageCreation(message_id="msg_1")),
)
OPEN = OpenItems([STEP], [MESSAGE])

ENDS: list[tuple[End, str, str, str, dict[str, Any], dict[str, Any]]] = [
    (
        Incomplete("max_prompt_tokens"),
        "incomplete",
        "completed",
        "max_tokens",
        {"incomplete_details": {"reason": "max_prompt_tokens"}},
        {"completed_at": NOW},
    ),
    (Cancelled(), "cancelled", "cancelled", "run_cancelled", {"cancelled_at": NOW}, {"cancelled_at": NOW}),
    (Expired(), "expired", "expired", "run_expired", {}, {"expired_at": NOW}),
    (
        Failed("server_error", "It broke."),
        "failed",
        "failed",
        "run_failed",
        {"failed_at": NOW, "last_error": {"code": "server_error", "message": "It broke."}},
        {"failed_at": NOW, "last_error": {"code": "server_error", "message": "It broke."}},
    ),
    (
        Failed("rate_limit_exceeded", "Too much."),
        "failed",
        "failed",
        "run_failed",
        {"failed_at": NOW, "last_error": {"code": "rate_limit_exceeded", "message": "Too much."}},
        {"failed_at": NOW, "last_error": {"code": "rate_limit_exceeded", "message": "Too much."}},
    ),
    (
        Failed("invalid_prompt", "Too long."),
        "failed",
        "failed",
        "run_failed",
        {"failed_at": NOW, "last_error": {"code": "invalid_prompt", "message": "Too long."}},
        {"failed_at": NOW, "last_error": {"code": "server_error", "message": "Too long."}},
    ),
    (
        Failed("server_error", "Filtered.", filtered=True),
        "failed",
        "failed",
        "content_filter",
        {"failed_at": NOW, "last_error": {"code": "server_error", "message": "Filtered."}},
        {"failed_at": NOW, "last_error": {"code": "server_error", "message": "Filtered."}},
    ),
]


@pytest.mark.parametrize(("end", "run", "step", "reason", "run_fields", "step_fields"), ENDS)
def test_the_message_is_closed_then_its_step_then_the_run(
    end: End, run: str, step: str, reason: str, run_fields: dict[str, Any], step_fields: dict[str, Any]
) -> None:
    message_end, step_end, run_end = lifecycle.ending(end, OPEN, USAGES, NOW)
    assert message_end.name == "thread.message.incomplete"
    assert message_end.data == {
        **MESSAGE.model_dump(mode="json"),
        "status": "incomplete",
        "incomplete_at": NOW,
        "incomplete_details": {"reason": reason},
    }
    assert step_end.name == f"thread.run.step.{step}"
    assert step_end.data == {**STEP.model_dump(mode="json"), "status": step, **step_fields}
    assert run_end.name == f"thread.run.{run}"
    assert run_end.data == {
        "status": run,
        "usage": TOTAL,
        "required_action": None,
        "expires_at": None,
        **run_fields,
    }


def test_where_nothing_is_open_only_the_run_ends() -> None:
    assert [change.name for change in lifecycle.ending(Cancelled(), OpenItems([], []), [], NOW)] == [
        "thread.run.cancelled"
    ]


def test_a_run_without_turns_has_used_nothing() -> None:
    assert lifecycle.total([]) == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def test_a_completed_run_has_its_usage_and_expires_no_more() -> None:
    assert lifecycle.run_completed(USAGES, NOW).data == {
        "status": "completed",
        "completed_at": NOW,
        "expires_at": None,
        "usage": TOTAL,
    }


def test_a_run_that_needs_its_client_says_which_functions() -> None:
    call = FunctionToolCall(id="call_a", function=FunctionCallResult(name="time", arguments="{}"))
    assert lifecycle.run_needs_client([call]).data == {
        "status": "requires_action",
        "required_action": {
            "type": "submit_tool_outputs",
            "submit_tool_outputs": {
                "tool_calls": [{"id": "call_a", "type": "function", "function": {"name": "time", "arguments": "{}"}}]
            },
        },
    }


def test_messages_of_a_dead_turn_are_abandoned_if_there_are_any() -> None:
    assert lifecycle.abandoning([]) == []
    [change] = lifecycle.abandoning(["msg_1"])
    assert change.data == {"message_ids": ["msg_1"]}


def test_nothing_follows_an_end_and_everything_else_can_end() -> None:
    assert not TERMINAL & FOLLOWS.keys()
    for status, followers in FOLLOWS.items():
        assert followers & TERMINAL or any(FOLLOWS[next_] & TERMINAL for next_ in followers), status


def test_every_status_but_the_first_is_reached() -> None:
    reached = {status for followers in FOLLOWS.values() for status in followers}
    assert reached | {"queued"} == TERMINAL | FOLLOWS.keys()
