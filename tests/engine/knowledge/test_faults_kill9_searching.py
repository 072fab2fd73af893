"""kill -9 of the server behind every piece of a run that searches, and then a restart: the run ends, the search is there once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from tests.engine.faults.test_faults_kill9 import MOST, told
from tests.engine.log_checks import check_log
from tests.harness.clients import Clients
from tests.harness.knowledge import settled, upload
from tests.harness.server import Server
from tests.harness.sse import EventParser, ServerEvent
from tests.harness.stories import at_rest, data

SCRIPT = Path(__file__).parents[2] / "scripts" / "searching.json"
SEARCH: Any = [{"type": "file_search"}]
TOWER = "The tower of Luzhou was built in 1412 and is 78 metres high. It stands by the river."


@pytest.mark.timeout(600)
def test_after_a_kill_behind_any_event_a_search_is_not_lost_or_doubled(
    clients: Clients, start_server: Callable[..., Server]
) -> None:
    server = start_server(fresh=True, lease_seconds=1.0, script=SCRIPT)
    sdk = clients.sdk(server)
    store = sdk.vector_stores.create(file_ids=upload(sdk, TOWER)).id
    settled(sdk, store)
    resources: Any = {"file_search": {"vector_store_ids": [store]}}
    assistant = sdk.beta.assistants.create(model="gpt-4o", tools=SEARCH, tool_resources=resources).id
    for boundary in range(1, MOST):
        with told(f"killed behind piece {boundary}"):
            thread = sdk.beta.threads.create(messages=[{"role": "user", "content": "How high is the tower?"}]).id
            seen = watch(clients, server, thread, assistant, boundary)
            if seen is None:
                break
            server.start()
            check(clients, server, sdk, thread, seen)
    assert boundary > 3, "the story has more pieces than were enumerated"


def watch(clients: Clients, server: Server, thread: str, assistant: str, pieces: int) -> list[ServerEvent] | None:
    """What the client saw when the server was killed behind that many pieces; None when the story was over before."""
    parser, seen = EventParser(), []
    body = {"assistant_id": assistant, "stream": True}
    with clients.http(server).stream("POST", f"/v1/threads/{thread}/runs", json=body) as response:
        for piece in response.iter_bytes():
            events = [event for event in parser.feed(piece) if event.name != "done"]
            seen += events
            pieces -= bool(events)
            if pieces == 0:
                server.kill9()
                return seen
    return None


def check(clients: Clients, server: Server, sdk: OpenAI, thread: str, seen: list[ServerEvent]) -> None:
    run = at_rest(sdk, sdk.beta.threads.runs.retrieve(data(seen[0])["id"], thread_id=thread))
    assert run.status == "completed"
    steps: list[Any] = sdk.beta.threads.runs.steps.list(run.id, thread_id=thread).data
    done = [step for step in steps if step.type == "tool_calls" and step.status == "completed"]
    assert len(done) == 1 and done[0].step_details.tool_calls[0].file_search.results
    check_log(clients.http(server), run, seen)
