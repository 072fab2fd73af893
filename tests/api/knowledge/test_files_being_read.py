"""A run that searches while the assistant's files are still being read: it waits for a bound, and then says that they are."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.beta.threads import Run

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.knowledge import settled, upload
from tests.harness.server import Server
from tests.harness.stories import when

SCRIPT = Path(__file__).parents[2] / "scripts" / "searching.json"
TOWER = "The tower of Luzhou was built in 1412 and is 78 metres high. It stands by the river."
BRIDGE = "The old bridge has eleven arches. Its stones were brought from the western hills by boat."
STILL = "still being read"


@dataclass
class Place:
    """A server that reads no file about a river before `go` is there."""

    server: Server
    client: openai.OpenAI
    go: Path

    def begin(self, *texts: str, read: str = "", **run: Any) -> Run:
        """A run of an assistant whose store has just been given these files; one that has this text is read already."""
        store = self.client.vector_stores.create(file_ids=upload(self.client, read) if read else []).id
        assert not settled(self.client, store).file_counts.failed
        for file in upload(self.client, *texts):
            self.client.vector_stores.files.create(store, file_id=file)
        search: Any = {"file_search": {"vector_store_ids": [store]}}
        made = self.client.beta.assistants.create(
            model="gpt-4o", tools=[{"type": "file_search"}], tool_resources=search
        )
        thread = self.client.beta.threads.create(messages=[{"role": "user", "content": "How high is the tower?"}])
        self.store = store
        return self.client.beta.threads.runs.create(thread.id, assistant_id=made.id, **run)

    def search_of(self, run: Run) -> Any:
        """The call of the first step."""
        steps = self.client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id, order="asc").data
        return steps[0].to_dict()["step_details"]["tool_calls"][0]["file_search"]  # type: ignore[index]

    def told(self, run: Run) -> str:
        """What the model read last."""
        return str(self.server.requests(run.thread_id)[-1]["messages"])


@pytest.fixture
def go(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "go"
    (tmp_path / "go").touch()


@pytest.fixture
def place(start_server: StartServer, clients: Clients, go: Path) -> Place:
    return place_of(start_server, clients, go, store_wait_seconds=60)


@pytest.fixture
def hasty(start_server: StartServer, clients: Clients, go: Path) -> Place:
    """A server that waits for nothing."""
    return place_of(start_server, clients, go, store_wait_seconds=0.5)


def place_of(start_server: StartServer, clients: Clients, go: Path, **settings: Any) -> Place:
    held = {"plugin": "tests.api.knowledge.held_embedder:Held", "go": str(go)}
    server = start_server(fresh=True, script=SCRIPT, embedders={"held": held}, embedder="held", **settings)
    return Place(server, clients.sdk(server), go)


def test_a_search_waits_for_files_that_are_being_read(place: Place) -> None:
    run = place.begin(TOWER)
    time.sleep(0.5)
    assert place.client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id).status == "in_progress"
    place.go.touch()
    run = when(place.client, run, "completed", "failed")
    assert run.status == "completed"
    search = place.search_of(run)
    assert len(search["results"]) == 1 and "files_in_progress" not in search
    assert TOWER in place.told(run) and STILL not in place.told(run)


def test_beyond_the_bound_the_model_is_told_that_files_are_being_read_and_not_that_nothing_was_found(
    hasty: Place,
) -> None:
    run = when(hasty.client, hasty.begin(TOWER), "completed", "failed")
    assert run.status == "completed"
    search = hasty.search_of(run)
    assert search["results"] == [] and search["files_in_progress"] == 1
    assert f"One of the user's files is {STILL}" in hasty.told(run)
    assert "found nothing" not in hasty.told(run)
    hasty.go.touch()
    assert settled(hasty.client, hasty.store).file_counts.completed == 1


def test_what_has_been_read_is_found_beside_it(hasty: Place) -> None:
    run = when(hasty.client, hasty.begin(TOWER, f"{TOWER} Twice.", read=BRIDGE), "completed", "failed")
    assert hasty.search_of(run)["files_in_progress"] == 2
    assert BRIDGE in hasty.told(run) and f"2 of the user's files are {STILL}" in hasty.told(run)


def test_where_the_server_searches_the_model_is_told_too(hasty: Place) -> None:
    run = when(hasty.client, hasty.begin(TOWER, tool_choice={"type": "file_search"}), "completed", "failed")
    assert run.status == "completed"
    assert f"One of the user's files is {STILL}" in hasty.told(run) and "found nothing" not in hasty.told(run)


def test_a_run_that_waits_can_be_cancelled(place: Place) -> None:
    run = place.begin(TOWER)
    when(place.client, run, "in_progress")
    time.sleep(0.5)
    place.client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
    assert when(place.client, run, "cancelled", "completed", "failed").status == "cancelled"
