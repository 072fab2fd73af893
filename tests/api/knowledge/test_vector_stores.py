"""Vector stores: made, listed, changed, deleted. Their files, batches and expiry have files of their own."""

from typing import Any

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.knowledge import counted, settled, upload
from tests.harness.refusals import assert_refused, refused

STORES = "/v1/vector_stores"
MISSING = "Vector store with id vs_none not found."


def test_a_new_store_is_empty_and_ready(client: openai.OpenAI) -> None:
    made = client.vector_stores.create()
    assert made.id.startswith("vs_")
    shown = made.to_dict()
    assert made.created_at == made.last_active_at
    del shown["id"], shown["created_at"], shown["last_active_at"]
    assert shown == {
        "object": "vector_store",
        "name": "",
        "usage_bytes": 0,
        "file_counts": {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0},
        "status": "completed",
        "expires_at": None,
        "metadata": {},
        "embedder": "hashed",
    }


def test_a_store_comes_back_as_it_was_made(client: openai.OpenAI) -> None:
    made = client.vector_stores.create(
        name="Support",
        description="Questions and answers.",
        expires_after={"anchor": "last_active_at", "days": 3},
        metadata={"team": "help"},
    )
    assert (made.name, made.metadata, made.to_dict()["description"]) == (
        "Support",
        {"team": "help"},
        "Questions and answers.",
    )
    assert made.last_active_at is not None
    assert made.expires_at == made.last_active_at + 3 * 86_400
    assert client.vector_stores.retrieve(made.id) == made


def test_counts_are_exact_from_the_first_response_on(clients: Clients, start_server: StartServer) -> None:
    client = clients.sdk(start_server(worker_slots=0))
    made = client.vector_stores.create(file_ids=upload(client, "one", "two", "three"))
    assert (counted(made), made.status) == ((3, 0, 0, 0, 3), "in_progress")


def test_a_store_with_files_becomes_completed(client: openai.OpenAI) -> None:
    made = client.vector_stores.create(file_ids=upload(client, "The first text.", "The second text."))
    done = settled(client, made.id)
    assert (counted(done), done.status) == ((0, 2, 0, 0, 2), "completed")
    assert done.usage_bytes == sum(file.usage_bytes for file in client.vector_stores.files.list(made.id)) > 0


def test_a_file_that_does_not_exist_makes_no_store(client: openai.OpenAI) -> None:
    before = client.vector_stores.list(limit=1).data
    with refused(404, "No such File object: file-none", param="id"):
        client.vector_stores.create(file_ids=[*upload(client, "text"), "file-none"])
    assert client.vector_stores.list(limit=1).data == before


def test_the_same_file_twice_is_one(client: openai.OpenAI) -> None:
    [file] = upload(client, "text")
    assert client.vector_stores.create(file_ids=[file, file]).file_counts.total == 1


def test_given_fields_overwrite_and_null_clears(client: openai.OpenAI) -> None:
    made = client.vector_stores.create(
        name="A", metadata={"a": "1"}, expires_after={"anchor": "last_active_at", "days": 1}
    )
    renamed = client.vector_stores.update(made.id, name="B")
    assert (renamed.name, renamed.metadata, renamed.expires_at) == ("B", {"a": "1"}, made.expires_at)
    cleared = client.vector_stores.update(made.id, name=None, metadata=None, expires_after=None)
    assert (cleared.name, cleared.metadata, cleared.expires_after, cleared.expires_at) == ("", {}, None, None)


def test_stores_are_listed_newest_first_with_their_counts(client: openai.OpenAI) -> None:
    files = upload(client, "text")
    made = [client.vector_stores.create(name=f"{n}", file_ids=files[:n]) for n in range(2)]
    for store in made:
        settled(client, store.id)
    listed = client.vector_stores.list(limit=2).data
    assert [(store.name, store.file_counts.completed) for store in listed] == [("1", 1), ("0", 0)]
    page = client.vector_stores.list(limit=1, order="desc", after=made[1].id)
    assert [store.id for store in page.data] == [made[0].id]


def test_a_deleted_store_is_gone_with_everything_below_it(client: openai.OpenAI, http: httpx2.Client) -> None:
    files = upload(client, "text")
    store = client.vector_stores.create(file_ids=files)
    batch = client.vector_stores.file_batches.create(store.id, file_ids=files)
    gone = client.vector_stores.delete(store.id)
    assert gone.to_dict() == {"id": store.id, "object": "vector_store.deleted", "deleted": True}
    text = f"Vector store with id {store.id} not found."
    for path in ("", "/files", f"/files/{files[0]}", f"/files/{files[0]}/content", f"/file_batches/{batch.id}"):
        assert_refused(http.get(f"{STORES}/{store.id}{path}"), 404, text, param="vector_store_id")
    assert_refused(http.delete(f"{STORES}/{store.id}"), 404, text, param="vector_store_id")
    assert client.files.retrieve(files[0]).id == files[0]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "", {"name": "x"}),
        ("DELETE", "", None),
        ("GET", "/files", None),
        ("POST", "/files", {"file_id": "file-none"}),
        ("GET", "/files/file-none", None),
        ("POST", "/files/file-none", {"attributes": {}}),
        ("DELETE", "/files/file-none", None),
        ("GET", "/files/file-none/content", None),
        ("POST", "/file_batches", {"file_ids": ["file-none"]}),
        ("GET", "/file_batches/vsfb_none", None),
        ("POST", "/file_batches/vsfb_none/cancel", None),
        ("GET", "/file_batches/vsfb_none/files", None),
    ],
)
def test_an_unknown_store_is_named(http: httpx2.Client, method: str, path: str, body: Any) -> None:
    response = http.request(method, f"{STORES}/vs_none{path}", json=body)
    assert_refused(response, 404, MISSING, param="vector_store_id")


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"file_ids": ["file-x"] * 501}, "file_ids", "array_above_max_length"),
        ({"metadata": {f"k{n}": "v" for n in range(17)}}, "metadata", "object_above_max_properties"),
        ({"expires_after": {"anchor": "created_at", "days": 1}}, "expires_after.anchor", "invalid_value"),
        (
            {"expires_after": {"anchor": "last_active_at", "days": 0}},
            "expires_after.days",
            "integer_below_min_value",
        ),
        (
            {"expires_after": {"anchor": "last_active_at", "days": 366}},
            "expires_after.days",
            "integer_above_max_value",
        ),
        ({"expires_after": {"anchor": "last_active_at"}}, "expires_after.days", "missing_required_parameter"),
        ({"name": 1}, "name", "invalid_type"),
        ({"colour": "red"}, "colour", "unknown_parameter"),
        ({"embedder": "none-such"}, "embedder", "invalid_value"),
    ],
)
def test_what_does_not_fit_is_refused(http: httpx2.Client, body: dict[str, Any], param: str, code: str) -> None:
    assert_refused(http.post(STORES, json=body), 400, param=param, code=code)


def test_a_store_can_be_made_with_another_embedder(http: httpx2.Client) -> None:
    assert http.post(STORES, json={"embedder": "minilm"}).json()["embedder"] == "minilm"


def test_a_project_sees_only_its_own_stores(clients: Clients, start_server: StartServer) -> None:
    server = start_server(name="stores of two projects")
    ours, theirs = (clients.sdk(server, key=server.new_key(name)) for name in ("ours", "theirs"))
    [file] = upload(ours, "text")
    store = ours.vector_stores.create(file_ids=[file])
    assert theirs.vector_stores.list().data == []
    missing = f"Vector store with id {store.id} not found."
    with refused(404, missing, param="vector_store_id"):
        theirs.vector_stores.retrieve(store.id)
    with refused(404, missing, param="vector_store_id"):
        theirs.beta.assistants.create(model="gpt-4o", tool_resources={"file_search": {"vector_store_ids": [store.id]}})
    with refused(404, f"No such File object: {file}", param="id"):
        theirs.vector_stores.create(file_ids=[file])


def test_strict_ids_are_checked_here_too(clients: Clients, start_server: StartServer) -> None:
    http = clients.http(start_server(strict={"ids": True}))
    text = "Invalid 'vector_store_id': 'x'. Expected an ID that begins with 'vs'."
    assert_refused(http.get(f"{STORES}/x"), 400, text, param="vector_store_id", code="invalid_value")
