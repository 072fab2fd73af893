"""File batches: counts that are exact at once, cancelling, and the helpers of the SDK."""

from typing import Any

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.knowledge import counted, settled, upload
from tests.harness.refusals import assert_refused, refused


@pytest.fixture
def idle(clients: Clients, start_server: StartServer) -> openai.OpenAI:
    """A client of a server that ingests nothing: every file stays in progress."""
    return clients.sdk(start_server(worker_slots=0))


def test_a_batch_counts_its_files_from_the_first_response_on(idle: openai.OpenAI) -> None:
    files = upload(idle, "one", "two", "three")
    store = idle.vector_stores.create()
    batch = idle.vector_stores.file_batches.create(store.id, file_ids=files)
    assert batch.id.startswith("vsfb_")
    assert (batch.object, batch.vector_store_id) == ("vector_store.files_batch", store.id)
    assert (batch.status, counted(batch)) == ("in_progress", (3, 0, 0, 0, 3))
    assert idle.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store.id) == batch


def test_create_and_poll_waits_for_every_file(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    batch = client.vector_stores.file_batches.create_and_poll(store.id, file_ids=upload(client, "one", "two", ""))
    assert (batch.status, counted(batch)) == ("completed", (0, 2, 1, 0, 3))


def test_upload_and_poll_uploads_at_once(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    batch = client.vector_stores.file_batches.upload_and_poll(
        store.id,
        files=[(f"{n}.txt", f"Text number {n}.".encode()) for n in range(12)],
        file_ids=upload(client, "Uploaded before."),
    )
    assert (batch.status, counted(batch)) == ("completed", (0, 13, 0, 0, 13))
    assert counted(client.vector_stores.retrieve(store.id)) == (0, 13, 0, 0, 13)


async def test_the_async_helpers_work_too(aclient: openai.AsyncOpenAI) -> None:
    store = await aclient.vector_stores.create()
    batch = await aclient.vector_stores.file_batches.upload_and_poll(
        store.id, files=[(f"{n}.txt", f"Text number {n}.".encode()) for n in range(4)]
    )
    assert counted(batch) == (0, 4, 0, 0, 4)


def test_a_batch_has_failed_when_each_of_its_files_has(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    batch = client.vector_stores.file_batches.create_and_poll(store.id, file_ids=upload(client, "", ""))
    assert (batch.status, counted(batch)) == ("failed", (0, 0, 2, 0, 2))


def test_ids_share_the_settings_of_the_batch(idle: openai.OpenAI) -> None:
    store = idle.vector_stores.create()
    chunking: Any = {"type": "static", "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 10}}
    batch = idle.vector_stores.file_batches.create(
        store.id, file_ids=upload(idle, "one", "two"), attributes={"from": "batch"}, chunking_strategy=chunking
    )
    files = idle.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id).data
    assert len(files) == 2
    for file in files:
        assert (file.attributes, file.to_dict()["chunking_strategy"]) == ({"from": "batch"}, chunking)


def test_files_have_settings_of_their_own(idle: openai.OpenAI) -> None:
    store = idle.vector_stores.create()
    one, two = upload(idle, "one", "two")
    batch = idle.vector_stores.file_batches.create(
        store.id, files=[{"file_id": one, "attributes": {"n": 1}}, {"file_id": two}], attributes={"ignored": True}
    )
    listed = idle.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id, order="asc").data
    assert [(file.id, file.attributes) for file in listed] == [(one, {"n": 1}), (two, {})]


def test_only_files_of_the_batch_are_listed(client: openai.OpenAI) -> None:
    store = client.vector_stores.create(file_ids=upload(client, "before"))
    files = upload(client, "one", "", "three")
    batch = client.vector_stores.file_batches.create_and_poll(store.id, file_ids=files)
    listing = client.vector_stores.file_batches.list_files

    def listed(**query: Any) -> list[str]:
        return [file.id for file in listing(batch.id, vector_store_id=store.id, **query)]

    assert listed(order="asc", limit=2) == files
    assert listed(filter="failed") == [files[1]]
    assert listed(order="asc", after=files[0]) == files[1:]


def test_a_batch_either_has_ids_or_files(idle: openai.OpenAI, clients: Clients, start_server: StartServer) -> None:
    http = clients.http(start_server(worker_slots=0))
    path = f"/v1/vector_stores/{idle.vector_stores.create().id}/file_batches"
    both = {"file_ids": ["file-a"], "files": [{"file_id": "file-a"}]}
    text = "Invalid 'files': give either file_ids or files, not both."
    assert_refused(http.post(path, json=both), 400, text, param="files", code="invalid_value")
    text = "Missing required parameter: 'file_ids' (or 'files', if each has its own attributes)."
    assert_refused(http.post(path, json={}), 400, text, param="file_ids", code="missing_required_parameter")


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"file_ids": []}, "file_ids", "empty_array"),
        ({"file_ids": ["file-a"] * 2001}, "file_ids", "array_above_max_length"),
        ({"files": [{"file_id": "file-a"}] * 2001}, "files", "array_above_max_length"),
        ({"files": [{}]}, "files[0].file_id", "missing_required_parameter"),
        ({"files": [{"file_id": "file-a", "name": "x"}]}, "files[0].name", "unknown_parameter"),
    ],
)
def test_what_does_not_fit_is_refused(http: httpx2.Client, body: dict[str, Any], param: str, code: str) -> None:
    store = http.post("/v1/vector_stores", json={}).json()["id"]
    assert_refused(http.post(f"/v1/vector_stores/{store}/file_batches", json=body), 400, param=param, code=code)


def test_an_unknown_file_makes_no_batch(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    with refused(404, "No such File object: file-none", param="id"):
        client.vector_stores.file_batches.create(store.id, file_ids=[*upload(client, "text"), "file-none"])
    assert client.vector_stores.retrieve(store.id).file_counts.total == 0


def test_an_unknown_batch_is_named(client: openai.OpenAI) -> None:
    store, other = client.vector_stores.create(), client.vector_stores.create()
    batch = client.vector_stores.file_batches.create(other.id, file_ids=upload(client, "text"))
    for id_ in ("vsfb_none", batch.id):
        with refused(404, f"No vector store file batch found with id '{id_}'."):
            client.vector_stores.file_batches.retrieve(id_, vector_store_id=store.id)


def test_cancelling_stops_what_is_not_done(idle: openai.OpenAI) -> None:
    store = idle.vector_stores.create(file_ids=upload(idle, "of another one"))
    batch = idle.vector_stores.file_batches.create(store.id, file_ids=upload(idle, "one", "two"))
    cancelled = idle.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id)
    assert (cancelled.status, counted(cancelled)) == ("cancelled", (0, 0, 0, 2, 2))
    assert counted(idle.vector_stores.retrieve(store.id)) == (1, 0, 0, 2, 3)
    files = idle.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id, filter="cancelled").data
    assert [file.status for file in files] == ["cancelled", "cancelled"]
    again = idle.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id)
    assert again == cancelled


def test_a_batch_that_is_done_stays_so(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    batch = client.vector_stores.file_batches.create_and_poll(store.id, file_ids=upload(client, "one"))
    assert client.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id).status == "completed"


def test_a_cancelled_file_can_be_attached_again(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    files = upload(client, *(f"Text {n}. " * 2000 for n in range(20)))
    batch = client.vector_stores.file_batches.create(store.id, file_ids=files)
    cancelled = client.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id)
    assert cancelled.file_counts.in_progress == 0
    assert cancelled.file_counts.cancelled > 0
    again = client.vector_stores.file_batches.create_and_poll(store.id, file_ids=files)
    assert (again.status, counted(again)) == ("completed", (0, 20, 0, 0, 20))
    assert counted(settled(client, store.id)) == (0, 20, 0, 0, 20)


def test_a_file_that_is_there_already_joins_the_batch(client: openai.OpenAI) -> None:
    files = upload(client, "one", "two")
    store = client.vector_stores.create(file_ids=files)
    settled(client, store.id)
    batch = client.vector_stores.file_batches.create(store.id, file_ids=files, attributes={"new": True})
    assert (batch.status, counted(batch)) == ("completed", (0, 2, 0, 0, 2))
    assert {str(file.attributes) for file in client.vector_stores.files.list(store.id)} == {"{'new': True}"}


def test_two_thousand_files_are_a_batch(idle: openai.OpenAI, clients: Clients, start_server: StartServer) -> None:
    [file] = upload(idle, "text")
    store = idle.vector_stores.create()
    batch = idle.vector_stores.file_batches.create(store.id, files=[{"file_id": file}] * 2000)
    assert counted(batch) == (1, 0, 0, 0, 1)
