"""kill -9 of the server in the midst of a response; then a restart, and its stream is read on from where it broke off."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from tests.harness.clients import Clients
from tests.harness.farm import STORAGES, Storage
from tests.harness.response_rules import ResponseRules
from tests.harness.server import Server

LEASE = 1.0
WORDS = [f"word{n} " for n in range(8)]
KILLS = ("response.created", "response.in_progress", "response.output_item.added", "response.output_text.delta")
"""Behind the first event of each of these kinds; each database takes every other one."""


@pytest.mark.timeout(300)
def test_after_a_kill_the_stream_is_read_on(
    clients: Clients, start_server: Callable[..., Server], storage: Storage, tmp_path: Path
) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"default": [{"text": word, "delay": 0.1} for word in WORDS]}))
    server = start_server(fresh=True, lease_seconds=LEASE, script=script)
    for kind in KILLS[STORAGES.index(storage) :: len(STORAGES)]:
        client = clients.sdk(server)
        seen: list[Any] = []
        try:
            for event in client.responses.create(model="gpt-4o", input="Go", stream=True):
                seen.append(event)
                if event.type == kind:
                    server.kill9()
                    break
        except Exception:  # however the broken connection is told
            assert server.pid is None or seen
        server.start()
        read_on(clients.sdk(server), seen)


def read_on(client: OpenAI, seen: list[Any]) -> None:
    """What was seen and what is read on make one stream; its end is what a GET says."""
    response_id = seen[0].response.id
    rest = list(client.responses.retrieve(response_id, stream=True, starting_after=seen[-1].sequence_number))
    whole = [event.to_dict() for event in (*seen, *rest)]
    assert whole == [event.to_dict() for event in client.responses.retrieve(response_id, stream=True)]
    rules = ResponseRules(joined=False)
    assert [problem for event in whole for problem in rules.check(str(event["type"]), event)] == []
    final = client.responses.retrieve(response_id)
    assert (final.status, final.output_text) == ("completed", "".join(WORDS))
    last: Any = whole[-1]
    assert last["type"] == "response.completed" and last["response"] == final.to_dict()
