"""Cancelling a run in each of its states (contract §2)."""

from collections.abc import Callable

import openai
import pytest
from openai import OpenAI

from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.stories import WEATHER, answers, ask, at_rest, begin, set_fields, submit, when


def test_a_run_is_cancelled_while_its_model_is_silent(client: OpenAI) -> None:
    run = when(client, begin(client, "stall"), "in_progress")
    cancelling = client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
    assert cancelling.status in ("cancelling", "cancelled")
    run = when(client, run, "cancelled")
    assert run.cancelled_at is not None
    assert set_fields(run, "completed_at", "failed_at", "last_error", "required_action", "expires_at") == []


def test_what_was_said_before_the_cancel_stays(client: OpenAI) -> None:
    run = begin(client, "begin and stall")
    _until_it_said(client, run.thread_id, run.id)
    client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
    run = when(client, run, "cancelled")
    (message,) = client.beta.threads.messages.list(run.thread_id, run_id=run.id).data
    assert message.status == "incomplete"
    assert message.incomplete_details is not None and message.incomplete_details.reason == "run_cancelled"
    assert message.incomplete_at is not None
    assert answers(client, run) == ["I begin"]
    (step,) = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    assert (step.status, step.last_error) == ("cancelled", None)
    assert step.cancelled_at is not None


def test_a_run_that_waits_for_outputs_is_cancelled_at_once(client: OpenAI) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
    run = when(client, run, "cancelled")
    assert run.required_action is None
    assert run.usage is not None and run.usage.total_tokens > 0
    (step,) = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    assert step.status == "cancelled"
    with pytest.raises(openai.BadRequestError) as refused:
        client.beta.threads.runs.submit_tool_outputs(run.id, thread_id=run.thread_id, tool_outputs=[])
    assert 'Runs in status "cancelled" do not accept tool outputs.' in refused.value.message


def test_a_queued_run_is_cancelled_before_it_begins(clients: Clients, start_server: Callable[..., Server]) -> None:
    client = clients.sdk(start_server(worker_slots=1))
    busy = when(client, begin(client, "stall"), "in_progress")
    waiting = begin(client, "hello")
    assert client.beta.threads.runs.retrieve(waiting.id, thread_id=waiting.thread_id).status == "queued"
    client.beta.threads.runs.cancel(waiting.id, thread_id=waiting.thread_id)
    waiting = when(client, waiting, "cancelled")
    assert waiting.started_at is None
    assert client.beta.threads.messages.list(waiting.thread_id, run_id=waiting.id).data == []
    client.beta.threads.runs.cancel(busy.id, thread_id=busy.thread_id)
    when(client, busy, "cancelled")
    assert ask(client, "hello").status == "completed"


def test_a_cancelled_run_frees_its_thread(client: OpenAI) -> None:
    run = when(client, begin(client, "stall"), "in_progress")
    client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
    when(client, run, "cancelled")
    client.beta.threads.messages.create(run.thread_id, role="user", content="hello")
    again = client.beta.threads.runs.create(run.thread_id, assistant_id=run.assistant_id)
    assert at_rest(client, again).status == "completed"
    assert answers(client, again) == ["You said: hello"]


@pytest.mark.parametrize(
    ("text", "options", "status"),
    [
        ("hello", {}, "completed"),
        ("fault refuse", {}, "failed"),
        ("talk for long", {"max_completion_tokens": 256}, "incomplete"),
    ],
)
def test_what_has_ended_can_not_be_cancelled(client: OpenAI, text: str, options: dict[str, int], status: str) -> None:
    run = ask(client, text, **options)
    with pytest.raises(openai.BadRequestError) as refused:
        client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
    assert refused.value.body == {
        "message": f"Cannot cancel run with status '{status}'.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


def test_a_cancelled_run_can_not_be_cancelled_again(client: OpenAI) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
    when(client, run, "cancelled")
    with pytest.raises(openai.BadRequestError) as refused:
        client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
    assert "Cannot cancel run with status 'cancelled'." in refused.value.message


def test_an_unknown_run_can_not_be_cancelled(client: OpenAI) -> None:
    thread = client.beta.threads.create()
    with pytest.raises(openai.NotFoundError):
        client.beta.threads.runs.cancel("run_nowhere", thread_id=thread.id)


def test_a_run_in_its_second_turn_is_cancelled_too(client: OpenAI) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    other = submit(client, ask(client, "call once", tools=[WEATHER]), "sunny")
    assert other.status == "completed"
    calls = run.required_action
    assert calls is not None
    client.beta.threads.runs.submit_tool_outputs(
        run.id,
        thread_id=run.thread_id,
        tool_outputs=[{"tool_call_id": calls.submit_tool_outputs.tool_calls[0].id, "output": "stall"}],
    )
    when(client, run, "in_progress")
    client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
    run = when(client, run, "cancelled")
    (step,) = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    assert step.status == "completed"


def _until_it_said(client: OpenAI, thread: str, run: str) -> None:
    """Wait until the run's message is there."""
    while not client.beta.threads.messages.list(thread, run_id=run).data:
        assert client.beta.threads.runs.retrieve(run, thread_id=thread).status in ("queued", "in_progress")
