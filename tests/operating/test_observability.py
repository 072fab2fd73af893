"""What operators see of a running server: metrics, traces, logs. Read with the tools that they use."""

import json
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.stories import RESTS, ask, at_rest, begin, when
from tests.operating.collector import collector

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TRACE, PARENT = "a" * 32, "b" * 16


def samples(clients: Clients, server: Server, name: str) -> dict[tuple[str, ...], float]:
    """The samples of this name by the values of their labels, which come in alphabetical order."""
    response = clients.http(server).get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(response.text)
    found = [sample for family in families for sample in family.samples if sample.name == name]
    return {tuple(sample.labels.values()): sample.value for sample in found}


def test_metrics_count_requests_by_their_route(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True)
    client = clients.sdk(server)
    for _ in range(3):
        client.beta.threads.retrieve(client.beta.threads.create().id)
    requests = samples(clients, server, "zhuli_http_requests_total")
    assert requests["GET", "/v1/threads/{thread_id}", "200"] == 3
    assert not [labels for labels in requests if "thread_" in labels[1].replace("{thread_id}", "")]
    assert samples(clients, server, "zhuli_http_request_seconds_count")["/v1/threads/{thread_id}",] == 3


def test_metrics_count_runs_tokens_and_times(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True)
    client = clients.sdk(server)
    ask(client, "cost exactly")
    ask(client, "fault server_error")
    assert samples(clients, server, "zhuli_runs_rested_total") == {("completed",): 1, ("failed",): 1}
    tokens = samples(clients, server, "zhuli_tokens_total")
    assert (tokens["prompt", "script"], tokens["completion", "script"]) == (100, 20)
    assert samples(clients, server, "zhuli_first_token_seconds_count")["script",] >= 1
    assert samples(clients, server, "zhuli_turn_seconds_count")["script",] >= 1
    assert samples(clients, server, "zhuli_runs_executing") == {(): 0}


def test_metrics_show_runs_while_they_run(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True)
    client = clients.sdk(server)
    run = begin(client, "stall")
    when(client, run, "in_progress")
    assert samples(clients, server, "zhuli_runs_executing") == {(): 1}
    client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
    at_rest(client, run)


def test_a_run_is_a_trace_that_goes_on_with_the_request_s(clients: Clients, start_server: StartServer) -> None:
    with collector() as collected:
        server = start_server(fresh=True, otel_endpoint=collected.endpoint, otel_service_name="shop")
        client = clients.sdk(server)
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        run = at_rest(client, begin(client, "cost exactly", extra_headers=headers))
        server.stop()

        (root,) = collected.named("run")
        assert (root.service, root.trace, root.parent) == ("shop", TRACE, PARENT)
        assert root.attributes == {"run": run.id, "thread": run.thread_id, "model": "script"}
        (prompt,), (turn,) = collected.named("prompt"), collected.named("turn")
        assert (prompt.trace, prompt.parent) == (turn.trace, turn.parent) == (TRACE, root.id)
        assert turn.attributes["prompt_tokens"] == 100
        assert turn.attributes["finish"] == "stop"
        server.start()


def test_runs_without_a_trace_of_their_own_have_one_each(clients: Clients, start_server: StartServer) -> None:
    with collector() as collected:
        server = start_server(fresh=True, otel_endpoint=collected.endpoint)
        client = clients.sdk(server)
        for _ in range(2):
            ask(client, "echo: hi")
        server.stop()
        first, second = collected.named("run")
        assert first.parent == second.parent == ""
        assert first.trace != second.trace
        server.start()


def test_a_collector_that_is_not_there_disturbs_nothing(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True, otel_endpoint="http://127.0.0.1:1")
    assert ask(clients.sdk(server), "echo: hi").status == "completed"
    server.restart()


def test_json_logs_join_a_request_with_its_run(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True, log_format="json")
    client = clients.sdk(server)
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "fault server_error"}])
    created = client.beta.threads.runs.with_raw_response.create(thread.id, assistant_id=assistant.id)
    request_id = created.headers["x-request-id"]
    run = at_rest(client, created.parse())
    assert run.status in RESTS

    assert server.lines_with(f"/v1/threads/{thread.id}/runs") and server.lines_with(run.id, "failed")
    lines: list[dict[str, Any]] = [json.loads(line) for line in server.log().splitlines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    (asked,) = [line for line in lines if line.get("path") == f"/v1/threads/{thread.id}/runs"]
    assert (asked["request_id"], asked["method"], asked["status"]) == (request_id, "POST", 200)
    (ended,) = [line for line in lines if line.get("run_id") == run.id]
    assert (ended["request_id"], ended["level"], ended["status"]) == (request_id, "warning", "failed")


def test_text_logs_carry_the_request_id_that_the_client_got(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True)
    response = clients.http(server).get("/v1/models")
    (line,) = server.lines_with("GET /v1/models")
    assert line.endswith(f"[{response.headers['x-request-id']}]")
