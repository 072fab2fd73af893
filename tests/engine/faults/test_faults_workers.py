"""Workers as processes of their own beside a server that only answers: what one leaves, another takes up."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from openai import OpenAI

from tests.engine.log_checks import check_log
from tests.harness import warm
from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.stories import answers, at_rest, begin, follow, short, until_it_said

pytestmark = pytest.mark.parametrize("storage", ["postgres"])


@dataclass
class Workers:
    """Worker processes on a server's database."""

    server: Server
    processes: list[warm.Process] = field(default_factory=list)

    def start(self) -> warm.Process:
        folder = self.server.folder
        arguments = ["worker", "--slots", "8", "--data-dir", str(folder), "--config", str(folder / "config.toml")]
        with (folder / "server.log").open("ab") as log:
            started = warm.start(arguments, env=os.environ, output=log, errors=log, new_session=True)
        self.processes.append(started)
        return started

    def close(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def office(start_server: Callable[..., Server]) -> Server:
    """A server that leaves the work to workers."""
    return start_server(fresh=True, worker_slots=0, lease_seconds=1, grace_seconds=1)


@pytest.fixture
def workers(office: Server) -> Iterator[Workers]:
    workers = Workers(office)
    yield workers
    workers.close()


@pytest.fixture
def client(clients: Clients, office: Server) -> OpenAI:
    return clients.sdk(office)


def test_runs_are_shared_between_workers_and_made_once(client: OpenAI, office: Server, workers: Workers) -> None:
    for _ in range(2):
        workers.start()
    runs = [begin(client, f"number {number}") for number in range(40)]
    for number, run in enumerate(runs):
        assert at_rest(client, run).status == "completed"
        assert answers(client, run) == [f"You said: number {number}"]
        assert len(office.requests(run.thread_id)) == 1


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_worker_leaves_another_takes_up(
    client: OpenAI, clients: Clients, office: Server, workers: Workers, end: signal.Signals
) -> None:
    first = workers.start()
    run = begin(client, "count slowly")
    seen = until_it_said(clients.http(office), run)
    workers.start()
    os.kill(first.pid, end)
    first.wait()
    run = at_rest(client, run)
    assert run.status == "completed"
    assert answers(client, run)[-1] == "tick " * 20
    check_log(clients.http(office), run, seen)


def test_who_follows_a_run_at_a_server_without_workers_has_the_grace_of_the_others(
    clients: Clients, start_server: Callable[..., Server]
) -> None:
    office = start_server(fresh=True, worker_slots=0, grace_seconds=60)
    workers = Workers(office)
    try:
        workers.start()
        run = begin(clients.sdk(office), "count slowly")
        events = follow(clients.http(office), run)
        while next(events).name != "thread.message.delta":
            pass
        office.ask_to_stop()
        assert short(list(events))[-2:] == ["run.completed", "done"]
        office.wait_for_end()
    finally:
        workers.close()
    office.start()
