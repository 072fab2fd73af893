"""What operators see of a running server: metrics, traces, logs. Read with the tools that they use."""

import json
from typing import Any

import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tools.dashboard import FILE, LEFT_OUT, dashboard

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.stories import RESTS, ask, at_rest, begin, when
from tests.operating.collector import collector
from zhuli.core.model_calls import MOST_PAIRS
from zhuli.core.telemetry import Telemetry

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PROJECT = "proj_default"
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
    assert tokens["prompt", "script", PROJECT] >= 100 and tokens["completion", "script", PROJECT] >= 20
    calls = samples(clients, server, "zhuli_model_calls_total")
    assert calls["script", "chat", "ok", PROJECT] == calls["script", "chat", "server_error", PROJECT] == 1
    assert samples(clients, server, "zhuli_model_call_seconds_count")["script", "chat", PROJECT] == 2
    assert samples(clients, server, "zhuli_first_token_seconds_count")["script", PROJECT] >= 1
    assert samples(clients, server, "zhuli_output_token_seconds_count")["script", PROJECT] >= 1
    runs = samples(clients, server, "zhuli_run_seconds_count")
    assert runs == {(PROJECT, "completed"): 1, (PROJECT, "failed"): 1}
    assert samples(clients, server, "zhuli_run_wait_seconds_count") == {(PROJECT,): 2}
    assert samples(clients, server, "zhuli_runs_executing") == {(): 0}
    assert samples(clients, server, "process_resident_memory_bytes")[()] > 1_000_000


def test_metrics_count_every_call_of_a_model_whoever_makes_it(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True)
    client = clients.sdk(server)
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "cost exactly"}])
    client.completions.create(model="script", prompt="echo: hi")
    client.embeddings.create(model="hashed", input=["one", "two"], encoding_format="float")
    store = client.vector_stores.create(name="notes")
    file = client.files.create(file=("note.txt", b"The code is 4711."), purpose="assistants")
    client.vector_stores.files.create_and_poll(file.id, vector_store_id=store.id)
    client.vector_stores.search(store.id, query="code")
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="nobody's", messages=[{"role": "user", "content": "hi"}])

    calls = samples(clients, server, "zhuli_model_calls_total")
    made = {labels[:2] for labels in calls}
    assert made == {
        ("script", "chat"),
        ("script", "text_completion"),
        ("hashed", "embeddings"),
        ("hashed", "retrieval"),
    }
    assert {labels[2:] for labels in calls} == {("ok", PROJECT)}
    assert samples(clients, server, "zhuli_texts_total")["hashed", PROJECT] >= 3
    assert set(samples(clients, server, "zhuli_model_calls_in_flight").values()) == {0}


def test_metrics_show_the_queue(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True, worker_slots=0)
    client = clients.sdk(server)
    begin(client, "echo: hi")
    assert samples(clients, server, "zhuli_jobs_waiting")["run",] == 1


def test_labels_are_bounded_whatever_clients_ask_for() -> None:
    calls = Telemetry().calls
    pairs = [calls.bounded(f"model-{number}") for number in range(MOST_PAIRS + 10)]
    assert len(set(pairs)) == MOST_PAIRS + 1 and pairs[-1] == ("other", "other")
    assert calls.bounded("model-0") == ("model-0", "none")


def test_the_dashboard_has_every_metric_and_no_other() -> None:
    assert json.loads(FILE.read_text()) == json.loads(json.dumps(dashboard())), "run `make dashboard`"
    shown = {panel["description"] for panel in dashboard()["panels"]}
    assert shown == {metric.name for metric in Telemetry().registry.collect()} - set(LEFT_OUT)


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

        (root,) = collected.named(f"invoke_agent {run.assistant_id}")
        assert (root.service, root.trace, root.parent) == ("shop", TRACE, PARENT)
        assert root.attributes == {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "zhuli",
            "gen_ai.agent.id": run.assistant_id,
            "gen_ai.conversation.id": run.thread_id,
            "gen_ai.request.model": "script",
            "zhuli.run.id": run.id,
        }
        (prompt,), (call,) = collected.named("prompt"), collected.named("chat script")
        assert (prompt.trace, prompt.parent) == (call.trace, call.parent) == (TRACE, root.id)
        assert call.attributes["gen_ai.operation.name"] == "chat"
        assert (call.attributes["gen_ai.provider.name"], call.attributes["gen_ai.request.model"]) == (
            "scripted",
            "script",
        )
        assert call.attributes["gen_ai.usage.input_tokens"] == 100
        assert call.attributes["gen_ai.conversation.id"] == run.thread_id
        assert "error.type" not in call.attributes
        server.start()


def test_runs_without_a_trace_of_their_own_have_one_each(clients: Clients, start_server: StartServer) -> None:
    with collector() as collected:
        server = start_server(fresh=True, otel_endpoint=collected.endpoint)
        client = clients.sdk(server)
        for _ in range(2):
            ask(client, "echo: hi")
        server.stop()
        first, second = (span for span in collected.spans if span.name.startswith("invoke_agent "))
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
