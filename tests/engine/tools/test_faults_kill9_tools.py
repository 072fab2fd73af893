"""kill -9 of the server while a tool is at work, and then a restart: the run ends, and nothing is made twice that may not be."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.engine.log_checks import check_log
from tests.engine.tools.workshop import PLUGIN
from tests.harness.clients import Clients
from tests.harness.sse import ServerEvent
from tests.harness.stories import PATIENCE, at_rest
from zhuli.assistants.runs.tool_calls import UNKNOWN

SCRIPT = Path(__file__).parents[2] / "scripts" / "hanging_workshop.json"


@pytest.mark.parametrize("idempotent", [False, True])
def test_a_kill_while_a_tool_is_at_work(
    clients: Clients, start_server: StartServer, tmp_path: Path, idempotent: bool
) -> None:
    journal = tmp_path / "journal"
    tools = {"workshop": {"plugin": PLUGIN, "journal": str(journal), "idempotent": idempotent}}
    server = start_server(fresh=True, lease_seconds=1.0, script=SCRIPT, tools=tools)
    sdk = clients.sdk(server, strict=False)
    tool: Any = {"type": "workshop"}
    assistant = sdk.beta.assistants.create(model="script", tools=[tool]).id
    thread = sdk.beta.threads.create(messages=[{"role": "user", "content": "Make it."}]).id
    run = sdk.beta.threads.runs.create(thread, assistant_id=assistant)
    deadline = time.monotonic() + PATIENCE
    while not journal.exists():
        assert time.monotonic() < deadline, "the tool was never called"
        time.sleep(0.02)
    server.kill9()
    server.start()
    run = at_rest(sdk, run)
    assert run.status == "completed"
    steps: list[Any] = sdk.beta.threads.runs.steps.list(run.id, thread_id=thread).data
    [call] = [call.to_dict() for step in steps if step.type == "tool_calls" for call in step.step_details.tool_calls]
    assert call["workshop"]["output"] == ("A chair." if idempotent else UNKNOWN)
    begun = journal.read_text().splitlines()
    assert set(begun) == {call["id"]}
    assert len(begun) >= 2 if idempotent else len(begun) == 1  # a slow machine may lose the lease once more
    nothing: list[ServerEvent] = []
    check_log(clients.http(server), run, nothing)
