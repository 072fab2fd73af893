"""Idempotency-Key: what is sent again, because its answer was lost, gets that answer and does nothing a second time."""

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx2
import openai
import pytest

from tests.api.edge.searching import EVAL
from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.refusals import assert_refused
from tests.harness.server import Server
from tests.harness.waiting import eventually
from zhuli.server.requests.once import MOST_KEPT


def keyed(key: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": key or str(uuid4())}


def assistant(client: openai.OpenAI) -> str:
    return client.beta.assistants.create(model="gpt-4o").id


def thread(client: openai.OpenAI, text: str = "echo: hi") -> str:
    return client.beta.threads.create(messages=[{"role": "user", "content": text}]).id


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/assistants", {"model": "gpt-4o"}),
        ("/v1/threads", {"messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/vector_stores", {"name": "Store"}),
        ("/v1/uploads", {"bytes": 3, "filename": "a.txt", "mime_type": "text/plain", "purpose": "user_data"}),
        ("/v1/domains", {"name": "D", "intents": [{"name": "greet", "examples": ["hello", "hi"]}]}),
        ("/v1/chat/completions", {"model": "gpt-4o", "messages": [{"role": "user", "content": "echo: hi"}]}),
        ("/v1/evals", EVAL),
    ],
)
def test_sent_again_it_gets_the_same_answer(http: httpx2.Client, path: str, body: dict[str, Any]) -> None:
    headers = keyed()
    first = http.post(path, json=body, headers=headers)
    assert first.status_code in (200, 201), first.text
    again = http.post(path, json=body, headers=headers)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert http.post(path, json=body, headers=keyed()).json()["id"] != first.json()["id"]
    assert http.post(path, json=body).json()["id"] != first.json()["id"]


def test_a_message_sent_again_is_added_once(client: openai.OpenAI) -> None:
    thread_id, headers = client.beta.threads.create().id, keyed()
    made = [
        client.beta.threads.messages.create(thread_id, role="user", content="hi", extra_headers=headers).id
        for _ in range(3)
    ]
    assert len(set(made)) == 1
    assert [message.id for message in client.beta.threads.messages.list(thread_id)] == made[:1]


def test_a_run_created_again_is_the_same_run_and_not_a_second_one(client: openai.OpenAI) -> None:
    """Without the key it would be refused while the first is active, and run twice after that."""
    thread_id, assistant_id, headers = thread(client), assistant(client), keyed()
    made = [
        client.beta.threads.runs.create(thread_id, assistant_id=assistant_id, extra_headers=headers).id
        for _ in range(2)
    ]
    client.beta.threads.runs.poll(made[0], thread_id=thread_id)
    made.append(client.beta.threads.runs.create(thread_id, assistant_id=assistant_id, extra_headers=headers).id)
    assert len(set(made)) == 1
    assert len(client.beta.threads.runs.list(thread_id).data) == 1


def test_a_cancel_sent_again_is_answered_as_before(client: openai.OpenAI, http: httpx2.Client) -> None:
    """It answers with a run, and has no body that could ask for a stream."""
    thread_id, headers = thread(client, "stall"), keyed()
    run = client.beta.threads.runs.create(thread_id, assistant_id=assistant(client))
    first, again = (
        client.beta.threads.runs.cancel(run.id, thread_id=thread_id, extra_headers=headers) for _ in range(2)
    )
    assert first == again
    path = f"/v1/threads/{thread_id}/runs/{run.id}"
    for body in (b"", b"{}"):
        headers = keyed()
        one, other = (http.post(path, content=body, headers=headers) for _ in range(2))
        assert one.status_code == other.status_code == 200
        assert other.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("with_thread", [True, False])
def test_a_streamed_run_created_again_is_the_same_stream(
    client: openai.OpenAI, http: httpx2.Client, with_thread: bool
) -> None:
    body: dict[str, Any] = {"assistant_id": assistant(client), "stream": True}
    path = "/v1/threads/runs" if with_thread else f"/v1/threads/{thread(client, 'tell a story')}/runs"
    if with_thread:
        body["thread"] = {"messages": [{"role": "user", "content": "tell a story"}]}
    headers = keyed()
    with http.stream("POST", path, json=body, headers=headers) as left:  # and nobody reads it to its end
        next(left.iter_raw())
    streams = [http.post(path, json=body, headers=headers).text for _ in range(2)]
    assert streams[0] == streams[1]
    assert "event: thread.run.created" in streams[0] and "event: thread.run.completed" in streams[0]


def test_outputs_submitted_again_are_taken_once(client: openai.OpenAI, http: httpx2.Client) -> None:
    tool: Any = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
    made = client.beta.assistants.create(model="gpt-4o", tools=[tool])
    thread_id = thread(client, "call once")
    run = client.beta.threads.runs.create_and_poll(thread_id=thread_id, assistant_id=made.id)
    assert run.required_action is not None
    call = run.required_action.submit_tool_outputs.tool_calls[0].id
    body = {"tool_outputs": [{"tool_call_id": call, "output": "rain"}], "stream": True}
    path, headers = f"/v1/threads/{thread_id}/runs/{run.id}/submit_tool_outputs", keyed()
    first, again = (http.post(path, json=body, headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.text == again.text
    assert "Called once: rain" in first.text
    assert_refused(http.post(path, json=body, headers=keyed()), 400)


def test_a_file_uploaded_again_is_one_file(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True)
    client, headers = clients.sdk(server), keyed()
    made = [
        client.files.create(file=("a.txt", b"text" * 100_000), purpose="user_data", extra_headers=headers)
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert len(client.files.list().data) == 1
    http = clients.http(server)
    other = http.post("/v1/files", files={"file": ("a.txt", b"other")}, data={"purpose": "user_data"}, headers=headers)
    assert_refused(other, 400, param="Idempotency-Key", code="idempotency_key_reused")


def test_a_part_sent_again_is_one_part(client: openai.OpenAI) -> None:
    upload = client.uploads.create(bytes=3, filename="a.txt", mime_type="text/plain", purpose="user_data")
    headers = keyed()
    first, again = (client.uploads.parts.create(upload.id, data=b"abc", extra_headers=headers) for _ in range(2))
    assert first == again
    done = client.uploads.complete(upload.id, part_ids=[first.id], extra_headers=headers)
    assert client.uploads.complete(upload.id, part_ids=[first.id], extra_headers=headers) == done


def test_a_key_with_another_body_is_refused(http: httpx2.Client) -> None:
    headers = keyed()
    http.post("/v1/threads", json={"metadata": {"a": "b", "c": "d"}}, headers=headers)
    for body in ({"metadata": {"a": "c"}}, {}):
        answer = http.post("/v1/threads", json=body, headers=headers)
        message = assert_refused(answer, 400, param="Idempotency-Key", code="idempotency_key_reused")
        assert "another key" in message
    same = http.post("/v1/threads", content=b'{ "metadata": {"c": "d", "a": "b"} }', headers=headers)
    assert same.headers["idempotent-replayed"] == "true"


def test_a_key_is_of_one_path(http: httpx2.Client) -> None:
    headers = keyed()
    one = http.post("/v1/threads", json={}, headers=headers).json()["id"]
    assert http.post("/v1/vector_stores", json={}, headers=headers).json()["id"].startswith("vs_")
    assert http.post(f"/v1/threads/{one}", json={}, headers=headers).json()["id"] == one


def test_a_key_with_another_deployment_of_azures_is_refused(server: Server) -> None:
    """The deployment is the model, so it is a part of what was asked."""
    body, headers = {"messages": [{"role": "user", "content": "echo: hi"}]}, keyed()
    at = f"{server.url}/openai/deployments/%s/chat/completions?api-version=2024-10-21"
    first, again, other = (
        httpx2.post(at % model, json=body, headers=headers, verify=False) for model in ("gpt-4o", "gpt-4o", "script")
    )
    assert again.json() == first.json() and again.headers["idempotent-replayed"] == "true"
    assert_refused(other, 400, param="Idempotency-Key", code="idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "k" * 256, "caf\u00e9", "a\tb"])
def test_a_key_that_is_none_is_refused(http: httpx2.Client, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    answer = http.post("/v1/threads", json={}, headers=headers)
    assert_refused(answer, 400, param="Idempotency-Key", code="invalid_value")


def test_a_refusal_is_not_kept(client: openai.OpenAI, http: httpx2.Client) -> None:
    headers = keyed()
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "fault rate_limit"}]}
    assert http.post("/v1/chat/completions", json=body, headers=headers).status_code == 429
    assert http.post("/v1/chat/completions", json=body, headers=headers).status_code == 429
    assert_refused(http.post("/v1/threads", json={"x": 1}, headers=headers), 400, param="x", code="unknown_parameter")
    assert http.post("/v1/threads", json={}, headers=headers).status_code == 200


def test_of_many_at_the_same_time_one_does_it(client: openai.OpenAI, clients: Clients, server: Server) -> None:
    thread_id, assistant_id, headers = thread(client, "tell a story"), assistant(client), keyed()

    def create(_: int) -> Any:
        return clients.http(server).post(
            f"/v1/threads/{thread_id}/runs", json={"assistant_id": assistant_id}, headers=headers
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(client.beta.threads.runs.list(thread_id).data) == 1


def test_who_comes_while_it_is_answered_waits_for_the_answer(clients: Clients, server: Server) -> None:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "tell a story"}]}
    headers = keyed()

    def ask(_: int) -> Any:
        return clients.http(server).post("/v1/chat/completions", json=body, headers=headers).json()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert answers[1:] == answers[:1] * 3


def test_a_long_answer_of_what_changed_nothing_is_worked_out_again(http: httpx2.Client) -> None:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "echo: " + "x" * MOST_KEPT}]}
    headers = keyed()
    first, again = [http.post("/v1/chat/completions", json=body, headers=headers) for _ in range(2)]
    assert first.status_code == again.status_code == 200 and len(first.text) > MOST_KEPT
    assert "idempotent-replayed" not in again.headers
    assert again.json()["id"] != first.json()["id"]


def test_an_answer_that_nobody_received_is_there_after_a_crash(clients: Clients, start_server: StartServer) -> None:
    """The client's connection and then the server are gone before the answer is; the retry finds what was made."""
    server = start_server(fresh=True)
    client = clients.sdk(server)
    key = str(uuid4())
    body = b'{"metadata": {"lost": "yes"}}'
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(
            b"POST /v1/threads HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\nidempotency-key: %b\r\n\r\n%b"
            % (len(body), key.encode(), body)
        )
        eventually(lambda: server.lines_with("POST /v1/threads"))
        server.kill9()
    server.start()
    again = clients.http(server).post("/v1/threads", content=body, headers=keyed(key))
    assert again.headers["idempotent-replayed"] == "true"
    (only,) = clients.http(server).get("/v1/threads").json()["data"]
    assert only == again.json()
    assert client.beta.threads.retrieve(only["id"]).metadata == {"lost": "yes"}


def test_projects_do_not_share_keys(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True)
    one, other = (clients.sdk(server, key=server.new_key(name)) for name in ("one", "other"))
    headers = keyed()
    made = [client.beta.threads.create(extra_headers=headers).id for client in (one, other, one)]
    assert made[0] == made[2] != made[1]
