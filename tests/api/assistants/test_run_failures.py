"""Runs whose model fails: the run says so, with a code and a text for the person who can change it (contract §2)."""

import pytest
from openai import OpenAI

from tests.harness.stories import WEATHER, answers, ask, at_rest, set_fields

FAULTS = [
    ("fault refuse", "server_error"),
    ("fault server_error", "server_error"),
    ("fault rate_limit", "rate_limit_exceeded"),
    ("fault bug", "server_error"),
]


@pytest.mark.parametrize(("text", "code"), FAULTS)
def test_a_model_that_fails_before_its_first_word_fails_the_run(client: OpenAI, text: str, code: str) -> None:
    run = ask(client, text)
    assert run.status == "failed"
    assert run.last_error is not None
    assert run.last_error.code == code
    assert run.last_error.message
    assert run.failed_at is not None
    assert set_fields(run, "completed_at", "cancelled_at", "expires_at", "required_action") == []
    assert client.beta.threads.messages.list(run.thread_id, run_id=run.id).data == []
    assert client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data == []


def test_a_bug_of_ours_does_not_show_its_insides(client: OpenAI) -> None:
    run = ask(client, "fault bug")
    assert run.last_error is not None
    assert "Traceback" not in run.last_error.message
    assert "RuntimeError" not in run.last_error.message


def test_an_answer_that_breaks_off_is_kept_as_incomplete(client: OpenAI) -> None:
    run = ask(client, "begin and cut")
    assert run.status == "failed"
    assert run.last_error is not None and run.last_error.code == "server_error"
    (message,) = client.beta.threads.messages.list(run.thread_id, run_id=run.id).data
    assert message.status == "incomplete"
    assert message.incomplete_details is not None and message.incomplete_details.reason == "run_failed"
    assert message.incomplete_at is not None
    assert answers(client, run) == ["I begin"]
    (step,) = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    assert step.status == "failed"
    assert step.failed_at is not None
    assert step.last_error is not None and step.last_error.code == "server_error"


def test_a_tool_call_that_breaks_off_is_never_asked_of_the_client(client: OpenAI) -> None:
    run = ask(client, "begin a call and cut", tools=[WEATHER])
    assert run.status == "failed"
    assert run.required_action is None
    (step,) = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    assert (step.type, step.status) == ("tool_calls", "failed")


def test_after_a_failure_the_thread_goes_on(client: OpenAI) -> None:
    run = ask(client, "begin and cut")
    again = client.beta.threads.runs.create(
        run.thread_id, assistant_id=run.assistant_id, additional_messages=[{"role": "user", "content": "hello"}]
    )
    assert at_rest(client, again).status == "completed"
    assert answers(client, again) == ["You said: hello"]


def test_a_failed_run_counts_what_it_used(client: OpenAI) -> None:
    run = ask(client, "begin and cut")
    assert run.usage is not None
    assert run.usage.total_tokens == run.usage.prompt_tokens + run.usage.completion_tokens
