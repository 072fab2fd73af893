"""Which events a stream has, in which order: the five orders of contract §3."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from openai import OpenAI

from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.sse import ServerEvent
from tests.harness.stories import WEATHER, ask, calls_of, data, post, short, streamed_calls, streamed_text

BEGINNING = ["run.created", "run.queued", "run.in_progress"]
MESSAGE = [
    "run.step.created",
    "run.step.in_progress",
    "message.created",
    "message.in_progress",
    "message.delta",
    "message.completed",
    "run.step.completed",
]
CALLS = ["run.step.created", "run.step.in_progress", "run.step.delta", "run.requires_action", "done"]


def stream(client: OpenAI, http: httpx2.Client, text: str, **run: Any) -> list[ServerEvent]:
    """The events of a streamed run of a new assistant on a new thread."""
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": text}])
    return list(post(http, f"/threads/{thread.id}/runs", {"assistant_id": assistant.id, "stream": True, **run}))


def test_an_answer(client: OpenAI, http: httpx2.Client) -> None:
    events = stream(client, http, "tell a story")
    assert short(events) == [*BEGINNING, *MESSAGE, "run.completed", "done"]
    assert streamed_text(events) == "Once upon a time."


def test_an_answer_on_a_new_thread(client: OpenAI, http: httpx2.Client) -> None:
    assistant = client.beta.assistants.create(model="script")
    body = {
        "assistant_id": assistant.id,
        "thread": {"messages": [{"role": "user", "content": "hello"}]},
        "stream": True,
    }
    events = list(post(http, "/threads/runs", body))
    assert short(events) == ["created", *BEGINNING, *MESSAGE, "run.completed", "done"]


def test_functions(client: OpenAI, http: httpx2.Client) -> None:
    events = stream(client, http, "weather in Paris and Rome", tools=[WEATHER])
    assert short(events) == [*BEGINNING, *CALLS]
    assert streamed_calls(events) == [
        {"name": "get_weather", "arguments": '{"city":"Paris"}'},
        {"name": "get_weather", "arguments": '{"city":"Rome"}'},
    ]


def test_outputs_submitted(client: OpenAI, http: httpx2.Client) -> None:
    events = _submit_streamed(client, http, "weather in Paris and Rome")
    assert short(events) == ["run.step.completed", "run.queued", "run.in_progress", *MESSAGE, "run.completed", "done"]
    assert streamed_text(events) == "It is sunny in both."
    calls = data(events[0])["step_details"]["tool_calls"]
    assert [call["function"]["output"] for call in calls] == ["sunny", "sunny"]
    assert data(events[0])["usage"] is not None


def test_text_and_two_parallel_calls_in_one_turn(client: OpenAI, http: httpx2.Client) -> None:
    events = stream(client, http, "look it up and say so", tools=[WEATHER])
    assert short(events) == [*BEGINNING, *MESSAGE, *CALLS]
    assert streamed_text(events) == "Let me look."
    assert [call["arguments"] for call in streamed_calls(events)] == ['{"city":"Paris"}', '{"city":"Rome"}']


def test_an_answer_cut_by_its_budget(client: OpenAI, http: httpx2.Client) -> None:
    events = stream(client, http, "talk for long", max_completion_tokens=256)
    cut = [*MESSAGE[:5], "message.incomplete", "run.step.completed"]
    assert short(events) == [*BEGINNING, *cut, "run.incomplete", "done"]
    message = next(data(event) for event in events if event.name == "thread.message.incomplete")
    assert message["content"][0]["text"]["value"] == streamed_text(events)


def test_a_refusal(client: OpenAI, http: httpx2.Client) -> None:
    events = stream(client, http, "do something bad")
    assert short(events) == [*BEGINNING, *MESSAGE, "run.completed", "done"]
    deltas = [data(event)["delta"]["content"] for event in events if event.name == "thread.message.delta"]
    assert {(part["index"], part["type"]) for parts in deltas for part in parts} == {(0, "refusal")}
    assert "".join(part["refusal"] for parts in deltas for part in parts) == "I can't do that."


def test_a_failure_before_the_first_word(client: OpenAI, http: httpx2.Client) -> None:
    events = stream(client, http, "fault server_error")
    assert short(events) == [*BEGINNING, "run.failed", "done"]
    assert data(events[-2])["last_error"]["code"] == "server_error"


def test_a_failure_in_the_middle(client: OpenAI, http: httpx2.Client) -> None:
    events = stream(client, http, "begin and cut")
    assert short(events) == [*BEGINNING, *MESSAGE[:5], "message.incomplete", "run.step.failed", "run.failed", "done"]


def test_a_failure_in_the_middle_of_a_call(client: OpenAI, http: httpx2.Client) -> None:
    events = stream(client, http, "begin a call and cut", tools=[WEATHER])
    assert short(events) == [*BEGINNING, *CALLS[:3], "run.step.failed", "run.failed", "done"]


def test_a_cancel_in_the_middle(client: OpenAI, http: httpx2.Client) -> None:
    events = _stream_and_cancel(client, http, "begin and stall", "thread.message.delta")
    stopped = ["run.cancelling", "message.incomplete", "run.step.cancelled", "run.cancelled", "done"]
    assert short(events) == [*BEGINNING, *MESSAGE[:5], *stopped]


def test_a_cancel_before_the_first_word(client: OpenAI, http: httpx2.Client) -> None:
    events = _stream_and_cancel(client, http, "stall", "thread.run.in_progress")
    assert short(events) == [*BEGINNING, "run.cancelling", "run.cancelled", "done"]


@pytest.mark.parametrize(
    ("text", "middle"),
    [("stall", []), ("begin and stall", [*MESSAGE[:5], "message.incomplete", "run.step.expired"])],
)
def test_an_expiry(clients: Clients, start_server: Callable[..., Server], text: str, middle: list[str]) -> None:
    server = start_server(run_lifetime_seconds=2, worker_slots=1)
    events = stream(clients.sdk(server), clients.http(server), text)
    assert short(events) == [*BEGINNING, *middle, "run.expired", "done"]


def test_the_wire_has_nothing_of_our_own(client: OpenAI, http: httpx2.Client) -> None:
    events = stream(client, http, "look it up and say so", tools=[WEATHER])
    assert all((event.name or "").startswith("thread.") for event in events[:-1])
    assert (events[-1].name, events[-1].data) == ("done", "[DONE]")


def _submit_streamed(client: OpenAI, http: httpx2.Client, text: str) -> list[ServerEvent]:
    run = ask(client, text, tools=[WEATHER])
    outputs = [{"tool_call_id": call.id, "output": "sunny"} for call in calls_of(run)]
    body = {"tool_outputs": outputs, "stream": True}
    return list(post(http, f"/threads/{run.thread_id}/runs/{run.id}/submit_tool_outputs", body))


def _stream_and_cancel(client: OpenAI, http: httpx2.Client, text: str, at: str) -> list[ServerEvent]:
    """Cancel the run when the stream has come to the event `at`, and read on."""
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": text}])
    events = []
    for event in post(http, f"/threads/{thread.id}/runs", {"assistant_id": assistant.id, "stream": True}):
        events.append(event)
        if event.name == at:
            client.beta.threads.runs.cancel(data(events[0])["id"], thread_id=thread.id)
    return events
