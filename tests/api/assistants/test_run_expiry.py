"""A run that has not ended by its expires_at expires, whatever it waits for (contract §2)."""

from collections.abc import Callable

import openai
import pytest
from openai import OpenAI

from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.stories import WEATHER, answers, ask, at_rest, begin, set_fields, when

LIFETIME = 2


@pytest.fixture
def brief(clients: Clients, start_server: Callable[..., Server]) -> OpenAI:
    """A client of a server whose runs live for LIFETIME seconds, one at a time."""
    return clients.sdk(start_server(run_lifetime_seconds=LIFETIME, worker_slots=1))


def test_the_lifetime_is_a_setting(brief: OpenAI) -> None:
    run = begin(brief, "hello")
    assert run.expires_at == run.created_at + LIFETIME
    at_rest(brief, run)


def test_outputs_that_never_come_expire_the_run(brief: OpenAI) -> None:
    run = ask(brief, "call once", tools=[WEATHER])
    assert run.status == "requires_action"
    run = when(brief, run, "expired")
    assert set_fields(run, "required_action", "expires_at", "last_error") == []
    assert run.usage is not None
    (step,) = brief.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    assert step.status == "expired"
    assert step.expired_at is not None


def test_outputs_that_come_too_late_are_refused(brief: OpenAI) -> None:
    run = ask(brief, "call once", tools=[WEATHER])
    assert run.required_action is not None
    call = run.required_action.submit_tool_outputs.tool_calls[0]
    when(brief, run, "expired")
    with pytest.raises(openai.BadRequestError) as refused:
        brief.beta.threads.runs.submit_tool_outputs(
            run.id, thread_id=run.thread_id, tool_outputs=[{"tool_call_id": call.id, "output": "sunny"}]
        )
    assert refused.value.body == {
        "message": 'Runs in status "expired" do not accept tool outputs.',
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


def test_a_silent_model_expires_the_run_and_its_message(brief: OpenAI) -> None:
    run = when(brief, begin(brief, "begin and stall"), "expired")
    (message,) = brief.beta.threads.messages.list(run.thread_id, run_id=run.id).data
    assert message.status == "incomplete"
    assert message.incomplete_details is not None and message.incomplete_details.reason == "run_expired"
    assert answers(brief, run) == ["I begin"]
    (step,) = brief.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    assert step.status == "expired"


def test_a_run_that_nobody_began_expires_in_the_queue(brief: OpenAI) -> None:
    runs = [begin(brief, "stall") for _ in range(3)]
    assert {when(brief, run, "expired").status for run in runs} == {"expired"}


def test_an_expired_run_frees_its_thread_and_its_worker(brief: OpenAI) -> None:
    run = when(brief, begin(brief, "stall"), "expired")
    brief.beta.threads.messages.create(run.thread_id, role="user", content="hello")
    again = brief.beta.threads.runs.create(run.thread_id, assistant_id=run.assistant_id)
    assert at_rest(brief, again).status == "completed"
