"""What was acknowledged is there after a restart, whether the server was asked to stop or killed. Runs: tests/engine."""

import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients


@pytest.mark.parametrize("way", ["stopped", "killed"])
def test_what_was_acknowledged_survives(clients: Clients, start_server: StartServer, way: str) -> None:
    server = start_server(fresh=True)
    client = clients.sdk(server)
    assistant = client.beta.assistants.create(model="gpt-4o", name="A")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": str(n)} for n in range(5)])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    file = client.files.create(file=("a.txt", b"mine"), purpose="user_data")
    messages = client.beta.threads.messages.list(thread.id).data

    if way == "killed":
        server.kill9()
    server.restart()

    client = clients.sdk(server)
    assert client.beta.assistants.retrieve(assistant.id) == assistant
    assert client.beta.threads.retrieve(thread.id) == thread
    assert client.beta.threads.messages.list(thread.id).data == messages
    assert client.beta.threads.runs.retrieve(run.id, thread_id=thread.id) == run
    assert client.files.content(file.id).read() == b"mine"
