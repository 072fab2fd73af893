"""The steps of a run: their two kinds, their states, and how they are listed (contract §1.5)."""

import openai
import pytest
from openai import OpenAI

from tests.harness.stories import WEATHER, ask, begin, calls_of, set_fields, submit, when


def test_an_answer_is_a_message_creation_step(client: OpenAI) -> None:
    run = ask(client, "hello")
    (step,) = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    (message,) = client.beta.threads.messages.list(run.thread_id, run_id=run.id).data
    assert step.id.startswith("step_")
    assert (step.object, step.type, step.status) == ("thread.run.step", "message_creation", "completed")
    assert step.step_details.to_dict() == {"type": "message_creation", "message_creation": {"message_id": message.id}}
    assert (step.run_id, step.thread_id, step.assistant_id) == (run.id, run.thread_id, run.assistant_id)
    assert step.usage is not None and run.usage is not None
    assert step.usage.to_dict() == run.usage.to_dict()
    assert step.completed_at is not None
    assert set_fields(step, "failed_at", "cancelled_at", "expired_at", "last_error") == []
    assert client.beta.threads.runs.steps.retrieve(step.id, run_id=run.id, thread_id=run.thread_id) == step


def test_a_step_of_functions_waits_with_null_outputs_and_ends_with_them(client: OpenAI) -> None:
    run = ask(client, "weather in Paris and Rome", tools=[WEATHER])
    calls = [
        {"id": call.id, "type": "function", "function": {**call.function.to_dict(), "output": None}}
        for call in calls_of(run)
    ]
    (step,) = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    assert (step.type, step.status, step.usage, step.completed_at) == ("tool_calls", "in_progress", None, None)
    assert step.step_details.to_dict() == {"type": "tool_calls", "tool_calls": calls}

    run = submit(client, run, "sunny", "rainy")
    step = client.beta.threads.runs.steps.retrieve(step.id, run_id=run.id, thread_id=run.thread_id)
    assert step.status == "completed"
    assert step.usage is not None and step.completed_at is not None
    calls[0]["function"]["output"] = "sunny"
    calls[1]["function"]["output"] = "rainy"
    assert step.step_details.to_dict() == {"type": "tool_calls", "tool_calls": calls}


def test_text_and_calls_of_one_turn_are_two_steps(client: OpenAI) -> None:
    run = submit(client, ask(client, "look it up and say so", tools=[WEATHER]), "sunny", "sunny")
    steps = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id, order="asc").data
    assert [step.type for step in steps] == ["message_creation", "tool_calls", "message_creation"]
    assert {step.status for step in steps} == {"completed"}


def test_steps_are_listed_newest_first_and_by_page(client: OpenAI) -> None:
    run = submit(client, ask(client, "look it up and say so", tools=[WEATHER]), "sunny", "sunny")
    steps = client.beta.threads.runs.steps
    oldest_first = [step.id for step in steps.list(run.id, thread_id=run.thread_id, order="asc")]
    assert [step.id for step in steps.list(run.id, thread_id=run.thread_id)] == oldest_first[::-1]
    page = steps.list(run.id, thread_id=run.thread_id, order="asc", limit=1)
    assert page.has_more is True
    assert [step.id for step in page] == oldest_first
    between = steps.list(run.id, thread_id=run.thread_id, order="asc", after=oldest_first[0], before=oldest_first[2])
    assert [step.id for step in between.data] == oldest_first[1:2]


def test_a_run_that_has_not_begun_has_no_steps(client: OpenAI) -> None:
    run = when(client, begin(client, "stall"), "in_progress")
    page = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id)
    assert (page.data, page.has_more) == ([], False)
    client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)


def test_the_contents_of_search_results_may_be_asked_for(client: OpenAI) -> None:
    run = ask(client, "hello", include=["step_details.tool_calls[*].file_search.results[*].content"])
    steps = client.beta.threads.runs.steps
    wanted = steps.list(
        run.id, thread_id=run.thread_id, include=["step_details.tool_calls[*].file_search.results[*].content"]
    )
    (step,) = wanted.data
    assert step == steps.retrieve(
        step.id,
        run_id=run.id,
        thread_id=run.thread_id,
        include=["step_details.tool_calls[*].file_search.results[*].content"],
    )


def test_anything_else_to_include_is_refused(client: OpenAI) -> None:
    run = ask(client, "hello")
    with pytest.raises(openai.BadRequestError):
        client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id, include=["everything"])  # type: ignore[list-item]


def test_an_unknown_step_is_not_found(client: OpenAI) -> None:
    run = ask(client, "hello")
    with pytest.raises(openai.NotFoundError):
        client.beta.threads.runs.steps.retrieve("step_nowhere", run_id=run.id, thread_id=run.thread_id)


def test_a_step_is_only_found_on_its_own_run(client: OpenAI) -> None:
    run, other = ask(client, "hello"), ask(client, "hello")
    (step,) = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    with pytest.raises(openai.NotFoundError):
        client.beta.threads.runs.steps.retrieve(step.id, run_id=other.id, thread_id=other.thread_id)
    with pytest.raises(openai.NotFoundError):
        client.beta.threads.runs.steps.list(other.id, thread_id=run.thread_id)
