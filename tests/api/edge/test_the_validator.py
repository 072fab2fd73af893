"""The inspected clients themselves: they must let honest answers pass and catch planted violations.

The planted answers come from a small HTTP server of this file, through the same transports that all tests use.
"""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx2
import pytest

from tests.harness import spec
from tests.harness.clients import InspectedAsyncTransport, InspectedTransport
from tests.harness.contract import Contract
from tests.harness.inspector import Inspector
from tests.harness.stream_rules import StreamRules

MODEL = {"id": "m", "object": "model", "created": 1, "owned_by": "o"}
THREAD = {"id": "thread_1", "object": "thread", "created_at": 1, "tool_resources": {}, "metadata": {}}
MESSAGE = {
    "id": "msg_1",
    "object": "thread.message",
    "created_at": 1,
    "thread_id": "thread_1",
    "status": "in_progress",
    "incomplete_details": None,
    "completed_at": None,
    "incomplete_at": None,
    "role": "assistant",
    "content": [],
    "assistant_id": "asst_1",
    "run_id": "run_1",
    "attachments": [],
    "metadata": {},
}
ERROR = {"error": {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}}
EVENTS_PATH = "/v1/threads/thread_1/runs/run_1/events"
STREAM_PATH = "/v1/threads/thread_1/runs"


def delta(index: int) -> dict[str, Any]:
    return {"id": "msg_1", "delta": {"content": [{"index": index, "type": "text", "text": {"value": "a"}}]}}


def test_an_honest_answer_passes(contract: Contract) -> None:
    assert check(contract, "GET", "/v1/models/m", MODEL) == []
    assert check(contract, "POST", "/v1/threads", THREAD) == []
    assert check(contract, "GET", "/v1/threads/thread_x", ERROR, status=404) == []


@pytest.mark.parametrize(
    ("body", "pointer", "message"),
    [
        ({**MODEL, "object": "engine"}, "/object", '"engine" is not one of "model"'),
        ({**MODEL, "created": "yesterday"}, "/created", '"yesterday" is not of type "integer"'),
        ({"id": "m", "object": "model", "created": 1}, "", '"owned_by" is a required property'),
    ],
)
def test_a_wrong_field_is_named_by_path_pointer_and_reason(
    contract: Contract, body: dict[str, Any], pointer: str, message: str
) -> None:
    (violation,) = check(contract, "GET", "/v1/models/m", body)
    assert str(violation) == f"GET /v1/models/m → 200: at '{pointer}': {message}"


def test_a_wrong_member_of_a_union_says_what_each_member_wanted(contract: Contract) -> None:
    (violation,) = check(
        contract, "GET", "/v1/threads/t/messages/m", {**MESSAGE, "content": [{"type": "text", "text": "hi"}]}
    )
    assert violation.pointer == "/content/0"
    assert '"hi" is not of type "object"' in violation.message


def test_an_error_must_have_the_error_shape(contract: Contract) -> None:
    for body in ({"detail": "Not Found"}, {"error": "no"}, {"error": {"message": "no", "type": "x"}}):
        assert check(contract, "GET", "/v1/models/m", body, status=404)


def test_an_answer_that_is_not_json_is_a_violation(contract: Contract) -> None:
    assert contract.check("GET", "/v1/models/m", 500, "text/plain", b"Internal Server Error")
    assert contract.check("GET", "/v1/models/m", 200, "application/json", b"{")


def test_an_unknown_operation_may_only_answer_with_an_error(contract: Contract) -> None:
    assert check(contract, "GET", "/v1/nothing", {"fine": True})
    assert check(contract, "PATCH", "/v1/threads/thread_1", THREAD)
    assert check(contract, "GET", "/v1/nothing", ERROR, status=404) == []


def test_success_is_200_and_nothing_else(contract: Contract) -> None:
    assert check(contract, "POST", "/v1/threads", THREAD, status=201)


def test_threads_runs_is_not_the_thread_named_runs(contract: Contract) -> None:
    assert check(contract, "POST", "/v1/threads/runs", THREAD)
    assert check(contract, "POST", "/v1/threads/other", THREAD) == []


def test_each_event_has_the_schema_of_its_name(contract: Contract) -> None:
    def check_event(name: str | None, data: Any) -> list[Any]:
        return contract.check_event("POST", STREAM_PATH, name, data if isinstance(data, str) else json.dumps(data))

    assert check_event("thread.created", THREAD) == []
    assert check_event("thread.message.created", MESSAGE) == []
    assert check_event("error", ERROR) == []
    assert check_event("done", "[DONE]") == []
    assert check_event("thread.created", MESSAGE)
    assert check_event("thread.run.finished", THREAD)
    assert check_event("error", ERROR["error"])
    assert check_event("thread.run.completed", "[DONE]")


def test_the_corrections_take_null_where_the_document_says_nullable() -> None:
    run = spec.load()["components"]["schemas"]["RunObject"]["properties"]
    assert run["expires_at"]["anyOf"][1] == {"type": "null"}
    assert run["truncation_strategy"]["anyOf"][1] == {"type": "null"}
    assert run["instructions"] == {**run["instructions"], "type": "string"}
    assert "maxItems" not in run["tools"]


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([("thread.message.delta", delta(0))], "was not created in this stream"),
        ([("thread.message.created", MESSAGE), ("thread.message.delta", delta(1))], "leaves a gap"),
        ([("thread.message.created", MESSAGE), ("thread.message.created", {**MESSAGE, "id": "msg_2"})], "still open"),
        ([("thread.message.created", MESSAGE), ("thread.run.failed", {})], "still open"),
        (
            [
                ("thread.message.created", MESSAGE),
                ("thread.message.delta", delta(0)),
                ("thread.message.incomplete", MESSAGE),
            ],
            "less content",
        ),
        ([("thread.run.completed", {}), ("thread.run.queued", {})], "ends a stream"),
        ([("thread.run.step.delta", {"id": "step_1", "delta": {}})], "was not created in this stream"),
    ],
)
def test_orders_that_sdk_helpers_choke_on_are_caught(events: list[tuple[str, dict[str, Any]]], problem: str) -> None:
    rules = StreamRules()
    problems = [found for name, data in events for found in rules.check(name, data)]
    assert len(problems) == 1
    assert problem in problems[0]


def test_a_planted_violation_reaches_the_inspector_through_the_client(contract: Contract, liar: str) -> None:
    inspector = Inspector(contract)
    with httpx2.Client(transport=InspectedTransport(inspector), base_url=liar) as http:
        assert http.get("/v1/models/m").json() == {**MODEL, "object": "engine"}
        http.get(EVENTS_PATH).read()
    assert_caught(inspector)


async def test_a_planted_violation_reaches_the_inspector_through_the_async_client(
    contract: Contract, liar: str
) -> None:
    inspector = Inspector(contract)
    async with httpx2.AsyncClient(transport=InspectedAsyncTransport(inspector), base_url=liar) as http:
        assert (await http.get("/v1/models/m")).json() == {**MODEL, "object": "engine"}
        await (await http.get(EVENTS_PATH)).aread()
    assert_caught(inspector)


def assert_caught(inspector: Inspector) -> None:
    """The lies below, each once, in the order in which they are told."""
    assert [(violation.where.partition(" → ")[2], violation.message) for violation in inspector.violations] == [
        ("", "has no x-request-id"),
        ("200", '"engine" is not one of "model"'),
        ("", "has no x-request-id"),
        ("event thread.created", '"tool_resources" is a required property'),
        ("event thread.created", "id '7' does not follow 7"),
        ("the stream", "ended without [DONE]"),
    ]


def check(contract: Contract, method: str, path: str, body: Any, *, status: int = 200) -> list[Any]:
    return contract.check(method, path, status, "application/json", json.dumps(body).encode())


@pytest.fixture
def liar() -> Iterator[str]:
    """The address of a server that breaks the contract."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Liar(BaseHTTPRequestHandler):
    """No request ids, an object of the wrong kind, a broken event, an id twice, no [DONE]."""

    def do_GET(self) -> None:
        if self.path == EVENTS_PATH:
            broken = {key: value for key, value in THREAD.items() if key != "tool_resources"}
            events = [f"event: thread.created\nid: 7\ndata: {json.dumps(data)}\n\n" for data in (broken, THREAD)]
            self._answer("text/event-stream", "".join(events))
        else:
            self._answer("application/json", json.dumps({**MODEL, "object": "engine"}))

    def _answer(self, media_type: str, body: str) -> None:
        self.send_response(200)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""
