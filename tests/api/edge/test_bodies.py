"""Bodies that are empty, not JSON, not an object, too large, or of another type: refused, and never with a 5xx."""

import json

import httpx2
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.refusals import assert_refused

JSON = {"content-type": "application/json"}
POSTS = ("/v1/assistants", "/v1/threads", "/v1/threads/runs", "/v1/chat/completions")
NEED_A_BODY = ("/v1/assistants", "/v1/threads/runs", "/v1/chat/completions")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "body", [b"{", b"{'model': 'gpt-4o'}", b"hello", b"\xff\xfe\x00", b'{"a": 1} x', b'{"a": NaN}']
)
def test_what_is_not_json_is_refused(http: httpx2.Client, path: str, body: bytes) -> None:
    message = assert_refused(http.post(path, content=body, headers=JSON), 400)
    assert "JSON" in message


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", [b"[]", b'"model"', b"4", b"true"])
def test_what_is_not_an_object_is_refused(http: httpx2.Client, path: str, body: bytes) -> None:
    message = assert_refused(http.post(path, content=body, headers=JSON), 400)
    assert "object" in message


@pytest.mark.parametrize("path", NEED_A_BODY)
def test_an_empty_body_is_refused_where_something_is_required(http: httpx2.Client, path: str) -> None:
    assert "JSON" in assert_refused(http.post(path, content=b"", headers=JSON), 400)
    response = http.post(path, content=b"{}", headers=JSON)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "missing_required_parameter"
    assert response.json()["error"]["message"].startswith("Missing required parameter: '")


def test_an_empty_body_is_enough_where_nothing_is_required(http: httpx2.Client) -> None:
    for body in (b"", b"{}"):
        assert http.post("/v1/threads", content=body, headers=JSON).status_code == 200


def test_a_body_without_a_content_type_is_read_as_json(http: httpx2.Client) -> None:
    """As the original did for `curl -d` that forgot the header."""
    response = http.post("/v1/threads", content=json.dumps({"metadata": {"a": "b"}}).encode())
    assert response.json()["metadata"] == {"a": "b"}


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_is_read_as_json_whatever_its_type_says(http: httpx2.Client, media_type: str) -> None:
    """`curl -d` sends another type, and nothing but JSON is taken here."""
    headers = {"content-type": media_type}
    response = http.post("/v1/threads", content=b'{"metadata": {"a": "b"}}', headers=headers)
    assert response.json()["metadata"] == {"a": "b"}
    assert "JSON" in assert_refused(http.post("/v1/threads", content=b"model=gpt-4o", headers=headers), 400)


def test_json_with_a_charset_is_json(http: httpx2.Client) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    assert http.post("/v1/threads", content=b"{}", headers=headers).status_code == 200


def test_json_that_nests_without_end_is_refused(http: httpx2.Client) -> None:
    deep = b'{"metadata":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert http.post("/v1/threads", content=deep, headers=JSON).status_code == 400


def test_numbers_that_fit_nowhere_are_refused(http: httpx2.Client) -> None:
    for number in ("1" * 400, "1e999", "-1e999"):
        body = f'{{"model": "gpt-4o", "temperature": {number}}}'.encode()
        assert http.post("/v1/assistants", content=body, headers=JSON).status_code == 400


def test_a_lone_surrogate_is_stored_or_refused_but_breaks_nothing(http: httpx2.Client) -> None:
    body = b'{"messages": [{"role": "user", "content": "\\ud800"}]}'
    assert http.post("/v1/threads", content=body, headers=JSON).status_code in (200, 400)


@pytest.fixture
def small(clients: Clients, start_server: StartServer) -> httpx2.Client:
    """A server that takes bodies of up to 2,048 bytes."""
    return clients.http(start_server(max_body_bytes=2048))


def test_a_body_that_is_too_large_is_a_413_that_names_the_limit(small: httpx2.Client) -> None:
    body = json.dumps({"metadata": {"a": "x" * 3000}}).encode()
    message = assert_refused(small.post("/v1/threads", content=body, headers=JSON), 413, code="request_too_large")
    assert "2048" in message.replace(",", "")


def test_a_body_of_just_the_limit_is_taken(small: httpx2.Client) -> None:
    body = b"{}".ljust(2048)
    assert small.post("/v1/threads", content=body, headers=JSON).status_code == 200
    assert_refused(small.post("/v1/threads", content=body + b" ", headers=JSON), 413, code="request_too_large")


def test_a_body_without_a_length_is_counted_as_it_comes(small: httpx2.Client) -> None:
    def pieces() -> object:
        yield from (b" " * 100 for _ in range(30))

    assert_refused(small.post("/v1/threads", content=pieces(), headers=JSON), 413, code="request_too_large")  # type: ignore[arg-type]


def test_the_server_goes_on_after_a_refused_body(small: httpx2.Client) -> None:
    small.post("/v1/threads", content=b"x" * 5000, headers=JSON)
    assert small.post("/v1/threads", content=b"{}", headers=JSON).status_code == 200
