"""HEAD on everything that has GET: the same status and headers, no body, and nothing that goes on behind it."""

import httpx2
import openai
import pytest

from tests.harness.stories import ask

SAME = ("content-type", "content-length", "content-disposition", "openai-version", "openai-poll-after-ms")


def heads(http: httpx2.Client, path: str) -> httpx2.Headers:
    """The headers of a HEAD, which must be those of a GET."""
    asked, read = http.head(path), http.get(path)
    assert asked.content == b""
    assert asked.status_code == read.status_code
    assert {name: asked.headers.get(name) for name in SAME} == {name: read.headers.get(name) for name in SAME}
    return asked.headers


@pytest.mark.parametrize(
    "path",
    ["/healthz", "/docs", "/v1/models", "/v1/models/gpt-4o", "/v1/assistants", "/v1/threads?limit=1", "/v1/files"],
)
def test_a_head_has_the_headers_of_a_get(http: httpx2.Client, path: str) -> None:
    http.post("/v1/threads", json={})
    assert int(heads(http, path)["content-length"]) > 0


@pytest.mark.parametrize("path", ["/readyz", "/openapi.json", "/metrics", "/v1/vector_stores", "/v1/domains"])
def test_a_head_is_answered_wherever_a_get_is(http: httpx2.Client, path: str) -> None:
    answer = http.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_head_of_a_files_content_says_its_length_and_name(client: openai.OpenAI, http: httpx2.Client) -> None:
    file = client.files.create(file=("竹.txt", b"0123456789" * 200_000), purpose="user_data")
    headers = heads(http, f"/v1/files/{file.id}/content")
    assert headers["content-length"] == "2000000"
    assert "filename*=UTF-8''%E7%AB%B9.txt" in headers["content-disposition"]


def test_the_head_of_objects_that_a_run_made(client: openai.OpenAI, http: httpx2.Client) -> None:
    run = ask(client, "echo: hi")
    thread = f"/v1/threads/{run.thread_id}"
    for path in (thread, f"{thread}/messages", f"{thread}/runs/{run.id}", f"{thread}/runs/{run.id}/steps"):
        assert heads(http, path)["content-type"] == "application/json"


def test_the_head_of_a_stream_does_not_wait_for_its_end(client: openai.OpenAI, http: httpx2.Client) -> None:
    assistant = client.beta.assistants.create(model="gpt-4o")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "stall"}])
    run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    answer = http.head(f"/v1/threads/{thread.id}/runs/{run.id}/events")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")
    client.beta.threads.runs.cancel(run.id, thread_id=thread.id)


def test_what_is_not_there_has_no_body_either(http: httpx2.Client) -> None:
    for path, status in (("/v1/threads/thread_x", 404), ("/v1/nothing", 404), ("/v1/threads/runs/x/cancel", 404)):
        answer = http.head(path)
        assert (answer.status_code, answer.content) == (status, b"")
        assert answer.headers["x-request-id"]


def test_a_connection_goes_on_behind_a_head(http: httpx2.Client) -> None:
    for _ in range(3):
        assert http.head("/v1/models").status_code == 200
        assert http.post("/v1/threads", json={}).status_code == 200
