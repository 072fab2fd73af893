"""What the events of a stream carry, and how the stream is sent (contract §3, §3.1)."""

from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI

from tests.harness.sse import ServerEvent
from tests.harness.stories import WEATHER, data, follow, post, streamed_calls, submit, when


@pytest.fixture
def events(client: OpenAI, http: httpx2.Client) -> list[ServerEvent]:
    """Text, then two parallel calls."""
    return _stream(client, http, "look it up and say so", tools=[WEATHER])


def test_it_is_sent_as_server_sent_events_that_nobody_keeps(client: OpenAI, http: httpx2.Client) -> None:
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    body = {"assistant_id": assistant.id, "stream": True}
    with http.stream("POST", f"/v1/threads/{thread.id}/runs", json=body) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert "no-cache" in response.headers["cache-control"] or "no-store" in response.headers["cache-control"]
        assert response.headers["x-request-id"]
        response.read()


def test_ids_grow_from_event_to_event(events: list[ServerEvent]) -> None:
    ids = [int(event.id or "0") for event in events[:-1]]
    assert ids == sorted(set(ids))
    assert ids[0] == 1
    assert (events[-1].name, events[-1].data) == ("done", "[DONE]")


def test_run_events_carry_the_run_in_that_state(events: list[ServerEvent]) -> None:
    states = {event.name: data(event) for event in events if event.name in _RUN_STATES}
    assert {name: run["status"] for name, run in states.items()} == _RUN_STATES
    assert states["thread.run.created"]["started_at"] is None
    assert states["thread.run.in_progress"]["started_at"] is not None
    assert all(run["required_action"] is None for name, run in states.items() if name != "thread.run.requires_action")
    assert all(run["usage"] is None and run["expires_at"] for run in states.values())


_RUN_STATES = {
    "thread.run.created": "queued",
    "thread.run.queued": "queued",
    "thread.run.in_progress": "in_progress",
    "thread.run.requires_action": "requires_action",
}


def test_a_new_message_is_empty_and_in_progress(events: list[ServerEvent]) -> None:
    for name in ("thread.message.created", "thread.message.in_progress"):
        (message,) = [data(event) for event in events if event.name == name]
        assert (message["status"], message["content"], message["role"]) == ("in_progress", [], "assistant")
        assert message["completed_at"] is message["incomplete_at"] is message["incomplete_details"] is None


def test_message_deltas_name_their_message_and_begin_at_index_zero(events: list[ServerEvent]) -> None:
    (message,) = [data(event) for event in events if event.name == "thread.message.completed"]
    deltas = [data(event) for event in events if event.name == "thread.message.delta"]
    assert {delta["id"] for delta in deltas} == {message["id"]}
    assert {delta["object"] for delta in deltas} == {"thread.message.delta"}
    parts = [part for delta in deltas for part in delta["delta"]["content"]]
    assert {(part["index"], part["type"]) for part in parts} == {(0, "text")}
    assert "".join(part["text"]["value"] for part in parts) == message["content"][0]["text"]["value"]


def test_a_new_tool_step_is_empty_and_its_deltas_fill_it(events: list[ServerEvent]) -> None:
    created = [data(event) for event in events if event.name == "thread.run.step.created"]
    assert created[0]["step_details"]["type"] == "message_creation"
    assert created[1]["step_details"] == {"type": "tool_calls", "tool_calls": []}
    deltas = [data(event) for event in events if event.name == "thread.run.step.delta"]
    assert {delta["id"] for delta in deltas} == {created[1]["id"]}
    assert {delta["object"] for delta in deltas} == {"thread.run.step.delta"}
    assert {delta["delta"]["step_details"]["type"] for delta in deltas} == {"tool_calls"}


def test_the_first_piece_of_a_call_names_it_and_the_others_only_add(events: list[ServerEvent]) -> None:
    pieces = _pieces(events)
    for index in (0, 1):
        first, *others = [piece for piece in pieces if piece["index"] == index]
        assert first["id"].startswith("call_")
        assert first["type"] == "function"
        assert first["function"]["name"] == "get_weather"
        assert first["function"]["output"] is None
        assert others
        for piece in others:
            assert "id" not in piece
            assert piece["type"] == "function"
            assert set(piece["function"]) == {"arguments"}


def test_the_streamed_calls_are_the_required_ones(events: list[ServerEvent]) -> None:
    required = data(events[-2])["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert [call["function"] for call in required] == streamed_calls(events)
    assert [call["id"] for call in required] == [piece["id"] for piece in _pieces(events) if "id" in piece]


def test_the_stream_says_what_a_get_says(client: OpenAI, http: httpx2.Client, events: list[ServerEvent]) -> None:
    last = {data(event)["id"]: data(event) for event in events[:-1] if not (event.name or "").endswith(".delta")}
    run = data(events[-2])
    got: list[dict[str, Any]] = [
        http.get(f"/v1/threads/{run['thread_id']}/runs/{run['id']}").json(),
        *http.get(f"/v1/threads/{run['thread_id']}/messages?run_id={run['id']}").json()["data"],
    ]
    for thing in got:
        assert thing == last[thing["id"]]
    steps = client.beta.threads.runs.steps.list(run["id"], thread_id=run["thread_id"], order="asc").data
    assert steps[0].to_dict() == last[steps[0].id]


def test_pieces_that_come_quickly_are_joined(client: OpenAI, http: httpx2.Client) -> None:
    events = _stream(client, http, "talk for long")
    deltas = [event for event in events if event.name == "thread.message.delta"]
    assert len(deltas) < 200


def test_the_first_piece_does_not_wait_for_the_second(client: OpenAI, http: httpx2.Client) -> None:
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "begin and stall"}])
    body = {"assistant_id": assistant.id, "stream": True}
    for event in post(http, f"/threads/{thread.id}/runs", body):
        if event.name == "thread.message.delta":
            assert data(event)["delta"]["content"][0]["text"]["value"] == "I begin"
            break
    (run,) = client.beta.threads.runs.list(thread.id).data
    client.beta.threads.runs.cancel(run.id, thread_id=thread.id)
    when(client, run, "cancelled")


def test_stream_false_is_not_streamed(client: OpenAI, http: httpx2.Client) -> None:
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    for body in ({"stream": False}, {"stream": None}):
        response = http.post(f"/v1/threads/{thread.id}/runs", json={"assistant_id": assistant.id, **body})
        assert response.headers["content-type"] == "application/json"
        when(client, client.beta.threads.runs.retrieve(response.json()["id"], thread_id=thread.id), "completed")


def test_what_is_wrong_with_the_request_is_no_stream(client: OpenAI, http: httpx2.Client) -> None:
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create()
    for path, body, status in (
        (f"/v1/threads/{thread.id}/runs", {"assistant_id": "asst_nowhere"}, 404),
        ("/v1/threads/thread_nowhere/runs", {"assistant_id": assistant.id}, 404),
        (f"/v1/threads/{thread.id}/runs", {"assistant_id": assistant.id, "temperature": 9}, 400),
        ("/v1/threads/runs", {"assistant_id": assistant.id, "max_prompt_tokens": 1}, 400),
    ):
        response = http.post(path, json={**body, "stream": True})
        assert response.status_code == status
        assert response.json()["error"]["type"] == "invalid_request_error"


def test_a_stream_whose_thread_is_deleted_ends(client: OpenAI, http: httpx2.Client) -> None:
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "begin and stall"}])
    names = []
    for event in post(http, f"/threads/{thread.id}/runs", {"assistant_id": assistant.id, "stream": True}):
        names.append(event.name)
        if event.name == "thread.message.delta":
            client.beta.threads.delete(thread.id)
    assert names[-2:] == ["error", "done"]
    with pytest.raises(openai.NotFoundError):
        client.beta.threads.retrieve(thread.id)


def test_a_finished_run_can_be_read_again_from_its_log(client: OpenAI, http: httpx2.Client) -> None:
    events = _stream(client, http, "look it up and say so", tools=[WEATHER])
    run = client.beta.threads.runs.retrieve(data(events[0])["id"], thread_id=data(events[0])["thread_id"])
    assert list(follow(http, run)) == events
    submit(client, run, "sunny", "sunny")
    assert [event.name for event in follow(http, run)][-2:] == ["thread.run.completed", "done"]


def _stream(client: OpenAI, http: httpx2.Client, text: str, **run: Any) -> list[ServerEvent]:
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": text}])
    return list(post(http, f"/threads/{thread.id}/runs", {"assistant_id": assistant.id, "stream": True, **run}))


def _pieces(events: list[ServerEvent]) -> list[dict[str, Any]]:
    deltas = [data(event) for event in events if event.name == "thread.run.step.delta"]
    return [piece for delta in deltas for piece in delta["delta"]["step_details"]["tool_calls"]]
