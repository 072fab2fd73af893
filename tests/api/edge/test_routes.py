"""What holds for every route: request ids, unknown paths and methods, HEAD and OPTIONS, health, headers of SDKs."""

import re
from importlib.metadata import version

import httpx2
import openai
import pytest

from tests.harness.refusals import assert_refused, refused
from tests.harness.server import Server


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v2/threads", "/v1/engines", "/v1/threads/thread_x/nothing", "/v1/%00"]
)
def test_an_unknown_path_is_a_404_in_the_error_shape(http: httpx2.Client, path: str) -> None:
    for method in ("GET", "POST"):
        message = assert_refused(http.request(method, path), 404)
        assert path.rstrip("/").removesuffix("%00") in message


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/assistants"),
        ("PATCH", "/v1/assistants/asst_x"),
        ("DELETE", "/v1/threads"),
        ("PUT", "/v1/threads/thread_x"),
        ("GET", "/v1/threads/thread_x/runs/run_x/cancel"),
        ("PATCH", "/v1/chat/completions"),
        ("POST", "/v1/models"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_a_405_in_the_error_shape(
    http: httpx2.Client, method: str, path: str
) -> None:
    message = assert_refused(http.request(method, path), 405, code="method_not_supported")
    assert method in message


def test_a_trailing_slash_is_no_reason_to_lose_a_body(http: httpx2.Client) -> None:
    """A redirect would make some clients repeat the POST as a GET: answer, or say that there is no such path."""
    assert http.post("/v1/threads/", json={}).status_code in (200, 404)


def test_every_answer_has_a_request_id_of_its_own(http: httpx2.Client, client: openai.OpenAI) -> None:
    paths = ("/v1/models", "/v1/nothing", "/v1/threads/thread_x", "/healthz")
    ids = [http.get(path).headers["x-request-id"] for path in paths]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"req_\w+", id_) for id_ in ids)
    assert client.beta.threads.create()._request_id is not None
    with refused(404) as caught:
        client.beta.threads.retrieve("thread_x")
    assert caught.value.request_id is not None


def test_a_clients_request_id_is_not_taken_for_ours(http: httpx2.Client) -> None:
    """Ours is what the log has, and no client can choose it."""
    answer = http.get("/v1/models", headers={"X-Client-Request-Id": "mine-123", "X-Request-Id": "mine-123"})
    assert answer.headers["x-request-id"] != "mine-123"


def test_streams_have_a_request_id_too(http: httpx2.Client) -> None:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}], "stream": True}
    assert http.post("/v1/chat/completions", json=body).headers["x-request-id"]


def test_runs_say_when_to_ask_again(client: openai.OpenAI) -> None:
    assistant = client.beta.assistants.create(model="gpt-4o")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    made = client.beta.threads.runs.with_raw_response.create(thread.id, assistant_id=assistant.id)
    read = client.beta.threads.runs.with_raw_response.retrieve(made.parse().id, thread_id=thread.id)
    for response in (made, read):
        assert 100 <= int(response.headers["openai-poll-after-ms"]) <= 500


def test_health_and_readiness_answer_without_a_key(http: httpx2.Client) -> None:
    assert http.get("/healthz").status_code == 200
    assert http.get("/readyz").status_code == 200


def test_metrics_and_documentation_are_served(http: httpx2.Client) -> None:
    assert "# TYPE" in http.get("/metrics").text
    assert "html" in http.get("/docs").text
    assert "/v1/threads/{thread_id}/runs" in http.get("/openapi.json").json()["paths"]


def test_head_answers_like_get_without_a_body(http: httpx2.Client) -> None:
    for path in ("/healthz", "/v1/models"):
        answer = http.head(path)
        assert answer.status_code == 200
        assert answer.content == b""


def test_options_never_fails(http: httpx2.Client, server: Server) -> None:
    """A page of another origin is told that it may not; the server's own, which methods there are."""
    asked = {"access-control-request-method": "POST"}
    answer = http.request("OPTIONS", "/v1/threads", headers={**asked, "origin": server.url})
    assert answer.status_code in (200, 204, 405)
    foreign = http.request("OPTIONS", "/v1/threads", headers={**asked, "origin": "http://127.0.0.1:3000"})
    assert foreign.status_code == 403


def test_headers_that_sdks_send_are_taken_or_ignored(http: httpx2.Client) -> None:
    headers = {
        "OpenAI-Beta": "assistants=v2",
        "OpenAI-Organization": "org-x",
        "OpenAI-Project": "proj_x",
        "x-stainless-helper-method": "stream",
        "x-stainless-read-timeout": "600",
    }
    assert http.post("/v1/threads", json={}, headers=headers).status_code == 200


def test_unknown_query_parameters_are_ignored(http: httpx2.Client) -> None:
    assert http.get("/v1/models", params={"utm_source": "mail"}).status_code == 200


@pytest.mark.parametrize(
    "id_", ["asst_" + "x" * 5000, "asst_'; DROP TABLE assistants; --", "asst_%00", "asst_猪", "..%2f..%2fetc"]
)
def test_ids_of_any_kind_are_only_unknown(http: httpx2.Client, id_: str) -> None:
    assert http.get(f"/v1/assistants/{id_}").status_code in (400, 404)


def test_the_description_says_which_version_answers(http: httpx2.Client) -> None:
    assert http.get("/openapi.json").json()["info"]["version"] == version("zhuli")
