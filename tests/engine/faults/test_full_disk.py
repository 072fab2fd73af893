"""A server whose disk runs full: what it can't keep is refused with what to do, it says so, and it goes on when there is room."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.stories import answers, at_rest, begin, until_it_said, when
from tests.harness.waiting import eventually


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """On a small disk of its own, which takes a system that lets the tests have one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"No file system can be mounted here: {mounted.stderr.decode().strip()}")
    server = Server(disk / "server")
    try:
        server.start()
        yield server
        server.stop()
    finally:
        server.kill9()
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(server: Server) -> Path:
    """A file that takes all the room that there is."""
    ballast = server.folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return ballast


def test_a_full_disk_is_503_and_loses_nothing(server: Server, clients: Clients) -> None:
    client, http = clients.sdk(server), clients.http(server)
    thread = client.beta.threads.create()
    said = [client.beta.threads.messages.create(thread.id, role="user", content=f"{n} " * 50).id for n in range(20)]
    run = begin(client, "count slowly")
    until_it_said(http, run)
    ballast = fill(server)

    def write_until_refused() -> openai.InternalServerError:
        for number in range(3_000):
            try:
                made = client.beta.threads.messages.create(thread.id, role="user", content=f"{number} " * 2_000)
            except openai.InternalServerError as error:
                return error
            said.append(made.id)
        raise AssertionError("there is room without end")

    refused = write_until_refused()
    assert (refused.status_code, refused.code) == (503, "disk_full")
    assert "Make room" in refused.message
    with pytest.raises(openai.InternalServerError) as upload:
        client.files.create(file=("large.txt", bytes(2 * 1024 * 1024)), purpose="assistants")
    assert (upload.value.status_code, upload.value.code) == (503, "disk_full")
    ready = http.get("/readyz")
    assert ready.status_code == 503 and "full" in ready.text
    assert client.beta.threads.messages.retrieve(said[0], thread_id=thread.id).id == said[0]

    ballast.unlink()
    eventually(lambda: http.get("/readyz").status_code == 200)
    said.append(client.beta.threads.messages.create(thread.id, role="user", content="There is room.").id)
    kept = [message.id for message in client.beta.threads.messages.list(thread.id, order="asc", limit=100)]
    assert kept == said
    run = when(client, run, "completed", "failed")
    assert run.status == "completed" and answers(client, run)[-1] == "tick " * 20
    assert at_rest(client, begin(client, "hello")).status == "completed"
    assert "Traceback" not in server.log()
    server.restart()
    assert [message.id for message in client.beta.threads.messages.list(thread.id, order="asc", limit=100)] == said
