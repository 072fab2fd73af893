"""How a run's states follow each other, and what a thread with an active run allows (contract §2)."""

import openai
import pytest
from openai import OpenAI

from tests.harness.stories import WEATHER, answers, ask, at_rest, begin, calls_of, set_fields, submit, when


def test_a_run_answers_on_its_thread(client: OpenAI) -> None:
    run = ask(client, "hello")
    assert run.status == "completed"
    newest, question = client.beta.threads.messages.list(run.thread_id).data
    assert question.role == "user"
    assert (newest.role, newest.status) == ("assistant", "completed")
    assert (newest.run_id, newest.assistant_id, newest.thread_id) == (run.id, run.assistant_id, run.thread_id)
    assert answers(client, run) == ["You said: hello"]


def test_a_completed_run_has_its_times_and_expires_no_more(client: OpenAI) -> None:
    run = ask(client, "hello")
    assert run.started_at is not None and run.completed_at is not None
    assert run.created_at <= run.started_at <= run.completed_at
    assert run.expires_at is None
    assert set_fields(run, "cancelled_at", "failed_at", "last_error", "incomplete_details", "required_action") == []


def test_usage_is_the_sum_of_the_steps_and_null_until_the_end(client: OpenAI) -> None:
    run = ask(client, "look it up and say so", tools=[WEATHER])
    assert run.status == "requires_action"
    assert run.usage is None
    run = submit(client, run, "sunny", "sunny")
    assert run.usage is not None and run.usage.total_tokens > 0
    steps = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    used = [step.usage for step in steps if step.usage is not None]
    assert len(used) == len(steps) == 3
    assert run.usage.prompt_tokens == sum(usage.prompt_tokens for usage in used)
    assert run.usage.completion_tokens == sum(usage.completion_tokens for usage in used)
    assert run.usage.total_tokens == run.usage.prompt_tokens + run.usage.completion_tokens


def test_usage_is_what_the_model_server_counted(client: OpenAI) -> None:
    run = ask(client, "cost exactly")
    assert run.usage is not None
    assert run.usage.to_dict() == {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


def test_usage_is_null_while_the_run_is_in_progress(client: OpenAI) -> None:
    run = when(client, begin(client, "stall"), "in_progress")
    assert run.usage is None
    assert run.started_at is not None
    client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)


def test_an_active_run_locks_its_thread_for_messages(client: OpenAI) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    with pytest.raises(openai.BadRequestError) as refused:
        client.beta.threads.messages.create(run.thread_id, role="user", content="and?")
    assert refused.value.body == {
        "message": f"Can't add messages to {run.thread_id} while a run {run.id} is active.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    submit(client, run, "sunny")
    client.beta.threads.messages.create(run.thread_id, role="user", content="and now?")


def test_an_active_run_locks_its_thread_for_runs(client: OpenAI) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    with pytest.raises(openai.BadRequestError) as refused:
        client.beta.threads.runs.create(run.thread_id, assistant_id=run.assistant_id)
    assert refused.value.body == {
        "message": f"Thread {run.thread_id} already has an active run {run.id}.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    submit(client, run, "sunny")
    again = client.beta.threads.runs.create(run.thread_id, assistant_id=run.assistant_id)
    assert at_rest(client, again).status == "completed"


def test_a_refused_second_run_adds_none_of_its_messages(client: OpenAI) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    with pytest.raises(openai.BadRequestError):
        client.beta.threads.runs.create(
            run.thread_id,
            assistant_id=run.assistant_id,
            additional_messages=[{"role": "user", "content": "me too"}],
        )
    submit(client, run, "sunny")
    texts = [message.content[0].to_dict()["text"] for message in client.beta.threads.messages.list(run.thread_id)]
    assert not any(text["value"] == "me too" for text in texts)  # type: ignore[index]


def test_a_second_thread_is_not_blocked(client: OpenAI) -> None:
    stalled = when(client, begin(client, "stall"), "in_progress")
    assert ask(client, "hello").status == "completed"
    assert client.beta.threads.runs.retrieve(stalled.id, thread_id=stalled.thread_id).status == "in_progress"
    client.beta.threads.runs.cancel(stalled.id, thread_id=stalled.thread_id)


def test_assistant_and_thread_stay_modifiable_and_the_run_keeps_what_it_began_with(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="script", instructions="Before.", tools=[WEATHER])  # type: ignore[list-item]
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "call once"}])
    run = at_rest(client, client.beta.threads.runs.create(thread.id, assistant_id=assistant.id))
    client.beta.assistants.update(assistant.id, instructions="After.", tools=[])
    client.beta.threads.update(thread.id, metadata={"touched": "yes"})
    run = submit(client, run, "sunny")
    assert run.status == "completed"
    assert run.instructions == "Before."
    assert len(run.tools) == 1


def test_deleting_the_assistant_does_not_stop_its_run(client: OpenAI) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    client.beta.assistants.delete(run.assistant_id)
    assert submit(client, run, "sunny").status == "completed"


def test_a_deleted_assistant_can_not_run(client: OpenAI) -> None:
    run = ask(client, "hello")
    client.beta.assistants.delete(run.assistant_id)
    with pytest.raises(openai.NotFoundError):
        client.beta.threads.runs.create(run.thread_id, assistant_id=run.assistant_id)


def test_deleting_the_thread_ends_its_run_and_takes_it_along(client: OpenAI) -> None:
    run = when(client, begin(client, "stall"), "in_progress")
    client.beta.threads.delete(run.thread_id)
    with pytest.raises(openai.NotFoundError):
        client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id)
    assert ask(client, "hello").status == "completed"


def test_a_run_on_an_empty_thread_answers(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="script", instructions="Greet.")
    thread = client.beta.threads.create()
    run = at_rest(client, client.beta.threads.runs.create(thread.id, assistant_id=assistant.id))
    assert run.status == "completed"
    assert len(answers(client, run)) == 1


def test_a_conversation_keeps_its_order_also_within_a_second(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create()
    expected = []
    for n in range(5):
        client.beta.threads.messages.create(thread.id, role="user", content=f"line {n}")
        at_rest(client, client.beta.threads.runs.create(thread.id, assistant_id=assistant.id))
        expected += [f"line {n}", f"You said: line {n}"]
    messages = client.beta.threads.messages.list(thread.id, order="asc", limit=3)
    assert [message.content[0].text.value for message in messages] == expected  # type: ignore[union-attr]


def test_messages_can_be_listed_by_run(client: OpenAI) -> None:
    first = ask(client, "hello")
    second = client.beta.threads.runs.create(
        first.thread_id, assistant_id=first.assistant_id, additional_messages=[{"role": "user", "content": "again"}]
    )
    at_rest(client, second)
    assert answers(client, first) == ["You said: hello"]
    assert answers(client, second) == ["You said: again"]


def test_a_refusal_is_a_refusal_block(client: OpenAI) -> None:
    run = ask(client, "do something bad")
    assert run.status == "completed"
    (message,) = client.beta.threads.messages.list(run.thread_id, run_id=run.id).data
    assert [block.to_dict() for block in message.content] == [{"type": "refusal", "refusal": "I can't do that."}]


def test_reasoning_is_not_part_of_the_answer(client: OpenAI) -> None:
    assert answers(client, ask(client, "think first")) == ["Thought."]


def test_the_required_action_names_every_call(client: OpenAI) -> None:
    run = ask(client, "weather in Paris and Rome", tools=[WEATHER])
    assert run.required_action is not None and run.required_action.type == "submit_tool_outputs"
    calls = calls_of(run)
    assert [(call.type, call.function.name, call.function.arguments) for call in calls] == [
        ("function", "get_weather", '{"city":"Paris"}'),
        ("function", "get_weather", '{"city":"Rome"}'),
    ]
    assert all(call.id.startswith("call_") for call in calls)
    assert calls[0].id != calls[1].id
    assert submit(client, run, "sunny", "rainy").required_action is None
