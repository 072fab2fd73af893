"""The leniencies that can be switched off, each both ways (contract §1.8, last paragraph)."""

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.refusals import assert_refused, refused

BETA = {"OpenAI-Beta": "assistants=v2"}


@pytest.fixture
def strict_header(clients: Clients, start_server: StartServer) -> httpx2.Client:
    return clients.http(start_server(strict={"beta_header": True}))


@pytest.fixture
def strict_ids(clients: Clients, start_server: StartServer) -> httpx2.Client:
    return clients.http(start_server(strict={"ids": True}))


@pytest.mark.parametrize("header", [{}, BETA, {"OpenAI-Beta": "assistants=v1"}, {"OpenAI-Beta": "realtime=v1"}])
def test_the_beta_header_does_not_matter_by_default(http: httpx2.Client, header: dict[str, str]) -> None:
    assert http.post("/v1/threads", json={}, headers=header).status_code == 200


@pytest.mark.parametrize("path", ["/v1/assistants", "/v1/threads/thread_x", "/v1/threads/thread_x/runs"])
def test_strict_beta_header_wants_the_header(strict_header: httpx2.Client, path: str) -> None:
    assert_refused(
        strict_header.get(path),
        400,
        "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
        "Please try again by setting the header 'OpenAI-Beta: assistants=v2'.",
        code="invalid_beta",
    )


def test_strict_beta_header_refuses_version_1(strict_header: httpx2.Client) -> None:
    response = strict_header.post("/v1/threads", json={}, headers={"OpenAI-Beta": "assistants=v1"})
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith(
        "The v1 Assistants API has been deprecated. Please try again by setting the header 'OpenAI-Beta: assistants=v2'"
    )


def test_strict_beta_header_takes_version_2_also_among_others(strict_header: httpx2.Client) -> None:
    for value in ("assistants=v2", "assistants=v2,realtime=v1", "realtime=v1, assistants=v2"):
        assert strict_header.post("/v1/threads", json={}, headers={"OpenAI-Beta": value}).status_code == 200


def test_strict_beta_header_is_not_asked_for_elsewhere(strict_header: httpx2.Client) -> None:
    """SDKs send it with assistants and threads, not with files, models and completions."""
    for path in ("/v1/files", "/v1/models", "/healthz"):
        assert strict_header.get(path).status_code == 200
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
    assert strict_header.post("/v1/chat/completions", json=body).status_code == 200


def test_the_sdk_satisfies_every_strictness(clients: Clients, start_server: StartServer) -> None:
    client = clients.sdk(start_server(strict={"beta_header": True, "ids": True, "downloads": True}))
    assistant = client.beta.assistants.create(model="gpt-4o")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "echo: hi"}])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    assert run.status == "completed"
    assert client.beta.threads.runs.steps.list(run.id, thread_id=thread.id).data[0].status == "completed"


def test_ids_of_another_shape_are_only_unknown_by_default(http: httpx2.Client) -> None:
    assert_refused(http.get("/v1/assistants/x"), 404, "No assistant found with id 'x'.")
    assert_refused(http.get("/v1/threads/x"), 404, "No thread found with id 'x'.")


@pytest.mark.parametrize(
    ("method", "path", "param", "id_", "prefix"),
    [
        ("GET", "/v1/assistants/x", "assistant_id", "x", "asst"),
        ("POST", "/v1/assistants/x", "assistant_id", "x", "asst"),
        ("DELETE", "/v1/assistants/x", "assistant_id", "x", "asst"),
        ("GET", "/v1/threads/x", "thread_id", "x", "thread"),
        ("GET", "/v1/threads/asst_x/messages", "thread_id", "asst_x", "thread"),
        ("GET", "/v1/threads/thread_x/messages/x", "message_id", "x", "msg"),
        ("GET", "/v1/threads/thread_x/runs/x", "run_id", "x", "run"),
        ("GET", "/v1/threads/thread_x/runs/run_x/steps/x", "step_id", "x", "step"),
    ],
)
def test_strict_ids_refuses_another_shape(
    strict_ids: httpx2.Client, method: str, path: str, param: str, id_: str, prefix: str
) -> None:
    assert_refused(
        strict_ids.request(method, path, json={} if method == "POST" else None),
        400,
        f"Invalid '{param}': '{id_}'. Expected an ID that begins with '{prefix}'.",
        param=param,
        code="invalid_value",
    )


def test_strict_ids_looks_into_bodies_too(strict_ids: httpx2.Client) -> None:
    thread = strict_ids.post("/v1/threads", json={}).json()["id"]
    for path in (f"/v1/threads/{thread}/runs", "/v1/threads/runs"):
        assert_refused(
            strict_ids.post(path, json={"assistant_id": "x"}),
            400,
            "Invalid 'assistant_id': 'x'. Expected an ID that begins with 'asst'.",
            param="assistant_id",
            code="invalid_value",
        )


def test_strict_ids_leaves_unknown_ids_of_the_right_shape_a_404(strict_ids: httpx2.Client) -> None:
    assert_refused(strict_ids.get("/v1/assistants/asst_x"), 404, "No assistant found with id 'asst_x'.")


@pytest.mark.parametrize("purpose", ["assistants", "vision", "user_data"])
def test_uploads_can_be_downloaded_by_default(client: openai.OpenAI, purpose: str) -> None:
    file = client.files.create(file=("a.txt", b"mine"), purpose=purpose)  # type: ignore[arg-type]
    assert client.files.content(file.id).read() == b"mine"


@pytest.mark.parametrize("purpose", ["assistants", "vision", "user_data"])
def test_strict_downloads_refuses_uploads(clients: Clients, start_server: StartServer, purpose: str) -> None:
    client = clients.sdk(start_server(strict={"downloads": True}))
    file = client.files.create(file=("a.txt", b"mine"), purpose=purpose)  # type: ignore[arg-type]
    with refused(400, f"Not allowed to download files of purpose: {purpose}"):
        client.files.content(file.id)


def test_strict_downloads_hands_back_what_is_not_an_upload_for_assistants(
    clients: Clients, start_server: StartServer
) -> None:
    client = clients.sdk(start_server(strict={"downloads": True}))
    file = client.files.create(file=("a.jsonl", b"{}"), purpose="batch")
    assert client.files.content(file.id).read() == b"{}"
