"""Fine-tuning jobs through the API: made, listed, stopped, resumed, ended. What trains is zhuli.testing.tuning_child."""

import base64
import re
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest

from tests.harness import tunings
from tests.harness.clients import Clients
from tests.harness.farm import STORAGES, Storage
from tests.harness.server import Server
from tests.harness.tunings import refused

StartServer = Callable[..., Server]

EACH_STORAGE = pytest.mark.parametrize("storage", STORAGES)
"""For what the database does; the rest is the same on all."""

HYPERPARAMETERS = {"batch_size": "auto", "learning_rate_multiplier": "auto", "n_epochs": "auto"}


@pytest.fixture
def storage() -> Storage:
    return "sqlite"


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server(name="tuning", tuning_command=tunings.command(), tuning_slots=4)


@EACH_STORAGE
def test_a_job_goes_from_its_file_to_a_model(client: openai.OpenAI, http: httpx2.Client) -> None:
    training_file = tunings.plan(client, steps=2)
    job = client.fine_tuning.jobs.create(
        model="minilm", training_file=training_file, suffix="my model", seed=7, metadata={"team": "a"}
    )
    assert re.fullmatch(r"ftjob-\w{24}", job.id)
    assert (job.object, job.status, job.seed, job.model) == ("fine_tuning.job", "validating_files", 7, "minilm")
    assert (job.fine_tuned_model, job.finished_at, job.error, job.result_files) == (None, None, None, [])
    assert job.metadata == {"team": "a"}
    assert job.method is not None and job.method.type == "supervised" and job.method.supervised is not None
    assert job.hyperparameters.to_dict() == HYPERPARAMETERS
    done = tunings.until(http, job.id, "succeeded")
    assert done["fine_tuned_model"] == f"ft:minilm:default:my-model:{job.id[-8:]}"
    assert done["task"] == "text_classification"
    assert done["trained_tokens"] == 200
    assert done["hyperparameters"] == {"batch_size": 8, "learning_rate_multiplier": 1.0, "n_epochs": 2}
    assert done["report"]["after"] == {"accuracy": 0.9}
    assert done["finished_at"] >= done["created_at"]
    assert tunings.messages(http, job.id) == [
        f"Created fine-tuning job: {job.id}",
        f"Validating training file: {training_file}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
        "Hyperparameters are chosen.",
        "Step 1/2: training loss=1.00",
        "Step 2/2: training loss=0.50",
        f"Checkpoint created at step 2: {done['fine_tuned_model']}:ckpt-step-2",
        "accuracy 0.50 → 0.90",
        f"New fine-tuned model created: {done['fine_tuned_model']}",
        "The job has successfully completed",
    ]


def test_events_come_newest_first_with_metrics_in_them(client: openai.OpenAI, http: httpx2.Client) -> None:
    job = tunings.finished(client, http)
    page = client.fine_tuning.jobs.list_events(job["id"], limit=4)
    assert page.data[0].message == "The job has successfully completed"
    assert page.has_more
    everything = list(client.fine_tuning.jobs.list_events(job["id"], limit=4))
    assert len(everything) == len({event.id for event in everything}) == len(tunings.messages(http, job["id"]))
    metrics = [event for event in everything if event.type == "metrics"]
    assert [event.data["step"] for event in metrics] == [3, 2, 1]  # type: ignore[index]
    assert all(re.fullmatch(r"ftevent-\w{24}", event.id) for event in everything)


def test_checkpoints_are_listed_and_are_models(client: openai.OpenAI, http: httpx2.Client) -> None:
    job = tunings.finished(client, http, training_file=tunings.plan(client, steps=4, checkpoint_every=2))
    checkpoints = client.fine_tuning.jobs.checkpoints.list(job["id"]).data
    assert [checkpoint.step_number for checkpoint in checkpoints] == [4, 2]
    assert checkpoints[1].fine_tuned_model_checkpoint == f"{job['fine_tuned_model']}:ckpt-step-2"
    assert checkpoints[1].metrics.valid_loss == 0.5
    assert checkpoints[1].id.startswith("ftckpt_")
    model = client.models.retrieve(checkpoints[1].fine_tuned_model_checkpoint)
    assert model.id == checkpoints[1].fine_tuned_model_checkpoint
    first = client.fine_tuning.jobs.checkpoints.list(job["id"], limit=1)
    assert first.has_more and [checkpoint.step_number for checkpoint in first.data] == [4]


def test_result_files_begin_with_the_metrics_in_base64(client: openai.OpenAI, http: httpx2.Client) -> None:
    job = tunings.finished(client, http)
    files = [client.files.retrieve(file_id) for file_id in job["result_files"]]
    assert {file.purpose for file in files} == {"fine-tune-results"}
    assert [file.filename for file in files] == ["results.csv", "report.json"]
    content = base64.b64decode(client.files.content(files[0].id).read()).decode()
    assert content.splitlines()[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"


def test_what_is_wrong_with_the_data_ends_the_job_with_the_line(client: openai.OpenAI, http: httpx2.Client) -> None:
    job = client.fine_tuning.jobs.create(model="minilm", training_file=tunings.plan(client, bad_line=3))
    failed = tunings.until(http, job.id, "failed")
    assert failed["error"]["code"] == "invalid_training_file"
    assert failed["error"]["param"] == "training_file"
    assert failed["error"]["message"].startswith("Line 3: there is no label.")
    assert failed["fine_tuned_model"] is None
    assert tunings.messages(http, job.id)[-1].startswith("The job failed: Line 3")


def test_a_training_that_fails_says_why_and_leaves_no_model(client: openai.OpenAI, http: httpx2.Client) -> None:
    job = client.fine_tuning.jobs.create(model="minilm", training_file=tunings.plan(client, fail="The loss exploded."))
    failed = tunings.until(http, job.id, "failed")
    assert failed["error"] == {"code": "diverged", "message": "The loss exploded.", "param": "hyperparameters"}
    assert job.id[-8:] not in str([model.id for model in client.models.list()])


def test_a_child_that_is_killed_is_started_again_and_goes_on(client: openai.OpenAI, http: httpx2.Client) -> None:
    job = tunings.finished(client, http, training_file=tunings.plan(client, steps=4, die_at=3))
    steps = [text for text in tunings.messages(http, job["id"]) if text.startswith("Step")]
    assert [text.split(":")[0] for text in steps] == ["Step 1/4", "Step 2/4", "Step 3/4", "Step 4/4"]


def test_a_running_job_is_cancelled_at_once(client: openai.OpenAI, http: httpx2.Client) -> None:
    job = client.fine_tuning.jobs.create(model="minilm", training_file=tunings.plan(client, steps=2000, pause=0.05))
    tunings.until(http, job.id, "running")
    cancelled = client.fine_tuning.jobs.cancel(job.id)
    assert cancelled.status == "cancelled"
    assert cancelled.finished_at is not None
    assert tunings.messages(http, job.id)[-1] == "The job was cancelled"
    error = refused(lambda: client.fine_tuning.jobs.cancel(job.id), 400, param="fine_tuning_job_id")
    assert "its status is 'cancelled'" in error


def test_a_job_whose_files_are_being_read_can_be_cancelled_and_not_paused(
    client: openai.OpenAI, http: httpx2.Client
) -> None:
    job = client.fine_tuning.jobs.create(model="minilm", training_file=tunings.plan(client, check_pause=2))
    for command in ("pause", "resume"):
        error = http.post(f"/v1/fine_tuning/jobs/{job.id}/{command}").json()["error"]
        assert "its status is 'validating_files'" in error["message"] and error["code"] == "invalid_status"
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    for command in ("pause", "resume", "cancel"):
        assert http.post(f"/v1/fine_tuning/jobs/{job.id}/{command}").status_code == 400


@EACH_STORAGE
def test_a_job_is_paused_and_goes_on_where_it_was(client: openai.OpenAI, http: httpx2.Client) -> None:
    made = client.fine_tuning.jobs.create(model="minilm", training_file=tunings.plan(client, steps=40, pause=0.05))
    tunings.until(http, made.id, "running")
    paused = http.post(f"/v1/fine_tuning/jobs/{made.id}/pause").json()
    assert paused["status"] == "paused"
    assert http.post(f"/v1/fine_tuning/jobs/{made.id}/pause").status_code == 400
    resumed = http.post(f"/v1/fine_tuning/jobs/{made.id}/resume").json()
    assert resumed["status"] == "queued"
    tunings.until(http, made.id, "succeeded")
    told = tunings.messages(http, made.id)
    steps = [text.split(":")[0] for text in told if text.startswith("Step")]
    assert steps == [f"Step {step}/40" for step in range(1, 41)]
    assert told.index("The job was paused") < told.index("The job was resumed")
    assert told.count("Fine-tuning job started") == 1
    assert refused(lambda: client.fine_tuning.jobs.resume(made.id), 400, param="fine_tuning_job_id")


@EACH_STORAGE
def test_jobs_are_listed_newest_first_and_by_metadata(client: openai.OpenAI, clients: Clients, server: Server) -> None:
    mine = clients.sdk(server)
    made = [
        mine.fine_tuning.jobs.create(
            model="minilm", training_file=tunings.plan(mine, bad_line=1), metadata={"batch": "lists", "n": str(n)}
        ).id
        for n in range(3)
    ]
    wanted = {"metadata[batch]": "lists"}
    listed = mine.fine_tuning.jobs.list(limit=2, extra_query=wanted)
    assert [job.id for job in listed.data] == made[:0:-1]
    assert listed.has_more
    after = mine.fine_tuning.jobs.list(after=listed.data[-1].id, extra_query=wanted)
    assert [job.id for job in after.data] == made[:1]
    assert not after.has_more
    refused(lambda: mine.fine_tuning.jobs.list(after="ftjob-none"), 404)
    refused(lambda: mine.fine_tuning.jobs.list_events(made[0], after="ftevent-none"), 404)
    plain = mine.fine_tuning.jobs.create(model="minilm", training_file=tunings.plan(mine, bad_line=1)).id
    none = mine.fine_tuning.jobs.list(extra_query={"metadata": "null"})
    assert plain in [job.id for job in none.data]
    assert not set(made) & {job.id for job in none.data}


BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"model": "gpt-17"}, "model", "can't be fine-tuned or does not exist"),
    ({"model": "../../etc"}, "model", "can't be fine-tuned or does not exist"),
    ({"model": "owner/of-the-hub"}, "model", "can't be fine-tuned or does not exist"),
    ({"tuning": {"workers": {"address": "ray://far:1"}}}, "tuning.workers.address", "Whoever runs the server"),
    ({"training_file": "file-none"}, "training_file", "No such File object: file-none"),
    ({"validation_file": "file-none"}, "validation_file", "No such File object: file-none"),
    ({"suffix": ""}, "suffix", "string too short"),
    ({"suffix": "x" * 65}, "suffix", "string too long"),
    ({"seed": -1}, "seed", "below minimum"),
    ({"method": {"type": "reinforcement"}}, "method.type", "Reinforcement fine-tuning is not done here"),
    ({"method": {"type": "dpo"}, "task": "dialogue", "model": "smollm2"}, "method.type", "does not go with the task"),
    ({"task": "dialogue"}, "model", "writes no texts"),
    ({"task": "text_classification", "model": "smollm2"}, "model", "Tune an encoder"),
    ({"task": "poetry"}, "task", "Supported values are"),
    ({"hyperparameters": {"n_epochs": 51}}, "hyperparameters.n_epochs", "Invalid"),
    ({"tuning": {"hyperparameters": {"learning_rat": 1}}}, "tuning.hyperparameters.learning_rat", "Unknown parameter"),
    ({"integrations": [{"type": "wandb"}]}, "integrations[0].wandb", "Missing required parameter"),
]


@pytest.mark.parametrize(("fields", "param", "text"), BROKEN, ids=lambda value: value if isinstance(value, str) else "")
def test_a_request_that_can_not_be_is_refused_by_its_parameter(
    client: openai.OpenAI, http: httpx2.Client, fields: dict[str, Any], param: str, text: str
) -> None:
    body = {"model": "minilm", "training_file": tunings.plan(client), **fields}
    answer = http.post("/v1/fine_tuning/jobs", json=body)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert text in error["message"]
    assert error["param"].startswith(param)


def test_a_file_must_have_been_uploaded_to_be_learned_from(client: openai.OpenAI) -> None:
    file = tunings.upload(client, {"text": "x", "label": "y"}, purpose="assistants")
    error = refused(
        lambda: client.fine_tuning.jobs.create(model="minilm", training_file=file), 400, param="training_file"
    )
    assert "purpose 'fine-tune'" in error


TASKS = [
    ({"messages": []}, "train.jsonl", "text_classification"),
    ({"tokens": ["a"], "tags": ["O"]}, "train.jsonl", "token_classification"),
    ({"text": "a b", "head": {}, "tail": {}, "label": "x"}, "train.jsonl", "relation_extraction"),
    ({"question": "?", "context": "", "answers": []}, "train.jsonl", "question_answering"),
    ({"intent": "x", "text": "y"}, "train.jsonl", "text_classification"),
    ({}, "train.conll", "token_classification"),
]


@pytest.mark.parametrize(("line", "name", "task"), TASKS, ids=lambda value: value if isinstance(value, str) else "")
def test_the_task_is_seen_from_the_data(client: openai.OpenAI, line: dict[str, Any], name: str, task: str) -> None:
    file = tunings.upload(client, {**line, "bad_line": 1}, name=name)
    job = client.fine_tuning.jobs.create(model="minilm", training_file=file)
    assert job.to_dict()["task"] == task


def test_data_that_does_not_say_its_task_needs_one(client: openai.OpenAI) -> None:
    file = tunings.upload(client, {"source": "a", "target": "b", "bad_line": 1})
    error = refused(lambda: client.fine_tuning.jobs.create(model="smollm2", training_file=file), 400, param="task")
    assert "translation" in error
    job = client.fine_tuning.jobs.create(model="smollm2", training_file=file, extra_body={"task": "translation"})
    assert job.to_dict()["task"] == "translation"


def test_chats_teach_a_language_model_to_talk_and_pairs_to_prefer(client: openai.OpenAI) -> None:
    chats = tunings.upload(client, {"messages": [], "bad_line": 1})
    job = client.fine_tuning.jobs.create(
        model="smollm2", training_file=chats, hyperparameters={"n_epochs": 3}, integrations=[WANDB]
    )
    assert job.to_dict()["task"] == "dialogue"
    assert job.hyperparameters.n_epochs == 3
    events = client.fine_tuning.jobs.list_events(job.id).data
    assert any(event.level == "warn" and "wandb" in event.message for event in events)
    method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}}
    pairs = client.fine_tuning.jobs.create(model="smollm2", training_file=chats, method=method)  # type: ignore[arg-type]
    assert pairs.to_dict()["task"] == "preference"
    assert pairs.method is not None and pairs.method.dpo is not None and pairs.method.dpo.hyperparameters is not None
    assert pairs.method.dpo.hyperparameters.beta == 0.2


WANDB: Any = {"type": "wandb", "wandb": {"project": "p", "tags": ["a"]}}


def test_what_is_not_done_here_is_refused_clearly(client: openai.OpenAI, http: httpx2.Client) -> None:
    for path in ("alpha/graders/run", "alpha/graders/validate", "checkpoints/ft:a:b::c/permissions"):
        answer = http.post(f"/v1/fine_tuning/{path}", json={})
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "unsupported_operation"


def test_another_project_sees_neither_job_nor_model(start_server: StartServer, clients: Clients) -> None:
    server = start_server(fresh=True, tuning_command=tunings.command())
    ours = clients.sdk(server, key=server.new_key("ours"))
    theirs = clients.sdk(server, key=server.new_key("theirs"))
    http = clients.http(server, headers={"Authorization": f"Bearer {ours.api_key}"})
    job = tunings.finished(ours, http)
    assert job["fine_tuned_model"].startswith("ft:minilm:ours::")
    assert job["fine_tuned_model"] in [model.id for model in ours.models.list()]
    assert not [model for model in theirs.models.list() if model.id.startswith("ft:")]
    assert not theirs.fine_tuning.jobs.list().data
    for ask in (
        lambda: theirs.fine_tuning.jobs.retrieve(job["id"]),
        lambda: theirs.fine_tuning.jobs.cancel(job["id"]),
        lambda: theirs.fine_tuning.jobs.list_events(job["id"]),
        lambda: theirs.models.retrieve(job["fine_tuned_model"]),
        lambda: theirs.models.delete(job["fine_tuned_model"]),
    ):
        refused(ask, 404)
