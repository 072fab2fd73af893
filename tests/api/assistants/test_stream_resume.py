"""Following a run from where one left off: GET …/events with Last-Event-ID, our addition to the API."""

import threading

import httpx2
import pytest
from openai import OpenAI

from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.sse import ServerEvent
from tests.harness.stories import (
    WEATHER,
    answers,
    ask,
    at_rest,
    begin,
    calls_of,
    data,
    follow,
    post,
    short,
    streamed_text,
    submit,
    when,
)


def test_from_every_point_the_rest_comes_once(client: OpenAI, http: httpx2.Client) -> None:
    run = submit(client, ask(client, "look it up and say so", tools=[WEATHER]), "sunny", "sunny")
    whole = list(follow(http, run))
    for cut in range(1, len(whole) - 1):
        assert list(follow(http, run, after=whole[cut - 1].id)) == whole[cut:]
    assert [event.name for event in follow(http, run, after=whole[-2].id)] == ["done"]


def test_the_whole_log_says_what_the_streams_said(client: OpenAI, http: httpx2.Client) -> None:
    assistant = client.beta.assistants.create(model="script", tools=[WEATHER])  # type: ignore[list-item]
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "look it up and say so"}])
    said = list(post(http, f"/threads/{thread.id}/runs", {"assistant_id": assistant.id, "stream": True}))
    run = client.beta.threads.runs.retrieve(data(said[0])["id"], thread_id=thread.id)
    outputs = [{"tool_call_id": call.id, "output": "sunny"} for call in calls_of(run)]
    body = {"tool_outputs": outputs, "stream": True}
    path = f"/threads/{thread.id}/runs/{run.id}/submit_tool_outputs"
    said_then = list(post(http, path, body))
    assert list(follow(http, run)) == said[:-1] + said_then


def test_a_follower_that_is_cut_again_and_again_misses_nothing(client: OpenAI, http: httpx2.Client) -> None:
    run = begin(client, "count slowly")
    pieces: list[ServerEvent] = []
    while not pieces or pieces[-1].name != "done":
        stream = follow(http, run, after=pieces[-1].id if pieces else None)
        for _, event in zip(range(3), stream, strict=False):
            pieces.append(event)
        stream.close()  # type: ignore[attr-defined]
    assert [event.id for event in pieces] == [event.id for event in follow(http, run)]
    assert [streamed_text(pieces)] == answers(client, run) == ["tick " * 20]


def test_two_followers_see_the_same(client: OpenAI, clients: Clients, server: Server) -> None:
    run = begin(client, "tell a story")
    seen: list[list[ServerEvent]] = [[], []]

    def read(number: int) -> None:
        seen[number] += follow(clients.http(server), run)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen[0] == seen[1]
    assert short(seen[0])[-2:] == ["run.completed", "done"]
    assert [streamed_text(seen[0])] == answers(client, run)


def test_a_follower_that_leaves_does_not_stop_the_run(client: OpenAI, http: httpx2.Client) -> None:
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "tell a story"}])
    stream = post(http, f"/threads/{thread.id}/runs", {"assistant_id": assistant.id, "stream": True})
    for event in stream:
        if event.name == "thread.message.delta":
            break
    stream.close()  # type: ignore[attr-defined]
    (run,) = client.beta.threads.runs.list(thread.id).data
    assert at_rest(client, run).status == "completed"
    assert answers(client, run) == ["Once upon a time."]


def test_a_run_that_was_not_streamed_can_be_joined(client: OpenAI, http: httpx2.Client) -> None:
    run = begin(client, "tell a story")
    events = list(follow(http, run))
    assert short(events)[:3] == ["run.created", "run.queued", "run.in_progress"]
    assert streamed_text(events) == "Once upon a time."


def test_a_follower_sees_outputs_that_another_client_submits(client: OpenAI, http: httpx2.Client) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    before = list(follow(http, run))
    assert [event.name for event in before[-2:]] == ["thread.run.requires_action", "done"]
    assert [event.name for event in follow(http, run, after=before[-2].id)] == ["done"]
    submit(client, run, "sunny")
    after = list(follow(http, run, after=before[-2].id))
    assert after[0].name == "thread.run.step.completed"
    assert after[-2].name == "thread.run.completed"
    assert streamed_text(after) == "Called once: sunny"


def test_a_follower_is_still_there_when_the_model_is_silent(client: OpenAI, clients: Clients, server: Server) -> None:
    run = when(client, begin(client, "stall"), "in_progress")
    seen: list[ServerEvent] = []
    reader = threading.Thread(target=lambda: seen.extend(follow(clients.http(server), run)))
    reader.start()
    client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
    reader.join()
    assert short(seen)[-3:] == ["run.cancelling", "run.cancelled", "done"]


@pytest.mark.parametrize("header", ["", "x", "-1", "1.5"])
def test_an_id_that_was_never_sent_is_refused(client: OpenAI, http: httpx2.Client, header: str) -> None:
    run = ask(client, "hello")
    response = http.get(f"/v1/threads/{run.thread_id}/runs/{run.id}/events", headers={"Last-Event-ID": header})
    if header:
        assert response.status_code == 400
        assert response.json()["error"]["type"] == "invalid_request_error"
    else:
        assert response.status_code == 200


def test_the_events_of_an_unknown_run_are_not_found(client: OpenAI, http: httpx2.Client) -> None:
    run, other = ask(client, "hello"), ask(client, "hello")
    for path in (f"{run.thread_id}/runs/run_nowhere", f"{other.thread_id}/runs/{run.id}"):
        response = http.get(f"/v1/threads/{path}/events")
        assert response.status_code == 404
        assert response.json()["error"]["type"] == "invalid_request_error"
