"""kill -9 of the server before every commit of a run that understands its message: it is understood once, the state is the same.

The cuts between the understanding and its record, and between that and the reply, are among them. On SQLite each commit is
taken; on PostgreSQL the one that records the understanding and the one behind it.
"""

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.beta.threads import Run

from tests.engine.log_checks import check_log
from tests.engine.test_faults_kill9 import MOST, told
from tests.harness.clients import Clients
from tests.harness.farm import Storage
from tests.harness.restaurant import RESTAURANT
from tests.harness.server import SCRIPT, Server
from tests.harness.stories import answers, at_rest, use_the_model

CUTS: dict[Storage, Iterable[int]] = {"sqlite": range(MOST), "postgres": (3, 4)}


@pytest.mark.timeout(600)
def test_after_a_kill_before_any_commit_a_message_is_understood_once(
    clients: Clients, start_server: Callable[..., Server], storage: Storage, tmp_path: Path
) -> None:
    arm = tmp_path / "armed"
    killer = {"backend": "tests.engine.killer:Killer", "script": str(SCRIPT), "arm_file": str(arm)}
    server = start_server(fresh=True, lease_seconds=1.0, models={"killer": killer})
    story = Story(server, clients, arm)
    expected = story.play(None)
    for cut in CUTS[storage]:
        with told(f"killed before commit {cut + 1}"):
            assert story.play(cut) == expected
            if not story.died:
                break
    assert cut > 3, "the story has more commits than were enumerated"


class Story:
    """A client that asks for a table, and goes on however often the server dies."""

    def __init__(self, server: Server, clients: Clients, arm: Path) -> None:
        self._server, self._clients, self._arm = server, clients, arm
        self._sdk, self._http = clients.sdk(server), clients.http(server)
        domain = self._http.post("/v1/domains", json=RESTAURANT).json()["id"]
        self._assistant = self._sdk.beta.assistants.create(model="killer", extra_body={"domain": domain}).id
        self._thread = ""
        self.died = False

    def play(self, cut: int | None) -> dict[str, Any]:
        """The state behind the story, in which the server dies before its commit number `cut` + 1, if it has so many."""
        self._thread = self._sdk.beta.threads.create(messages=[{"role": "user", "content": "a table for 4"}]).id
        use_the_model(self._sdk, "killer")
        if cut is not None:
            self._arm.write_text(str(cut))
        self.died = False
        try:
            run = self._go_on()
        except openai.APIConnectionError:
            self.died = True
            self._arm.unlink()
            self._server.kill9()
            self._server.start()
            run = self._go_on()
        self._arm.unlink(missing_ok=True)
        return self._checked(run)

    def _go_on(self) -> Run:
        runs = self._sdk.beta.threads.runs
        found = runs.list(self._thread).data
        return at_rest(self._sdk, found[0] if found else runs.create(self._thread, assistant_id=self._assistant))

    def _checked(self, run: Run) -> dict[str, Any]:
        assert run.status == "completed"
        assert answers(self._sdk, run)[-1] == "Where?"
        check_log(self._http, run, [])
        understood = self._http.get(f"/v1/threads/{self._thread}/understandings").json()["data"]
        assert [(one["text"], one["run_id"]) for one in understood] == [("a table for 4", run.id)]
        if self._server.database_url.startswith("sqlite"):
            assert self._events(run) == 1
        state: dict[str, Any] = self._http.get(f"/v1/threads/{self._thread}/state").json()
        assert state.pop("thread_id") == self._thread
        for slot in state["slots"].values():
            for value in slot["history"]:
                assert value.pop("message_id") == understood[0]["message_id"]
        return state

    def _events(self, run: Run) -> int:
        """How often the log says that something was understood; clients do not see it."""
        query = "SELECT count(*) FROM run_events WHERE run_id = ? AND name = 'zhuli.understood'"
        connection = sqlite3.connect(self._server.folder / "zhuli.db")
        try:
            return int(connection.execute(query, (run.id,)).fetchone()[0])
        finally:
            connection.close()
