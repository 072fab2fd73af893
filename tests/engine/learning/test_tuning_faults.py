"""A tuning whose server dies: another one goes on with it, nothing is told twice, and the model is there once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness import tunings
from tests.harness.clients import Clients
from tests.harness.farm import Storage
from tests.harness.server import Server

StartServer = Callable[..., Server]


@pytest.fixture
def storage() -> Storage:
    """What children do is the same for all databases."""
    return "sqlite"


@pytest.fixture
def server(start_server: StartServer) -> Server:
    """Tests stop it and start it again."""
    return start_server(name="faults", tuning_command=tunings.command(), lease_seconds=1.0, max_attempts=2)


@pytest.mark.parametrize(("storage", "kills"), [("sqlite", (5, 15, 25)), ("postgres", (5,))])
def test_a_server_that_is_killed_again_and_again_goes_on_with_a_training_that_gets_on(
    server: Server, clients: Clients, kills: tuple[int, ...]
) -> None:
    client, http = clients.sdk(server), clients.http(server)
    job = client.fine_tuning.jobs.create(model="minilm", training_file=tunings.plan(client, steps=40, pause=0.05))
    for reached in kills:
        tunings.eventually(lambda: len(steps_told(tunings.messages(http, job.id))) >= reached)  # noqa: B023
        server.kill9()
        server.start()
    done = tunings.until(http, job.id, "succeeded")
    told = tunings.messages(http, job.id)
    assert steps_told(told) == [f"Step {step}/40" for step in range(1, 41)]
    for once in ("Fine-tuning job started", "The job has successfully completed", "accuracy 0.50 → 0.90"):
        assert told.count(once) == 1
    assert [model.id for model in client.models.list()].count(done["fine_tuned_model"]) == 1
    assert len(client.fine_tuning.jobs.checkpoints.list(job.id).data) == 1
    assert len(done["result_files"]) == len(set(done["result_files"])) == 2


def test_a_child_does_not_outlive_its_server(server: Server, clients: Clients) -> None:
    client, http = clients.sdk(server), clients.http(server)
    job = client.fine_tuning.jobs.create(model="minilm", training_file=tunings.plan(client, steps=9999, pause=0.05))
    tunings.until(http, job.id, "running")
    tunings.eventually(lambda: bool(children_of(job.id)))
    server.kill9()
    tunings.eventually(lambda: not children_of(job.id))
    server.start()
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    tunings.eventually(lambda: not (server.folder / "tuning" / job.id).exists())


def test_a_server_that_is_asked_to_stop_puts_the_job_back_at_once(server: Server, clients: Clients) -> None:
    client, http = clients.sdk(server), clients.http(server)
    job = client.fine_tuning.jobs.create(model="minilm", training_file=tunings.plan(client, steps=40, pause=0.05))
    tunings.eventually(lambda: len(steps_told(tunings.messages(http, job.id))) >= 3)
    server.restart()
    assert http.get(f"/v1/fine_tuning/jobs/{job.id}").json()["status"] in ("running", "succeeded")
    tunings.until(http, job.id, "succeeded")
    assert steps_told(tunings.messages(http, job.id)) == [f"Step {step}/40" for step in range(1, 41)]


def test_a_child_that_dies_again_and_again_fails_the_job(server: Server, clients: Clients) -> None:
    client, http = clients.sdk(server), clients.http(server)
    job = client.fine_tuning.jobs.create(
        model="minilm", training_file=tunings.plan(client, steps=4, die_at=2, die_times=9)
    )
    failed = tunings.until(http, job.id, "failed")
    assert failed["error"]["code"] == "out_of_memory"
    assert "was killed 2 times" in failed["error"]["message"]
    assert failed["fine_tuned_model"] is None and failed["result_files"] == []


def test_a_child_that_dies_often_but_gets_on_between_is_not_given_up(server: Server, clients: Clients) -> None:
    client, http = clients.sdk(server), clients.http(server)
    file = tunings.plan(client, steps=3, die_every=1)
    job = tunings.finished(client, http, training_file=file)
    assert steps_told(tunings.messages(http, job["id"])) == [f"Step {step}/3" for step in range(1, 4)]


def test_files_that_are_deleted_before_they_are_read_end_the_job_and_later_they_do_not_matter(
    server: Server, clients: Clients
) -> None:
    client, http = clients.sdk(server), clients.http(server)
    slow, deleted = tunings.plan(client, check_pause=1.5, steps=20, pause=0.05), tunings.plan(client)
    first = client.fine_tuning.jobs.create(model="minilm", training_file=slow)
    second = client.fine_tuning.jobs.create(model="minilm", training_file=deleted)
    client.files.delete(deleted)
    failed = tunings.until(http, second.id, "failed")
    assert failed["error"]["code"] == "invalid_training_file"
    assert failed["error"]["message"] == f"The training file {deleted} was deleted before the job could read it."
    tunings.until(http, first.id, "running", "succeeded")
    client.files.delete(slow)
    tunings.until(http, first.id, "succeeded")


def test_a_folder_that_is_lost_is_made_again(server: Server, clients: Clients) -> None:
    client, http = clients.sdk(server), clients.http(server)
    job = client.fine_tuning.jobs.create(model="minilm", training_file=tunings.plan(client, steps=200, pause=0.05))
    tunings.eventually(lambda: len(steps_told(tunings.messages(http, job.id))) >= 3)
    assert http.post(f"/v1/fine_tuning/jobs/{job.id}/pause").status_code == 200
    tunings.eventually(lambda: not children_of(job.id))
    (server.folder / "tuning" / job.id).rename(server.folder / "elsewhere")
    assert http.post(f"/v1/fine_tuning/jobs/{job.id}/resume").status_code == 200
    lost = "The folder of the tuning is not on this machine, so the job starts anew"
    tunings.eventually(lambda: tunings.messages(http, job.id).count(lost) == 1)
    client.fine_tuning.jobs.cancel(job.id)


def steps_told(messages: list[str]) -> list[str]:
    return [text.partition(":")[0] for text in messages if text.startswith("Step")]


def children_of(job: str) -> list[int]:
    """The processes that train this job."""
    return [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and job in _command(folder) and "tuning_child" in _command(folder)
    ]


def _command(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_text()
    except OSError:
        return ""
