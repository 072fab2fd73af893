"""kill -9 of the server in the middle of an import: what comes up again goes on, and each dialogue is there once."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.waiting import eventually

Body = dict[str, Any]

DIALOGUES = 1_200
"""More than are added at once, so that a kill cuts between what is kept and what is not."""

ANSWERS = ("Refunds take five days.", "Track it under My orders.", "Use the link Forgot password.")
QUESTIONS = ("When is my refund for order {} paid?", "Where is parcel {} now?", "I forgot password {}, reset it?")


def transcripts() -> str:
    lines = []
    for number in range(DIALOGUES):
        said = QUESTIONS[number % 3].format(number), ANSWERS[number % 3]
        messages = [{"role": role, "content": text} for role, text in zip(("user", "agent"), said, strict=True)]
        lines.append(json.dumps({"id": f"d{number}", "messages": messages}))
    return "\n".join([*lines[:600], "{broken", *lines[600:]])


@pytest.mark.parametrize("part", ["reading", "mining"])
def test_an_import_that_was_killed_goes_on_and_adds_each_dialogue_once(
    clients: Clients, start_server: Callable[..., Server], part: str
) -> None:
    server = start_server(fresh=True, lease_seconds=1.0)
    with clients.http(server) as http:
        desk = sent(http, "/support_desks", {"name": "Shop", "embedder": "hashed"})["id"]
        task = sent(http, f"/support_desks/{desk}/imports", {"text": transcripts(), "held_out": 0})
        if part == "mining":
            eventually(lambda: "read" in there(http, desk, task["id"])["progress"], patience=120)
        server.kill9()
    server.start()
    with clients.http(server) as http:
        eventually(lambda: there(http, desk, task["id"])["status"] != "queued", patience=240)
        done = there(http, desk, task["id"])
        assert done["status"] == "completed", done
        result = done["result"]
        assert (result["added"], result["here_before"], result["mined"]) == (DIALOGUES, 0, DIALOGUES)
        assert [fault["line"] for fault in result["faults"]] == [601]
        listed = http.get(f"/v1/support_desks/{desk}/proposals?kind=answer&limit=100").json()["data"]
        assert sorted(one["content"]["text"] for one in listed) == sorted(ANSWERS)
        assert sum(one["support"] for one in listed) == DIALOGUES


def sent(http: httpx2.Client, path: str, body: Body) -> Body:
    response = http.post(f"/v1{path}", json=body)
    assert response.status_code == 200, response.text
    answer: Body = response.json()
    return answer


def there(http: httpx2.Client, desk: str, task: str) -> Body:
    answer: Body = http.get(f"/v1/support_desks/{desk}/tasks/{task}").json()
    return answer
