"""Files of vector stores: attached, listed, given attributes, read back, taken out."""

from typing import Any

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.knowledge import counted, settled, upload
from tests.harness.refusals import assert_refused, refused

TEXT = "Herons fish at dawn.\n\nThey stand very still."
AUTO = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}


@pytest.fixture
def idle(clients: Clients, start_server: StartServer) -> openai.OpenAI:
    """A client of a server that ingests nothing: every file stays in progress."""
    return clients.sdk(start_server(worker_slots=0))


def static(most: int, overlap: int) -> Any:
    return {"type": "static", "static": {"max_chunk_size_tokens": most, "chunk_overlap_tokens": overlap}}


def test_an_attached_file_is_in_progress_and_then_completed(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    [file] = upload(client, TEXT)
    attached = client.vector_stores.files.create(store.id, file_id=file)
    assert (attached.id, attached.object, attached.vector_store_id) == (file, "vector_store.file", store.id)
    done = client.vector_stores.files.poll(file, vector_store_id=store.id)
    assert (done.status, done.last_error) == ("completed", None)
    assert done.usage_bytes >= len(TEXT)
    assert done.to_dict()["chunking_strategy"] == AUTO
    assert (done.attributes, done.created_at) == ({}, attached.created_at)


def test_create_and_poll_waits(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    [file] = upload(client, TEXT)
    done = client.vector_stores.files.create_and_poll(
        file, vector_store_id=store.id, attributes={"kind": "bird", "legs": 2, "weight": 1.5, "flies": True}
    )
    assert done.status == "completed"
    assert done.to_dict()["attributes"] == {"kind": "bird", "legs": 2, "weight": 1.5, "flies": True}


def test_upload_and_poll_does_it_all(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    done = client.vector_stores.files.upload_and_poll(
        vector_store_id=store.id, file=("birds.md", TEXT.encode()), chunking_strategy=static(100, 50)
    )
    assert done.status == "completed"
    assert done.to_dict()["chunking_strategy"] == static(100, 50)
    assert client.files.retrieve(done.id).filename == "birds.md"


def test_upload_attaches(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    attached = client.vector_stores.files.upload(vector_store_id=store.id, file=("a.txt", TEXT.encode()))
    assert attached.vector_store_id == store.id


async def test_the_async_helpers_work_too(aclient: openai.AsyncOpenAI) -> None:
    store = await aclient.vector_stores.create()
    done = await aclient.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=("a.txt", TEXT.encode()))
    assert done.status == "completed"


def test_a_file_that_cannot_be_read_fails_and_says_why(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    failed = client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=("a.png", b"\x89PNG\r\n\x1a\n0"))
    assert failed.status == "failed"
    assert failed.last_error is not None
    assert failed.last_error.code in ("unsupported_file", "invalid_file")
    assert failed.last_error.message
    shown = client.vector_stores.retrieve(store.id)
    assert (counted(shown), shown.status) == ((0, 0, 1, 0, 1), "completed")


def test_the_first_answers_tell_pollers_to_come_back_soon(clients: Clients, start_server: StartServer) -> None:
    server = start_server(worker_slots=0)
    client, http = clients.sdk(server), clients.http(server)
    store = client.vector_stores.create(file_ids=upload(client, TEXT))
    [file] = client.vector_stores.files.list(store.id).data
    for path in (store.id, f"{store.id}/files/{file.id}"):
        waits = int(http.get(f"/v1/vector_stores/{path}").headers["openai-poll-after-ms"])
        assert 20 <= waits <= 250


def test_the_content_is_the_text_that_was_read(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    text = "\n\n".join(f"Paragraph {n} is about the number {n} and nothing else." for n in range(100))
    done = client.vector_stores.files.upload_and_poll(
        vector_store_id=store.id, file=("a.txt", text.encode()), chunking_strategy=static(100, 50)
    )
    pieces = client.vector_stores.files.content(done.id, vector_store_id=store.id).data
    assert len(pieces) > 5
    assert {piece.type for piece in pieces} == {"text"}
    assert "".join("".join(piece.text or "" for piece in pieces).split()) == "".join(text.split())


def test_the_content_of_a_file_in_progress_is_refused(idle: openai.OpenAI) -> None:
    [file] = upload(idle, TEXT)
    store = idle.vector_stores.create(file_ids=[file])
    text = f"The content of file '{file}' can only be read when its status is 'completed'; it is 'in_progress'."
    with refused(400, text, param="file_id"):
        idle.vector_stores.files.content(file, vector_store_id=store.id)


def test_files_are_listed_by_status_and_paged_by_file_ids(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    good = upload(client, "one", "two", "three")
    for file in good:
        client.vector_stores.files.create_and_poll(file, vector_store_id=store.id)
    bad = client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=("a.txt", b"")).id
    listing = client.vector_stores.files
    assert [file.id for file in listing.list(store.id)] == [bad, *reversed(good)]
    assert [file.id for file in listing.list(store.id, order="asc", limit=2)] == [*good, bad]
    assert [file.id for file in listing.list(store.id, filter="completed", order="asc")] == good
    assert [file.id for file in listing.list(store.id, filter="failed").data] == [bad]
    assert listing.list(store.id, filter="cancelled").data == []
    assert [file.id for file in listing.list(store.id, after=good[1], order="asc", filter="failed").data] == [bad]
    assert [file.id for file in listing.list(store.id, before=good[1], order="asc").data] == [good[0]]
    with refused(404, f"No file found with id 'file-x' in vector store '{store.id}'.", param="file_id"):
        listing.list(store.id, after="file-x")
    with refused(400, param="filter", code="invalid_value"):
        listing.list(store.id, filter="done")  # type: ignore[arg-type]


def test_attributes_are_overwritten_as_a_whole(client: openai.OpenAI) -> None:
    [file] = upload(client, TEXT)
    store = client.vector_stores.create()
    client.vector_stores.files.create_and_poll(file, vector_store_id=store.id, attributes={"a": 1, "b": "2"})
    modified = client.vector_stores.files.update(file, vector_store_id=store.id, attributes={"b": False})
    assert (modified.attributes, modified.status) == ({"b": False}, "completed")
    assert client.vector_stores.files.retrieve(file, vector_store_id=store.id) == modified
    cleared = client.vector_stores.files.update(file, vector_store_id=store.id, attributes=None)
    assert cleared.attributes == {}


@pytest.mark.parametrize(
    ("attributes", "param", "code"),
    [
        ({f"k{n}": n for n in range(17)}, "attributes", "object_above_max_properties"),
        ({"k" * 65: 1}, f"attributes.{'k' * 65}", "string_above_max_length"),
        ({"k": "v" * 513}, "attributes.k", "string_above_max_length"),
        ({"k": ["list"]}, "attributes.k", "invalid_type"),
        ({"k": None}, "attributes.k", "invalid_type"),
        ("text", "attributes", "invalid_type"),
    ],
)
def test_attributes_have_limits(
    client: openai.OpenAI, http: httpx2.Client, attributes: Any, param: str, code: str
) -> None:
    store = client.vector_stores.create()
    body = {"file_id": "file-x", "attributes": attributes}
    assert_refused(http.post(f"/v1/vector_stores/{store.id}/files", json=body), 400, param=param, code=code)


def test_attributes_at_their_limits_pass(client: openai.OpenAI) -> None:
    [file] = upload(client, TEXT)
    store = client.vector_stores.create()
    attributes: dict[str, str | float | bool] = {"k" * 64: "v" * 512, **{f"k{n}": n for n in range(15)}}
    attached = client.vector_stores.files.create(store.id, file_id=file, attributes=attributes)
    assert attached.to_dict()["attributes"] == attributes


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_attributes_are_finite(client: openai.OpenAI, http: httpx2.Client, number: str) -> None:
    store = client.vector_stores.create()
    body = f'{{"file_id": "file-x", "attributes": {{"k": {number}}}}}'
    response = http.post(f"/v1/vector_stores/{store.id}/files", content=body)
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("chunking", "param"),
    [
        (static(99, 0), "chunking_strategy.static.max_chunk_size_tokens"),
        (static(4097, 0), "chunking_strategy.static.max_chunk_size_tokens"),
        (static(800, -1), "chunking_strategy.static.chunk_overlap_tokens"),
        (static(800, 401), "chunking_strategy.static.chunk_overlap_tokens"),
        ({"type": "other"}, "chunking_strategy.type"),
        ({"type": "static"}, "chunking_strategy.static"),
    ],
)
def test_chunks_have_limits(client: openai.OpenAI, chunking: Any, param: str) -> None:
    store = client.vector_stores.create()
    with pytest.raises(openai.BadRequestError) as caught:
        client.vector_stores.files.create(store.id, file_id=upload(client, TEXT)[0], chunking_strategy=chunking)
    assert caught.value.param == param


@pytest.mark.parametrize("chunking", [static(100, 50), static(4096, 2048), static(101, 50), static(100, 0)])
def test_chunks_at_their_limits_pass(client: openai.OpenAI, chunking: Any) -> None:
    store = client.vector_stores.create()
    attached = client.vector_stores.files.create(store.id, file_id=upload(client, TEXT)[0], chunking_strategy=chunking)
    assert attached.to_dict()["chunking_strategy"] == chunking


class TestAttachingAgain:
    def test_changes_nothing_when_nothing_else_is_asked(self, client: openai.OpenAI) -> None:
        [file] = upload(client, TEXT)
        store = client.vector_stores.create()
        first = client.vector_stores.files.create_and_poll(file, vector_store_id=store.id, attributes={"a": 1})
        assert client.vector_stores.files.create(store.id, file_id=file) == first
        assert counted(client.vector_stores.retrieve(store.id)) == (0, 1, 0, 0, 1)

    def test_replaces_the_attributes(self, client: openai.OpenAI) -> None:
        [file] = upload(client, TEXT)
        store = client.vector_stores.create()
        client.vector_stores.files.create_and_poll(file, vector_store_id=store.id, attributes={"a": 1})
        again = client.vector_stores.files.create(store.id, file_id=file, attributes={"b": 2})
        assert (again.attributes, again.status) == ({"b": 2}, "completed")

    def test_cuts_it_anew_when_it_is_to_be_cut_otherwise(self, client: openai.OpenAI) -> None:
        text = "\n\n".join(f"Paragraph {n} is about the number {n}." for n in range(100))
        [file] = upload(client, text)
        store = client.vector_stores.create()
        files = client.vector_stores.files
        files.create_and_poll(file, vector_store_id=store.id, attributes={"a": 1})
        whole = len(files.content(file, vector_store_id=store.id).data)
        again = files.create_and_poll(file, vector_store_id=store.id, chunking_strategy=static(100, 50))
        assert (again.status, again.attributes) == ("completed", {"a": 1})
        assert again.to_dict()["chunking_strategy"] == static(100, 50)
        assert len(files.content(file, vector_store_id=store.id).data) > whole
        assert counted(client.vector_stores.retrieve(store.id)) == (0, 1, 0, 0, 1)

    def test_tries_a_file_that_failed_once_more(self, client: openai.OpenAI) -> None:
        store = client.vector_stores.create()
        failed = client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=("a.txt", b""))
        again = client.vector_stores.files.create(store.id, file_id=failed.id)
        assert (again.status, again.last_error) == ("in_progress", None)
        assert counted(settled(client, store.id)) == (0, 0, 1, 0, 1)


def test_a_file_taken_out_leaves_the_file_itself(client: openai.OpenAI) -> None:
    [file, other] = upload(client, TEXT, "Other.")
    store = client.vector_stores.create(file_ids=[file, other])
    settled(client, store.id)
    gone = client.vector_stores.files.delete(file, vector_store_id=store.id)
    assert gone.to_dict() == {"id": file, "object": "vector_store.file.deleted", "deleted": True}
    missing = f"No file found with id '{file}' in vector store '{store.id}'."
    with refused(404, missing, param="file_id"):
        client.vector_stores.files.retrieve(file, vector_store_id=store.id)
    with refused(404, missing, param="file_id"):
        client.vector_stores.files.delete(file, vector_store_id=store.id)
    assert counted(client.vector_stores.retrieve(store.id)) == (0, 1, 0, 0, 1)
    assert client.files.retrieve(file).id == file


def test_a_file_in_progress_can_be_taken_out(idle: openai.OpenAI) -> None:
    [file] = upload(idle, TEXT)
    store = idle.vector_stores.create(file_ids=[file])
    idle.vector_stores.files.delete(file, vector_store_id=store.id)
    shown = idle.vector_stores.retrieve(store.id)
    assert (counted(shown), shown.status) == ((0, 0, 0, 0, 0), "completed")


def test_a_deleted_file_leaves_every_store(client: openai.OpenAI) -> None:
    [file, other] = upload(client, TEXT, "Other.")
    stores = [client.vector_stores.create(file_ids=[file, other]).id for _ in range(2)]
    for store in stores:
        settled(client, store)
    client.files.delete(file)
    for store in stores:
        assert [left.id for left in client.vector_stores.files.list(store)] == [other]
        assert counted(client.vector_stores.retrieve(store)) == (0, 1, 0, 0, 1)
