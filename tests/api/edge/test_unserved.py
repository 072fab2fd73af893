"""Paths and methods that are not served: the error says what would be right, in the API's shape."""

import httpx2
import openai
import pytest

from tests.harness.refusals import assert_refused
from tests.harness.server import Server


@pytest.mark.parametrize(
    ("method", "path", "advice"),
    [
        ("POST", "/v1/audio/speech", "another base URL"),
        ("POST", "/v1/audio/transcriptions", "another base URL"),
        ("GET", "/v1/realtime", "stream: true"),
        ("POST", "/v1/images/generations", "makes no pictures"),
        ("POST", "/v1/batches", "one by one"),
        ("POST", "/v1/fine_tuning/alpha/graders", "POST /v1/evals"),
        ("GET", "/v1/engines", "GET /v1/models"),
        ("POST", "/v1/edits", "POST /v1/chat/completions"),
        ("POST", "/v1/messages", "Anthropic"),
        ("GET", "/v1/organization/projects", "zhuli keys create"),
        ("POST", "/v1/fine-tunes", "POST /v1/fine_tuning/jobs"),
        ("POST", "/api/chat", "end with /v1"),
        ("POST", "/v1/nobody/knows", "/docs"),
    ],
)
def test_a_path_that_is_not_served_says_what_to_use(http: httpx2.Client, method: str, path: str, advice: str) -> None:
    message = assert_refused(http.request(method, path, json={}), 404)
    assert message.startswith(f"Invalid URL ({method} {path}). ")
    assert advice in message


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/chat/completions", "/v1/chat/completions"),
        ("/threads", "/v1/threads"),
        ("/threads/thread_x/runs/run_x/cancel", "/v1/threads/thread_x/runs/run_x/cancel"),
        ("/v1/v1/chat/completions", "/v1/chat/completions"),
        ("/v1/v1/v1/models", "/v1/models"),
        ("/v1/threads/", "/v1/threads"),
        ("/v1//threads", "/v1/threads"),
        ("//v1/threads", "/v1/threads"),
        ("/v1/chat/completions/", "/v1/chat/completions"),
        ("/models/", "/v1/models"),
    ],
)
def test_a_path_that_is_nearly_right_is_set_right(server: Server, path: str, right: str) -> None:
    with httpx2.Client(verify=False) as http:
        answer = http.post(server.url + path, json={})
    assert f"Use {right}" in assert_refused(answer, 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/assistants", "GET, HEAD, POST"),
        ("PATCH", "/v1/threads/thread_x", "DELETE, GET, HEAD, POST"),
        ("GET", "/v1/embeddings", "POST"),
        ("GET", "/v1/threads/thread_x/runs/run_x/cancel", "POST"),
        ("DELETE", "/v1/threads/thread_x/runs/run_x/steps", "GET, HEAD"),
    ],
)
def test_a_wrong_method_says_all_that_are_right(http: httpx2.Client, method: str, path: str, allowed: str) -> None:
    answer = http.request(method, path)
    assert f"Allowed: {allowed}." in assert_refused(answer, 405, code="method_not_supported")
    assert answer.headers["allow"] == allowed


def test_the_sdk_raises_the_advice(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="Send the requests one by one"):
        client.batches.create(input_file_id="file-x", endpoint="/v1/embeddings", completion_window="24h")
