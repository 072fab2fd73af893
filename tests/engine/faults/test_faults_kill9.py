"""kill -9 of the server at every boundary of a run with text, two tool calls, a submit and text again; then a restart.

Two ways to die: just after events have reached a client, and just before a commit. Each is enumerated until the story
is over; each database takes every other boundary, for what the server does there is the same. Whatever the cut: the run
can be brought to its end, nothing is lost or doubled, and finished calls stay so.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI
from openai.types.beta.threads import Run

from tests.engine.log_checks import TERMINAL, check_log
from tests.harness.clients import Clients
from tests.harness.farm import STORAGES, Storage
from tests.harness.server import SCRIPT, Server
from tests.harness.sse import EventParser, ServerEvent
from tests.harness.stories import WEATHER, answers, at_rest, calls_of, data, use_the_model

QUESTION = "look it up and say so"
LEASE = 1.0
MOST = 200
"""More boundaries than the story has."""


@pytest.mark.timeout(600)
def test_after_a_kill_behind_any_event_the_run_ends_well(
    clients: Clients, start_server: Callable[..., Server], storage: Storage
) -> None:
    server = start_server(fresh=True, lease_seconds=LEASE)
    for boundary in range(1 + STORAGES.index(storage), MOST, len(STORAGES)):
        with told(f"killed behind piece {boundary}"):
            story = Watched(server, clients, boundary)
            story.play()
            if not story.killed:
                break
            server.start()
            finish_and_check(clients, server, story.run_id, story.thread_id, story.seen)
    assert boundary > 10, "the story has more pieces than were enumerated"


@pytest.mark.timeout(600)
def test_after_a_kill_before_any_commit_the_run_ends_well(
    clients: Clients, start_server: Callable[..., Server], storage: Storage, tmp_path: Path
) -> None:
    arm = tmp_path / "armed"
    killer = {"backend": "tests.engine.killer:Killer", "script": str(SCRIPT), "arm_file": str(arm)}
    server = start_server(fresh=True, lease_seconds=LEASE, models={"killer": killer})
    for boundary in range(STORAGES.index(storage), MOST, len(STORAGES)):
        with told(f"killed before commit {boundary + 1}"):
            story = Insistent(server, clients, arm, boundary)
            if not story.play():
                break
            assert story.begun_again == (boundary == 0), "the first commit is the one that makes the run"
    assert boundary > 10, "the story has more commits than were enumerated"


class Watched:
    """A client that streams the story and kills the server when piece number `boundary` of the stream has arrived.

    A piece holds what was committed together, so between two pieces lie all the cuts that differ for the server.
    """

    def __init__(self, server: Server, clients: Clients, boundary: int) -> None:
        self._server = server
        self._sdk, self._http = clients.sdk(server), clients.http(server)
        self._left = boundary
        self.killed = False
        self.seen: list[ServerEvent] = []
        self.thread_id = self._sdk.beta.threads.create(messages=[{"role": "user", "content": QUESTION}]).id

    @property
    def run_id(self) -> str:
        return str(data(self.seen[0])["id"])

    def play(self) -> None:
        tools = [WEATHER]
        assistant = self._sdk.beta.assistants.create(model="script", tools=tools)  # type: ignore[arg-type]
        self._watch("runs", {"assistant_id": assistant.id})
        if self.killed:
            return
        run = self._sdk.beta.threads.runs.retrieve(self.run_id, thread_id=self.thread_id)
        outputs = [{"tool_call_id": call.id, "output": "sunny"} for call in calls_of(run)]
        self._watch(f"runs/{self.run_id}/submit_tool_outputs", {"tool_outputs": outputs})

    def _watch(self, path: str, body: dict[str, Any]) -> None:
        parser = EventParser()
        url = f"/v1/threads/{self.thread_id}/{path}"
        with self._http.stream("POST", url, json={**body, "stream": True}) as response:
            for piece in response.iter_bytes():
                events = [event for event in parser.feed(piece) if event.name != "done"]
                self.seen += events
                self._left -= bool(events)
                if self._left == 0:
                    self._server.kill9()
                    self.killed = True
                    return


class Insistent:
    """A client that does the story by polling, and goes on with it however often the server dies."""

    def __init__(self, server: Server, clients: Clients, arm: Path, boundary: int) -> None:
        self._server, self._clients = server, clients
        self._arm, self._boundary = arm, boundary
        self._sdk = clients.sdk(server)
        tools = [WEATHER]
        self._assistant = self._sdk.beta.assistants.create(model="killer", tools=tools).id  # type: ignore[arg-type]
        self._thread = self._sdk.beta.threads.create(messages=[{"role": "user", "content": QUESTION}]).id
        self._begun = 0
        use_the_model(self._sdk, "killer")

    @property
    def begun_again(self) -> bool:
        """Whether the run was not there after the server had died."""
        return self._begun > 1

    def play(self) -> bool:
        """Whether the server died on the way."""
        self._arm.write_text(str(self._boundary))
        died = False
        try:
            run = self._go_on()
        except openai.APIConnectionError:
            died = True
            self._arm.unlink()
            self._server.kill9()
            self._server.start()
            run = self._go_on()
        self._arm.unlink(missing_ok=True)
        check_ended_well(self._sdk, run)
        check_log(self._clients.http(self._server), run, [])
        return died

    def _go_on(self) -> Run:
        """From wherever the story stands to its end."""
        runs = self._sdk.beta.threads.runs
        found = runs.list(self._thread).data
        if not found:
            self._begun += 1
        run = found[0] if found else runs.create(self._thread, assistant_id=self._assistant)
        return bring_to_end(self._sdk, run)


def finish_and_check(clients: Clients, server: Server, run_id: str, thread_id: str, seen: list[ServerEvent]) -> None:
    """After a restart: the run can be brought to its end, and its log is whole."""
    sdk = clients.sdk(server)
    run = bring_to_end(sdk, sdk.beta.threads.runs.retrieve(run_id, thread_id=thread_id))
    check_ended_well(sdk, run)
    check_log(clients.http(server), run, seen)


def bring_to_end(sdk: OpenAI, run: Run) -> Run:
    """Wait, and submit what the run asks for, until it has ended."""
    run = at_rest(sdk, run)
    while run.status not in TERMINAL:
        sdk.beta.threads.runs.submit_tool_outputs(
            run.id,
            thread_id=run.thread_id,
            tool_outputs=[{"tool_call_id": call.id, "output": "sunny"} for call in calls_of(run)],
        )
        run = at_rest(sdk, run)
    return run


def check_ended_well(sdk: OpenAI, run: Run) -> None:
    """The run is completed, its answer is whole, and it called both functions once with success."""
    assert run.status == "completed"
    assert answers(sdk, run)[-1] == "It is sunny in both."
    steps = sdk.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    done = [step for step in steps if step.type == "tool_calls" and step.status == "completed"]
    assert len(done) == 1
    assert sdk.beta.threads.runs.list(run.thread_id).data == [run]


@contextmanager
def told(where: str) -> Iterator[None]:
    """A failure inside says where it was."""
    try:
        yield
    except (AssertionError, RuntimeError, openai.OpenAIError, httpx2.HTTPError) as failure:
        failure.add_note(where)
        raise
