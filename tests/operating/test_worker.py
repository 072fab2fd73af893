"""`zhuli worker` beside a server that leaves the work to others, on a shared PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.sockets import free_port
from tests.harness.stories import answers, at_rest, begin, follow, short, streamed_text, when
from tests.harness.warm import Process
from tests.operating.zhuli import running

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.parametrize("storage", ["postgres"]),
]


@pytest.fixture
def idle(start_server: StartServer) -> Server:
    """A server that takes runs and works on none."""
    return start_server(fresh=True, worker_slots=0, lease_seconds=2, grace_seconds=20)


def ask_for_ever(server: Server) -> None:
    """Until nobody listens. Who had connected just before is closed without an answer, which is no refusal yet."""
    with httpx2.Client() as other:
        while True:
            with suppress(httpx2.RemoteProtocolError, httpx2.ReadError):
                other.get(f"{server.url}/healthz", headers={"connection": "close"})


@contextmanager
def worker(server: Server, *options: str) -> Iterator[Process]:
    at: tuple[str | Path, ...] = ("--data-dir", server.folder, "--config", server.folder / "config.toml")
    with running("worker", "--slots", "8", *options, *at, log=server.folder / "worker.log") as process:
        yield process


def test_a_run_waits_for_a_worker_and_its_stream_comes_through(clients: Clients, idle: Server) -> None:
    client, http = clients.sdk(idle), clients.http(idle)
    run = begin(client, "tell a story")
    assert run.status == "queued"
    with worker(idle):
        events = list(follow(http, run))
    assert (
        short(events)[-3:] == ["message.completed", "run.step.completed", "run.completed"]
        or short(events)[-1] == "done"
    )
    assert streamed_text(events) == "Once upon a time."


def test_who_follows_a_run_on_a_stopping_server_sees_its_end(clients: Clients, start_server: StartServer) -> None:
    """The run is another process's; the stream has the same grace as where it is made."""
    server = start_server(fresh=True, worker_slots=0, grace_seconds=20)
    run = begin(clients.sdk(server), "tell a story")
    events = follow(clients.http(server), run)
    first = next(events)
    server.ask_to_stop()
    with pytest.raises(httpx2.ConnectError):
        ask_for_ever(server)
    with worker(server):
        seen = [first, *events]
    assert short(seen)[-2:] == ["run.completed", "done"]
    assert streamed_text(seen) == "Once upon a time."
    server.wait_for_end()
    server.start()


def test_a_stopped_worker_finishes_its_run_and_leaves_without_failure(clients: Clients, idle: Server) -> None:
    client = clients.sdk(idle)
    with worker(idle) as process:
        run = begin(client, "count slowly")
        when(client, run, "in_progress")
        process.terminate()
        assert process.wait(30) == 0
    run = client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id)
    assert run.status == "completed"


def test_what_a_killed_worker_left_another_one_finishes(clients: Clients, idle: Server) -> None:
    client = clients.sdk(idle)
    with worker(idle) as process:
        run = begin(client, "count slowly")
        when(client, run, "in_progress")
        process.kill()
        process.wait()
    with worker(idle):
        run = at_rest(client, run)
    assert run.status == "completed"
    assert answers(client, run)[-1] == "tick " * 20


def test_a_run_is_cancelled_through_a_server_that_does_not_work_on_it(clients: Clients, idle: Server) -> None:
    client = clients.sdk(idle)
    with worker(idle):
        run = begin(client, "stall")
        when(client, run, "in_progress")
        client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
        assert at_rest(client, run).status == "cancelled"


def test_a_worker_has_metrics_of_its_own(clients: Clients, idle: Server) -> None:
    client = clients.sdk(idle)
    port = free_port()
    with worker(idle, "--metrics-port", str(port)):
        at_rest(client, begin(client, "echo: hi"))
        text = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
    rested = {
        sample.labels["status"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "zhuli_runs_rested_total"
    }
    assert rested == {"completed": 1}
