"""Models that were tuned: listed, asked, called by aliases, rolled back, exported, imported, deleted."""

import asyncio
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.harness import tunings
from tests.harness.clients import Clients
from tests.harness.farm import STORAGES, Storage
from tests.harness.later import later
from tests.harness.server import Server
from tests.harness.tunings import refused
from zhuli.testing.upstream import FaultyUpstream, Received, Reply, answer

with later:
    from tests.harness import tiny_gguf
    from zhuli.testing import tiny_models

StartServer = Callable[..., Server]

HELLO: Any = [{"role": "user", "content": "hello"}]
SAMPLES = Path(__file__).parents[2] / "samples" / "tuning"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with bases: an encoder, and a language model beside its GGUF file."""
    folder = tmp_path_factory.mktemp("tiny")
    tiny_models.tiny_encoder(folder / "encoder", words=["good", "bad", "film"])
    tiny_models.tiny_language_model(folder / "talker")
    tiny_gguf.write(folder / "talker", folder / "talker.gguf")
    return folder


@pytest.fixture
def storage() -> Storage:
    return "sqlite"


@pytest.fixture
def bases(tiny: Path) -> dict[str, dict[str, str]]:
    talker = {"path": str(tiny / "talker"), "gguf": str(tiny / "talker.gguf")}
    return {"tiny": {"path": str(tiny / "encoder")}, "talker": talker}


@pytest.fixture
def server(start_server: StartServer, bases: dict[str, dict[str, str]]) -> Server:
    return start_server(name="tuned", tuning_command=tunings.command(), tuning_slots=4, tuned_engines=1, bases=bases)


@pytest.fixture
def talker(client: openai.OpenAI, http: httpx2.Client, tiny: Path) -> str:
    """A tuned chat model of the test's own."""
    return talker_of(client, http, tiny)


def talker_of(client: openai.OpenAI, http: httpx2.Client, tiny: Path) -> str:
    file = tunings.plan(client, files={"model.gguf": str(tiny / "talker.gguf")})
    job = tunings.finished(client, http, model="talker", training_file=file, task="dialogue")
    return str(job["fine_tuned_model"])


def test_a_tuned_model_is_listed_with_what_it_is(client: openai.OpenAI, http: httpx2.Client) -> None:
    job = tunings.finished(client, http, model="tiny")
    name = job["fine_tuned_model"]
    assert name in [model.id for model in client.models.list()]
    model = client.models.retrieve(name)
    assert (model.object, model.owned_by) == ("model", "proj_default")
    assert model.to_dict() == model.to_dict() | {"base": "tiny", "task": "text_classification", "job": job["id"]}


def test_a_tuned_chat_model_talks_in_chats_and_in_runs(client: openai.OpenAI, talker: str) -> None:
    chat = client.chat.completions.create(model=talker, messages=HELLO, max_tokens=4, temperature=0)
    assert chat.model == talker
    assert chat.choices[0].message.content
    assistant = client.beta.assistants.create(model=talker)
    run = client.beta.threads.create_and_run_poll(
        assistant_id=assistant.id, thread={"messages": HELLO}, max_completion_tokens=256
    )
    assert run.status in ("completed", "incomplete"), run.last_error
    assert run.model == talker


def test_more_tuned_models_answer_than_engines_are_kept(
    client: openai.OpenAI, http: httpx2.Client, tiny: Path, talker: str
) -> None:
    other = talker_of(client, http, tiny)
    for name in (talker, other, talker):
        chat = client.chat.completions.create(model=name, messages=HELLO, max_tokens=2, temperature=0)
        assert chat.usage is not None and chat.usage.completion_tokens > 0


def test_a_classifier_is_asked_by_predictions_and_not_by_chats(client: openai.OpenAI, http: httpx2.Client) -> None:
    name = tunings.finished(client, http, model="tiny")["fine_tuned_model"]
    told = refused(lambda: client.chat.completions.create(model=name, messages=HELLO), 400, param="model")
    assert "POST /v1/predictions" in told
    told = refused(lambda: client.beta.assistants.create(model=name), 400, param="model")
    assert "text_classification" in told


@pytest.mark.parametrize("storage", STORAGES)
def test_an_alias_is_moved_and_rolled_back(client: openai.OpenAI, http: httpx2.Client, tiny: Path, talker: str) -> None:
    other = talker_of(client, http, tiny)
    made = http.put("/v1/model_aliases/support", json={"model": talker}).json()
    assert (made["id"], made["object"], made["model"]) == ("support", "model_alias", talker)
    assert client.chat.completions.create(model="support", messages=HELLO, max_tokens=2).model == "support"
    moved = http.put("/v1/model_aliases/support", json={"model": other}).json()
    assert [move["model"] for move in moved["moves"]] == [other, talker]
    assert client.models.retrieve("support").to_dict()["leads_to"] == other
    back = http.post("/v1/model_aliases/support/rollback").json()
    assert back["model"] == talker
    assert [(move["model"], move["back"]) for move in back["moves"]] == [
        (talker, True),
        (other, False),
        (talker, False),
    ]
    told = refused(lambda: client.post("/model_aliases/support/rollback", cast_to=object), 400, param="alias")
    assert "led to no model before" in told
    assert [alias["id"] for alias in http.get("/v1/model_aliases").json()["data"]] == ["support"]
    assert http.get("/v1/model_aliases/support").json() == back
    told = refused(lambda: client.models.delete(talker), 400, param="model")
    assert "The alias 'support' leads to" in told
    assert http.delete("/v1/model_aliases/support").json()["deleted"]
    assert http.get("/v1/model_aliases/support").status_code == 404
    refused(lambda: client.chat.completions.create(model="support", messages=HELLO), 404, param="model")


def test_rolling_back_again_leads_further_back_until_the_alias_is_moved_anew(
    client: openai.OpenAI, http: httpx2.Client
) -> None:
    job = tunings.finished(client, http, model="tiny", training_file=tunings.plan(client, checkpoint_every=1))
    last = job["fine_tuned_model"]
    first, gone, third = (f"{last}:ckpt-step-{step}" for step in (1, 2, 3))
    for model in (first, gone, third, last):
        assert http.put("/v1/model_aliases/back", json={"model": model}).status_code == 200
    assert client.models.delete(gone).deleted
    assert [http.post("/v1/model_aliases/back/rollback").json()["model"] for _ in range(2)] == [third, first]
    http.put("/v1/model_aliases/back", json={"model": last})
    assert http.post("/v1/model_aliases/back/rollback").json()["model"] == first
    assert http.post("/v1/model_aliases/back/rollback").status_code == 400
    assert http.delete("/v1/model_aliases/back").status_code == 200


async def test_a_model_whose_base_another_server_runs_answers_there_as_an_adapter(
    start_server: StartServer, clients: Clients, tiny: Path
) -> None:
    def upstream_says(request: Received) -> Reply:
        loading = request.path.endswith("/load_lora_adapter")
        return Reply([b"Success"], headers={"Content-Type": "text/plain"}) if loading else answer("From afar.")

    async with FaultyUpstream(upstream_says) as upstream:
        far = {"far": {"backend": "openai_compatible", "base_url": upstream.base_url, "model": "base"}}
        talker = {"talker": {"path": str(tiny / "talker"), "served_by": "far"}}
        server = await asyncio.to_thread(
            start_server, fresh=True, tuning_command=tunings.command(), models=far, bases=talker
        )
        client, http = clients.sdk(server), clients.http(server)
        file = await asyncio.to_thread(tunings.plan, client, files={"adapter_config.json": ""})
        fields = {"model": "talker", "training_file": file, "task": "dialogue"}
        job = await asyncio.to_thread(tunings.finished, client, http, **fields)
        ask: Any = client.chat.completions.create
        chat = await asyncio.to_thread(ask, model=job["fine_tuned_model"], messages=HELLO)
        assert chat.choices[0].message.content == "From afar."
        knobs = {"hyperparameters": {"trainable": "all"}}
        refusal = await asyncio.to_thread(http.post, "/v1/fine_tuning/jobs", json={**fields, "tuning": knobs})
        assert refusal.json()["error"]["param"] == "tuning.hyperparameters.trainable"
    loaded, asked = upstream.requests
    folder = server.folder / "tuning" / job["id"] / "model"
    assert loaded.body == {"lora_name": job["fine_tuned_model"], "lora_path": str(folder.resolve())}
    assert asked.body["model"] == job["fine_tuned_model"]
    assert json.loads((folder.parent / "spec.json").read_text())["hyperparameters"]["lora"]["merge"] is False


@pytest.mark.parametrize("storage", ["postgres"])
def test_another_server_on_the_database_answers_as_well_or_says_that_it_lacks_the_files(
    start_server: StartServer, clients: Clients, tiny: Path, bases: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    first = start_server(name="tuned", tuning_command=tunings.command(), tuning_slots=4, tuned_engines=1, bases=bases)
    client, http = clients.sdk(first), clients.http(first)
    talker = talker_of(client, http, tiny)
    classifier = tunings.finished(client, http, model="tiny")["fine_tuned_model"]
    second = Server(tmp_path / "second", database_url=first.database_url, bases=bases, settings={"tuning_slots": 0})
    try:
        second.start()
        there, there_http = clients.sdk(second), clients.http(second)
        assert {talker, classifier} <= {model.id for model in there.models.list()}
        told = refused(lambda: there.chat.completions.create(model=talker, messages=HELLO), 502)
        assert "share data_dir" in told and str(tmp_path) not in told
        asked = there_http.post("/v1/predictions", json={"model": classifier, "input": "good"})
        assert asked.status_code == 404 and "share data_dir" in asked.json()["error"]["message"]
        (second.folder / "tuning").symlink_to(first.folder / "tuning")
        chat = there.chat.completions.create(model=talker, messages=HELLO, max_tokens=2, temperature=0)
        assert chat.usage is not None and chat.usage.completion_tokens > 0
        client.models.delete(talker)
        refused(lambda: there.models.retrieve(talker), 404, param="model")
    finally:
        second.stop()


def test_an_alias_goes_before_one_of_the_models_file(client: openai.OpenAI, http: httpx2.Client, talker: str) -> None:
    assert http.put("/v1/model_aliases/gpt-4o-mini", json={"model": talker}).status_code == 200
    job = client.fine_tuning.jobs.create(
        model="gpt-4o-mini", training_file=tunings.plan(client, bad_line=1), extra_body={"task": "dialogue"}
    )
    assert job.model == talker
    tunings.until(http, job.id, "failed")
    assert http.delete("/v1/model_aliases/gpt-4o-mini").status_code == 200
    assert client.chat.completions.create(model="gpt-4o-mini", messages=HELLO).choices[0].message.content


@pytest.mark.parametrize(
    ("alias", "model"), [("script", "script"), ("ft:mine", "script"), ("good", "gpt-4o"), ("good", "nothing")]
)
def test_an_alias_leads_from_a_free_name_to_a_model(http: httpx2.Client, alias: str, model: str) -> None:
    answer = http.put(f"/v1/model_aliases/{alias}", json={"model": model})
    assert answer.status_code == 400
    assert http.get(f"/v1/model_aliases/{alias}").status_code == 404
    assert http.post(f"/v1/model_aliases/{alias}/rollback").status_code == 404


@pytest.mark.parametrize("storage", STORAGES)
def test_a_deleted_model_is_gone_with_its_files(
    client: openai.OpenAI, http: httpx2.Client, server: Server, talker: str
) -> None:
    client.chat.completions.create(model=talker, messages=HELLO, max_tokens=2)
    deleted = client.models.delete(talker)
    assert (deleted.id, deleted.object, deleted.deleted) == (talker, "model", True)
    refused(lambda: client.models.retrieve(talker), 404, param="model")
    refused(lambda: client.chat.completions.create(model=talker, messages=HELLO), 404, param="model")
    refused(lambda: client.models.delete(talker), 404, param="model")
    checkpoint = f"{talker}:ckpt-step-3"
    assert client.models.retrieve(checkpoint).id == checkpoint
    folder = server.folder / "tuning" / f"ftjob-{talker[-8:]}"
    client.models.delete(checkpoint)
    tunings.eventually(lambda: not list(server.folder.glob(f"tuning/ftjob-*{talker[-8:]}")))
    assert not folder.exists()


def test_only_what_was_tuned_can_be_deleted(client: openai.OpenAI) -> None:
    assert "was not tuned" in refused(lambda: client.models.delete("script"), 400, param="model")
    refused(lambda: client.models.delete("nothing"), 404, param="model")


def test_a_model_that_is_being_tuned_can_not_be_deleted(
    client: openai.OpenAI, http: httpx2.Client, talker: str
) -> None:
    file = tunings.plan(client, steps=1000, pause=0.05)
    job = client.fine_tuning.jobs.create(model=talker, training_file=file)
    assert job.to_dict()["task"] == "dialogue"
    assert job.id in refused(lambda: client.models.delete(talker), 400, param="model")
    client.fine_tuning.jobs.cancel(job.id)
    assert client.models.delete(talker).deleted


def test_a_model_that_an_adapter_stands_on_can_not_be_deleted_before_it(
    client: openai.OpenAI, http: httpx2.Client
) -> None:
    base = tunings.finished(client, http, model="tiny")["fine_tuned_model"]
    knobs = {"hyperparameters": {"trainable": "lora", "lora": {"merge": False}}}
    adapter = tunings.finished(client, http, model=base, tuning=knobs)["fine_tuned_model"]
    assert f"'{adapter}' is an adapter on" in refused(lambda: client.models.delete(base), 400, param="model")
    assert client.models.delete(adapter).deleted
    assert client.models.delete(base).deleted


def test_a_model_is_exported_as_an_archive_or_a_file(client: openai.OpenAI, http: httpx2.Client, talker: str) -> None:
    archive = http.get(f"/v1/models/{talker}/export").content
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        names = [name.partition("/")[2] for name in files.getnames()]
        whole = {name.partition("/")[2]: files.extractfile(name) for name in files.getnames()}
    assert sorted(names) == ["config.json", "model.gguf", "task.json"]
    assert whole["config.json"] is not None
    gguf = http.get(f"/v1/models/{talker}/export", params={"format": "gguf"})
    assert gguf.content[:4] == b"GGUF"
    assert gguf.headers["content-disposition"].endswith('.gguf"')
    refusal = http.get(f"/v1/models/{talker}/export", params={"format": "safetensors"})
    assert refusal.status_code == 400
    assert "It has: folder, gguf." in refusal.json()["error"]["message"]


def test_a_real_encoder_is_tuned_and_predicts(
    start_server: StartServer, clients: Clients, bases: dict[str, dict[str, str]]
) -> None:
    server = start_server(name="trains", bases=bases)
    client, http = clients.sdk(server), clients.http(server)
    content = (SAMPLES / "text_classification_en.csv").read_bytes()
    file = client.files.create(file=("train.csv", content), purpose="fine-tune")
    knobs = {"trainable": "all", "max_steps": 4, "batch_size": 4}
    made = http.post(
        "/v1/fine_tuning/jobs",
        json={"model": "tiny", "training_file": file.id, "seed": 1, "tuning": {"hyperparameters": knobs}},
    ).json()
    job = tunings.until(http, made["id"], "succeeded")
    assert job["report"]["metric"]
    assert job["report"]["data"]["counts"]
    assert job["hyperparameters"]["batch_size"] == 4
    files = [client.files.content(file_id).read() for file_id in job["result_files"]]
    events = http.get(f"/v1/fine_tuning/jobs/{job['id']}/events", params={"limit": 100}).content
    assert all(files) and len(files) >= 4
    assert not any(str(server.folder).encode() in told for told in (*files, events, json.dumps(job).encode()))
    told = tunings.messages(http, job["id"])
    assert told[-1] == "The job has successfully completed"
    assert any(text.startswith("Step 4/4") for text in told)
    answer = http.post("/v1/predictions", json={"model": job["fine_tuned_model"], "input": "good film"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"][0]["output"]


def test_a_real_language_model_is_tuned_and_talks(
    start_server: StartServer, clients: Clients, bases: dict[str, dict[str, str]]
) -> None:
    server = start_server(name="trains", bases=bases)
    client, http = clients.sdk(server), clients.http(server)
    content = (SAMPLES / "dialogue_en.jsonl").read_bytes()
    file = client.files.create(file=("train.jsonl", content), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="talker",
        training_file=file.id,
        suffix="talks",
        extra_body={"tuning": {"hyperparameters": {"max_steps": 2, "batch_size": 2, "max_length": 64}}},
    )
    done = tunings.until(http, job.id, "succeeded")
    name = done["fine_tuned_model"]
    assert name.startswith("ft:talker:default:talks:")
    assert done["trained_tokens"] > 0
    chat = client.chat.completions.create(model=name, messages=HELLO, max_tokens=4, temperature=0)
    assert chat.usage is not None and chat.usage.completion_tokens > 0
