"""Processes that die: a run is blamed only for what it was alone with, and each of the others comes to its end.

Real servers that are killed, by a run of theirs or from outside, and started again as an init system does.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest
from openai import OpenAI

from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.stories import answers
from tests.harness.waiting import eventually

ENDED = ("completed", "failed", "expired", "cancelled", "incomplete")
PATIENCE = 150.0


@dataclass
class Place:
    """A server whose model kills, and what its runs ask it."""

    server: Server
    client: OpenAI
    asked: Path
    go: Path

    def begin(self, said: str) -> str:
        """The id of a run that has just begun, and its thread's."""
        assistant = self.client.beta.assistants.create(model="deadly")
        run = self.client.beta.threads.create_and_run(
            assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": said}]}
        )
        return f"{run.thread_id} {run.id}"

    def run(self, begun: str) -> openai.types.beta.threads.Run:
        thread, run = begun.split()
        return self.client.beta.threads.runs.retrieve(run, thread_id=thread)

    def asked_now(self) -> list[str]:
        """What the process that lives now was asked."""
        if not self.asked.exists():
            return []
        lines = [line.partition(" ") for line in self.asked.read_text().splitlines()]
        return [said for process, _, said in lines if process == str(self.server.pid)]

    def processes(self) -> int:
        """How many processes were asked the poison."""
        return len([line for line in self.asked.read_text().splitlines() if " poison" in line])

    def live_on_until(self, holds: Callable[[], bool]) -> None:
        """Start the server again, each time that it has died."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with suppress(openai.APIConnectionError):
                if holds():
                    return
            assert time.monotonic() < deadline, self.asked.read_text()
            if self.server.has_died:
                self.server.kill9()
                self.server.start()
            time.sleep(0.1)


@pytest.fixture
def place(start_server: Callable[..., Server], clients: Clients, tmp_path: Path) -> Iterator[Place]:
    asked, go = tmp_path / "asked", tmp_path / "go"
    deadly = {"backend": "tests.engine.poison:Model", "asked": str(asked), "go": str(go)}
    server = start_server(fresh=True, models={"deadly": deadly}, lease_seconds=1, max_attempts=3)
    yield Place(server, clients.sdk(server), asked, go)
    go.touch()


def test_of_the_runs_in_a_process_that_dies_only_the_one_that_killed_it_fails(place: Place) -> None:
    innocent = [place.begin(f"slow {number}") for number in range(7)]
    poison = place.begin("poison")
    innocent += [place.begin(f"slow {number}") for number in range(7, 10)]
    eventually(lambda: len(place.asked_now()) == 11)
    place.go.touch()
    place.live_on_until(lambda: all(place.run(run).status in ENDED for run in [poison, *innocent]))
    failed = place.run(poison)
    assert failed.status == "failed" and failed.last_error is not None
    assert failed.last_error.message == "The run was given up: 3 attempts took their worker down."
    for number, run in enumerate(innocent):
        found = place.run(run)
        assert found.status == "completed"
        assert answers(place.client, found)[-1] == f"You said: slow {number}"
    assert place.processes() <= 4 + 3, "in the company of others four times, alone thrice"


def test_kills_from_outside_fail_nobody(place: Place) -> None:
    begun = [place.begin(f"wait {number}") for number in range(8)]
    for _ in range(6):
        eventually(place.asked_now)
        place.server.kill9()
        place.server.start()
    place.go.touch()
    place.live_on_until(lambda: all(place.run(run).status in ENDED for run in begun))
    for number, run in enumerate(begun):
        found = place.run(run)
        assert found.status == "completed"
        assert answers(place.client, found)[-1] == f"You said: wait {number}"


def test_after_a_crash_new_runs_do_not_wait_for_the_suspects(place: Place) -> None:
    waiting = [place.begin(f"wait {number}") for number in range(20)]
    eventually(lambda: len(place.asked_now()) == 20)
    place.server.kill9()
    place.server.start()
    eventually(lambda: len(place.asked_now()) == 16)
    new = place.begin("something new")
    place.live_on_until(lambda: place.run(new).status == "completed")
    assert len([said for said in place.asked_now() if said.startswith("wait")]) == 16
    place.go.touch()
    place.live_on_until(lambda: all(place.run(run).status == "completed" for run in waiting))
