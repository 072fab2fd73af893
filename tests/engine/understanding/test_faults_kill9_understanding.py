"""kill -9 of the server between an understanding, its record and the reply: understood once, and the state is the same.

test_understanding.py has the deaths before every commit, in memory; here the process is a real one.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.beta.threads import Run

from tests.engine.faults.test_faults_kill9 import told
from tests.engine.log_checks import check_log
from tests.harness.clients import Clients
from tests.harness.farm import Storage
from tests.harness.restaurant import RESTAURANT
from tests.harness.server import SCRIPT, Server
from tests.harness.stories import answers, at_rest

UNDERSTANDER = "tests.engine.deadly:Understander"
MOMENTS: dict[Storage, tuple[str, ...]] = {"sqlite": ("understood", "asked"), "postgres": ("asked",)}


@pytest.mark.timeout(300)
def test_after_a_kill_between_understanding_and_reply_a_message_is_understood_once(
    clients: Clients, start_server: Callable[..., Server], storage: Storage, tmp_path: Path
) -> None:
    arm = tmp_path / "armed"
    deadly = {"backend": "tests.engine.deadly:Model", "script": str(SCRIPT), "arm_file": str(arm)}
    server = start_server(fresh=True, lease_seconds=1.0, models={"deadly": deadly}, understander_plugins=[UNDERSTANDER])
    story = Story(server, clients, arm)
    expected = story.play(None)
    for moment in MOMENTS[storage]:
        with told(f"killed when it was {moment}"):
            assert story.play(moment) == expected


class Story:
    """A client that begins to book a table and then wants a joke, and goes on when the server dies."""

    def __init__(self, server: Server, clients: Clients, arm: Path) -> None:
        self._server, self._arm = server, arm
        self._sdk, self._http = clients.sdk(server), clients.http(server)
        understander = {**RESTAURANT["understander"], "type": UNDERSTANDER, "arm_file": str(arm)}
        domain = self._http.post("/v1/domains", json={**RESTAURANT, "understander": understander}).json()["id"]
        self._assistant = self._sdk.beta.assistants.create(model="deadly", extra_body={"domain": domain}).id
        self._thread = ""

    def play(self, moment: str | None) -> dict[str, Any]:
        """The state behind the story. moment: when the server dies while it works on the second message."""
        self._thread = self._sdk.beta.threads.create().id
        first = at_rest(self._sdk, self._run("a table for 4"))
        assert answers(self._sdk, first) == ["Where?"]
        if moment is not None:
            self._arm.write_text(moment)
        try:
            run = at_rest(self._sdk, self._run("a joke please"))
            assert moment is None, "the server did not die"
        except openai.APIConnectionError:
            self._server.kill9()
            self._server.start()
            run = at_rest(self._sdk, self._sdk.beta.threads.runs.list(self._thread).data[0])
        self._check(run)
        return self._state()

    def _run(self, text: str) -> Run:
        said: Any = [{"role": "user", "content": text}]
        runs = self._sdk.beta.threads.runs
        return runs.create(thread_id=self._thread, assistant_id=self._assistant, additional_messages=said)

    def _check(self, run: Run) -> None:
        assert run.status == "completed"
        check_log(self._http, run, [])
        path = f"/v1/threads/{self._thread}/understandings"
        understood = self._http.get(path, params={"order": "asc"}).json()["data"]
        assert [one["text"] for one in understood] == ["a table for 4", "a joke please"]
        assert understood[1]["run_id"] == run.id
        if self._server.database_url.startswith("sqlite"):
            assert self._events(run) == 1

    def _events(self, run: Run) -> int:
        """How often the log says that something was understood; clients do not see it."""
        query = "SELECT count(*) FROM run_events WHERE run_id = ? AND name = 'zhuli.understood'"
        connection = sqlite3.connect(self._server.folder / "zhuli.db")
        try:
            return int(connection.execute(query, (run.id,)).fetchone()[0])
        finally:
            connection.close()

    def _state(self) -> dict[str, Any]:
        """Without what differs between two threads."""
        state: dict[str, Any] = self._http.get(f"/v1/threads/{self._thread}/state").json()
        assert state.pop("thread_id") == self._thread
        for slot in state["slots"].values():
            for value in slot["history"]:
                assert value.pop("message_id").startswith("msg_")
        return state
