"""A graceful stop: no new claims; a running answer finishes, or goes back to the queue and is finished after the restart."""

import signal
import subprocess

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.stories import answers, at_rest, begin, follow, short, when
from tests.operating.zhuli import command, environment

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def said_so_far(client: openai.OpenAI, http: httpx2.Client) -> openai.types.beta.threads.Run:
    """A run that has begun to answer."""
    run = begin(client, "count slowly")
    for event in follow(http, run):
        if event.name == "thread.message.delta":
            return run
    raise AssertionError("the run said nothing")


def test_an_answer_that_is_nearly_done_is_finished(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True, grace_seconds=20)
    client = clients.sdk(server)
    run = said_so_far(client, clients.http(server))
    server.restart()
    run = client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id)
    assert run.status == "completed"
    assert answers(client, run) == ["tick " * 20]


def test_an_answer_that_takes_too_long_goes_back_and_is_finished_after_the_restart(
    clients: Clients, start_server: StartServer
) -> None:
    server = start_server(fresh=True, grace_seconds=0.1)
    client = clients.sdk(server)
    run = said_so_far(client, clients.http(server))
    server.restart()
    run = at_rest(client, run)
    assert run.status == "completed"
    assert answers(client, run)[-1] == "tick " * 20


def test_a_follower_is_told_that_the_server_stops(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True, grace_seconds=0.1)
    client, http = clients.sdk(server), clients.http(server)
    run = begin(client, "stall")
    when(client, run, "in_progress")
    events = follow(http, run)
    first = next(events)
    server.stop()
    seen = [first, *events]
    assert short(seen)[-2:] == ["error", "done"]
    server.start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_server_without_failure(server: Server, number: signal.Signals) -> None:
    """On a copy of the shared server's models, so that the shared one goes on."""
    folder = server.folder / f"stopped-by-{number.name}"
    folder.mkdir()
    arguments = ("serve", "--port", "0", "--data-dir", folder)
    models = {"ZHULI_MODELS_FILE": str(server.folder / "models.toml")}
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(models)
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if b"Base URL" in line:
                break
        process.send_signal(number)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    assert b"Traceback" not in log


def test_a_stopping_server_says_at_readyz_that_it_is_not_ready(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True, drain_seconds=3)
    http = clients.http(server)
    assert http.get("/readyz").status_code == 200
    server.ask_to_stop()
    statuses = set()

    def ask_until_it_listens_no_more() -> None:
        while True:
            statuses.add(http.get("/readyz", headers={"connection": "close"}).status_code)

    with pytest.raises(httpx2.TransportError):
        ask_until_it_listens_no_more()
    assert 503 in statuses and statuses <= {200, 503}
    server.wait_for_end()
    server.start()
