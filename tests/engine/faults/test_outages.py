"""A database that goes and comes back, thrice: nothing is lost, runs wait for it, and the log says so in a few lines."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.harness.clients import Clients
from tests.harness.postgres import NoPostgres, Postgres
from tests.harness.server import Server
from tests.harness.stories import answers, at_rest, begin, until_it_said, when
from tests.harness.waiting import eventually

OUTAGES = 3


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """One of these tests' own: others could not go on without it."""
    try:
        own = Postgres()
    except NoPostgres as reason:
        pytest.skip(str(reason))
    yield own
    own.stop()


@pytest.fixture
def server(postgres: Postgres, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "server", database_url=postgres.new_database())
    server.start()
    yield server
    server.stop()


def test_three_short_outages_lose_nothing_and_write_a_few_lines(
    server: Server, postgres: Postgres, clients: Clients
) -> None:
    client, http = clients.sdk(server), clients.http(server)
    quiet = begin(client, "hello")
    runs = []
    for _ in range(OUTAGES):
        slow = [begin(client, "count slowly") for _ in range(4)]
        until_it_said(http, slow[0])
        runs += slow
        postgres.crash()
        with pytest.raises(openai.InternalServerError) as refused:
            client.beta.threads.messages.create(quiet.thread_id, role="user", content="Are you there?")
        assert refused.value.status_code == 503 and refused.value.code == "database_away"
        assert http.get("/readyz").status_code == 503
        assert http.get("/healthz").status_code == 200
        assert http.get("/metrics").status_code == 200
        assert http.get("/v1/no/such/path").status_code == 404
        eventually(lambda: server.log().count("The database is away"))
        postgres.start()
        eventually(lambda: http.get("/readyz").status_code == 200)
    for run in runs:
        assert when(client, run, "completed", "failed").status == "completed"
        assert answers(client, run)[-1] == "tick " * 20
    assert at_rest(client, begin(client, "hello")).status == "completed"
    log = server.log()
    assert "Traceback" not in log
    noted = [line for line in log.splitlines() if " ERROR " in line or " WARNING " in line]
    assert len(noted) <= 2 * OUTAGES, noted


def test_a_stop_while_the_database_is_away_is_none_that_hangs(
    server: Server, postgres: Postgres, clients: Clients
) -> None:
    until_it_said(clients.http(server), begin(clients.sdk(server), "count slowly"))
    postgres.crash()
    server.stop()
    postgres.start()
    assert "Traceback" not in server.log()


def test_metrics_of_a_closed_server_are_there_without_a_database(
    server: Server, postgres: Postgres, clients: Clients
) -> None:
    server.new_key("mine")
    http = clients.http(server)
    eventually(lambda: http.get("/v1/models").status_code == 401)
    postgres.crash()
    assert http.get("/metrics").status_code == 200
    with pytest.raises(AssertionError):
        eventually(lambda: http.get("/v1/models").status_code == 200, patience=7)
    postgres.start()
