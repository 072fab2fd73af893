"""API keys: none needed on loopback; once there are some, a key opens its project and nothing else."""

import time
from typing import Any

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import PATIENCE, Clients
from tests.harness.refusals import assert_refused, refused
from tests.harness.server import UNDERSTANDER, Server


@pytest.fixture
def keyed(start_server: StartServer) -> Server:
    server = start_server(name="with keys")
    server.new_key("anyone")
    refused_soon(server, headers={})
    return server


def test_without_keys_any_key_and_none_is_taken(http: httpx2.Client, client: openai.OpenAI) -> None:
    assert http.get("/v1/models").status_code == 200
    assert client.models.list().data


def test_with_keys_a_request_without_one_is_a_401(clients: Clients, keyed: Server) -> None:
    http = clients.http(keyed)
    for path in ("/v1/models", "/v1/assistants", "/v1/threads/thread_x"):
        response = http.get(path)
        assert response.status_code == 401
        assert "API key" in response.json()["error"]["message"]
    assert http.get("/healthz").status_code == 200


def test_a_wrong_key_is_a_401_in_the_words_that_apps_match(clients: Clients, keyed: Server) -> None:
    with refused(401, code="invalid_api_key") as caught:
        clients.sdk(keyed, key="sk-0123456789abcdef0123456789abcdef").models.list()
    assert isinstance(caught.value, openai.AuthenticationError)
    assert caught.value.body["message"].startswith("Incorrect API key provided: ")  # type: ignore[index]


def test_a_wrong_key_is_not_repeated_in_full(clients: Clients, keyed: Server) -> None:
    """An error message ends up in logs."""
    wrong = "sk-0123456789abcdef0123456789abcdef"
    with refused(401, code="invalid_api_key") as caught:
        clients.sdk(keyed, key=wrong).models.list()
    assert wrong not in caught.value.response.text
    assert keyed.lines_with(caught.value.response.headers["x-request-id"])
    assert wrong not in keyed.log()


@pytest.mark.parametrize("header", ["Basic c2s6", "Bearer", "sk-x", "Bearer a b c"])
def test_an_authorization_that_is_no_bearer_key_is_a_401(clients: Clients, keyed: Server, header: str) -> None:
    response = clients.http(keyed).get("/v1/models", headers={"authorization": header})
    assert response.status_code == 401


def test_a_new_key_works_at_once_and_a_revoked_one_soon_no_longer(clients: Clients, keyed: Server) -> None:
    key = keyed.new_key("come and go")
    client = clients.sdk(keyed, key=key)
    assert client.models.list().data
    (line,) = [line for line in keyed.cli("keys", "list").splitlines() if "come and go" in line]
    assert key not in line
    key_id = next(word for word in line.split() if word.startswith("key_"))
    keyed.cli("keys", "revoke", key_id)
    refused_soon(keyed, headers={"authorization": f"Bearer {key}"})


def test_two_keys_of_one_project_see_the_same(clients: Clients, keyed: Server) -> None:
    one, two = (clients.sdk(keyed, key=keyed.new_key("shared")) for _ in range(2))
    assistant = one.beta.assistants.create(model="gpt-4o")
    assert two.beta.assistants.retrieve(assistant.id) == assistant


def test_a_project_does_not_see_what_another_has(clients: Clients, keyed: Server) -> None:
    mine = clients.sdk(keyed, key=keyed.new_key("mine"))
    key = keyed.new_key("theirs")
    theirs = clients.sdk(keyed, key=key)
    http = clients.http(keyed, headers={"authorization": f"Bearer {key}"})
    assistant = mine.beta.assistants.create(model="gpt-4o")
    thread = mine.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    run = mine.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    step = mine.beta.threads.runs.steps.list(run.id, thread_id=thread.id).data[0]
    message = mine.beta.threads.messages.list(thread.id).data[0]
    file = mine.files.create(file=("a.txt", b"secret"), purpose="user_data")
    made: Any = mine.post("/domains", body={"understander": {"type": UNDERSTANDER}}, cast_to=object)
    domain = made["id"]

    at = f"/v1/threads/{thread.id}"
    for path in (
        f"/v1/assistants/{assistant.id}",
        at,
        f"{at}/messages",
        f"{at}/messages/{message.id}",
        f"{at}/runs",
        f"{at}/runs/{run.id}",
        f"{at}/runs/{run.id}/events",
        f"{at}/runs/{run.id}/steps",
        f"{at}/runs/{run.id}/steps/{step.id}",
        f"/v1/files/{file.id}",
        f"/v1/files/{file.id}/content",
        f"{at}/state",
        f"{at}/understandings",
        f"/v1/domains/{domain}",
        f"/v1/domains/{domain}/report",
        f"/v1/domains/{domain}/export",
        f"/v1/domains/{domain}/diagram",
    ):
        assert http.get(path).status_code == 404, path
    for path in (
        f"/v1/assistants/{assistant.id}",
        at,
        f"{at}/messages/{message.id}",
        f"{at}/runs/{run.id}",
        f"{at}/runs/{run.id}/cancel",
        f"{at}/state",
        f"/v1/domains/{domain}",
    ):
        assert http.post(path, json={}).status_code == 404, path
    for path in (
        f"/v1/assistants/{assistant.id}",
        at,
        f"{at}/messages/{message.id}",
        f"/v1/files/{file.id}",
        f"/v1/domains/{domain}",
    ):
        assert http.delete(path).status_code == 404, path
    assert theirs.beta.assistants.list().data == []
    assert theirs.files.list().data == []
    assert http.get("/v1/threads").json()["data"] == []
    assert http.get("/v1/domains").json()["data"] == []

    own = theirs.beta.threads.create()
    for path, body in (
        ("/v1/understandings", {"input": "hi"}),
        (f"/v1/threads/{own.id}/state", {}),
        ("/v1/assistants", {"model": "gpt-4o"}),
        (f"/v1/threads/{own.id}/runs", {"assistant_id": theirs.beta.assistants.create(model="gpt-4o").id}),
    ):
        told = assert_refused(http.post(path, json={**body, "domain": domain}), 404, param="domain")
        assert told == f"No domain found with id '{domain}'.", path
    with refused(404, f"No assistant found with id '{assistant.id}'."):
        theirs.beta.threads.runs.create(own.id, assistant_id=assistant.id)
    assert mine.beta.threads.retrieve(thread.id) == thread


def test_a_cursor_of_another_project_is_unknown(clients: Clients, keyed: Server) -> None:
    mine = clients.sdk(keyed, key=keyed.new_key("cursor mine"))
    theirs = clients.sdk(keyed, key=keyed.new_key("cursor theirs"))
    assistant = mine.beta.assistants.create(model="gpt-4o")
    with refused(404, f"No assistant found with id '{assistant.id}'."):
        theirs.beta.assistants.list(after=assistant.id)


def test_a_bad_key_is_refused_before_the_body_is_looked_at(clients: Clients, keyed: Server) -> None:
    response = clients.http(keyed).post("/v1/assistants", content=b"{", headers={"authorization": "Bearer sk-wrong"})
    assert_refused(response, 401, code="invalid_api_key")


def refused_soon(server: Server, *, headers: dict[str, str]) -> None:
    """The server may remember for some seconds who was let in."""
    deadline = time.monotonic() + PATIENCE
    while httpx2.get(f"{server.base_url}/models", headers=headers, verify=False).status_code != 401:
        assert time.monotonic() < deadline, "still let in"
        time.sleep(0.1)
