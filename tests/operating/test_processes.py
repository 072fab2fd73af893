"""`zhuli serve --processes`: one address, several processes, on PostgreSQL."""

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.stories import at_rest, begin
from tests.harness.waiting import eventually
from tests.operating.zhuli import scripted_models, zhuli
from zhuli.server.process_metrics import joined

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

on_postgres = pytest.mark.parametrize("storage", ["postgres"])


def children(server: Server) -> set[int]:
    """The processes of a server that was started with several."""
    return set(map(int, Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()))


def test_sqlite_is_refused_in_a_sentence(tmp_path: Path) -> None:
    done = zhuli("serve", "--port", "0", "--processes", "2", "--data-dir", scripted_models(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "zhuli: 2 processes need a database that they can share: set ZHULI_DATABASE_URL to postgresql://…, or serve with one "
        "process. A SQLite database has one.\n"
    )


@on_postgres
def test_what_is_wrong_with_the_settings_is_said_once(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    folder = scripted_models(tmp_path)
    (folder / "models.toml").write_text('[models.a]\nbackend = "json:dumps"')
    done = zhuli(
        "serve",
        "--port",
        "0",
        "--processes",
        "2",
        "--data-dir",
        folder,
        env={"ZHULI_DATABASE_URL": server.database_url},
    )
    assert done.returncode == 2
    assert done.stderr.count("zhuli: ") == 1 and "'json:dumps' is none of the backends" in done.stderr


@on_postgres
def test_processes_serve_together_and_one_that_is_killed_is_replaced(
    clients: Clients, start_server: StartServer
) -> None:
    server = start_server(fresh=True, processes=2, lease_seconds=1.0)
    client = clients.sdk(server).with_options(max_retries=5)
    eventually(lambda: len(children(server)) == 2)
    before = children(server)

    def talk(number: int) -> str | None:
        asked = [{"role": "user", "content": f"echo: {number}"}]
        return client.chat.completions.create(model="script", messages=asked).choices[0].message.content  # type: ignore[arg-type]

    runs = [begin(client, f"echo: {number}") for number in range(6)]
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(talk, number) for number in range(40)]
        asked[4].result()
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        assert [one.result() for one in asked] == [f"echo: {number}" for number in range(40)]
    assert {at_rest(client, run).status for run in runs} == {"completed"}
    eventually(lambda: len(children(server)) == 2 and victim not in children(server))
    assert children(server) & before and "ended (signal 9); another takes its place" in server.log()

    http = clients.http(server)
    eventually(lambda: {"1", "2"} == set(re.findall(r'process="(\d)"', http.get("/metrics").text)))
    text = http.get("/metrics").text
    assert text.count("# TYPE zhuli_http_requests_total counter") == 1
    assert 'process_resident_memory_bytes{process="2"}' in text

    left = children(server)
    server.stop()
    assert [pid for pid in left if Path(f"/proc/{pid}").exists()] == []
    server.start()


@on_postgres
def test_children_end_with_a_parent_that_is_killed(start_server: StartServer) -> None:
    server = start_server(fresh=True, processes=2)
    eventually(lambda: len(children(server)) == 2)
    left = children(server)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    eventually(lambda: not any(_lives(pid) for pid in left))
    server.kill9()
    server.start()


def _lives(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_metrics_of_several_processes_are_one_text() -> None:
    one = '# HELP a_total What.\n# TYPE a_total counter\na_total{x="1"} 2.0\n# HELP b Else.\n# TYPE b gauge\nb 1.0\n'
    two = '# HELP a_total What.\n# TYPE a_total counter\na_total{x="1"} 3.0\n'
    assert joined({1: one, 2: two}) == (
        "# HELP a_total What.\n# TYPE a_total counter\n"
        'a_total{process="1",x="1"} 2.0\na_total{process="2",x="1"} 3.0\n'
        '# HELP b Else.\n# TYPE b gauge\nb{process="1"} 1.0\n'
    )
