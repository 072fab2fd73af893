"""POST /threads/runs: a thread and its run in one call, streamed and not (contract §1.5)."""

from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.harness.stories import WEATHER, answers, at_rest, function


def test_thread_and_run_are_made_together(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="script", instructions="Be brief.")
    run = client.beta.threads.create_and_run(
        assistant_id=assistant.id,
        thread={
            "messages": [{"role": "user", "content": "hello"}, {"role": "user", "content": "how many messages?"}],
            "metadata": {"of": "the thread"},
        },
        metadata={"of": "the run"},
    )
    assert run.status == "queued"
    assert run.instructions == "Be brief."
    assert run.metadata == {"of": "the run"}
    assert client.beta.threads.retrieve(run.thread_id).metadata == {"of": "the thread"}
    assert at_rest(client, run).status == "completed"
    assert answers(client, run) == ["I see 3."]


def test_without_a_thread_an_empty_one_is_made(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="script", instructions="Greet.")
    run = at_rest(client, client.beta.threads.create_and_run(assistant_id=assistant.id))
    assert run.status == "completed"
    assert len(client.beta.threads.messages.list(run.thread_id).data) == 1


def test_the_runs_parameters_are_taken(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="script")
    tools: list[Any] = [WEATHER]
    run = client.beta.threads.create_and_run(
        assistant_id=assistant.id,
        thread={"messages": [{"role": "user", "content": "call once"}]},
        model="gpt-4o",
        instructions="Be long.",
        tools=tools,
        tool_choice="required",
        parallel_tool_calls=False,
        temperature=0.5,
        top_p=0.5,
        max_prompt_tokens=1000,
        max_completion_tokens=500,
        truncation_strategy={"type": "last_messages", "last_messages": 3},
        response_format={"type": "text"},
    )
    assert (run.model, run.instructions, run.tool_choice) == ("gpt-4o", "Be long.", "required")
    assert (run.temperature, run.top_p, run.parallel_tool_calls) == (0.5, 0.5, False)
    assert (run.max_prompt_tokens, run.max_completion_tokens) == (1000, 500)
    assert run.truncation_strategy is not None and run.truncation_strategy.last_messages == 3
    assert at_rest(client, run).status == "requires_action"


@pytest.mark.parametrize(
    "body",
    [
        {"additional_messages": [{"role": "user", "content": "hello"}]},
        {"additional_instructions": "Be kind."},
        {"thread": {"messages": [{"role": "nobody", "content": "hello"}]}},
        {"thread": {"unheard_of": 1}},
        {"tools": [function(f"f{n}") for n in range(21)]},
        {"max_prompt_tokens": 1},
    ],
    ids=str,
)
def test_what_does_not_belong_there_is_refused(client: OpenAI, body: dict[str, object]) -> None:
    assistant = client.beta.assistants.create(model="script")
    with pytest.raises(openai.BadRequestError):
        client.beta.threads.create_and_run(assistant_id=assistant.id, extra_body=body)


def test_an_unknown_assistant_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.beta.threads.create_and_run(assistant_id="asst_nowhere")
    assert "No assistant found with id 'asst_nowhere'." in refused.value.message


def test_streamed_it_begins_with_the_thread(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="script")
    with client.beta.threads.create_and_run(
        assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "hello"}]}, stream=True
    ) as stream:
        events = list(stream)
    assert [event.event for event in events[:4]] == [
        "thread.created",
        "thread.run.created",
        "thread.run.queued",
        "thread.run.in_progress",
    ]
    assert events[-1].event == "thread.run.completed"
    run = events[-1].data
    assert events[0].event == "thread.created" and events[0].data.id == run.thread_id
    assert client.beta.threads.retrieve(run.thread_id) == events[0].data
