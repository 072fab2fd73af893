"""Vector stores that are named, made on the way, or made by attachments: tool_resources of assistants and threads."""

from typing import Any

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.knowledge import counted, settled, upload
from tests.harness.refusals import assert_refused, refused

WEEK = 7 * 86_400
SEARCH: Any = [{"type": "file_search"}]


@pytest.fixture
def idle(clients: Clients, start_server: StartServer) -> openai.OpenAI:
    """A client of a server that ingests nothing: every file stays in progress."""
    return clients.sdk(start_server(worker_slots=0))


def searching(*stores: str) -> Any:
    return {"file_search": {"vector_store_ids": list(stores)}}


def making(**store: Any) -> Any:
    return {"file_search": {"vector_stores": [store]}}


def attaching(*files: str, tools: Any = SEARCH) -> Any:
    return {
        "role": "user",
        "content": "Read this.",
        "attachments": [{"file_id": file, "tools": tools} for file in files],
    }


def stores_of(owner: Any) -> list[str]:
    """The vector stores that an assistant or a thread names."""
    return list((owner.to_dict()["tool_resources"].get("file_search") or {}).get("vector_store_ids", []))


def files_of(client: openai.OpenAI, store: str) -> list[str]:
    return [file.id for file in client.vector_stores.files.list(store, order="asc")]


class TestNaming:
    def test_a_store_is_echoed(self, client: openai.OpenAI) -> None:
        store = client.vector_stores.create().id
        assistant = client.beta.assistants.create(model="gpt-4o", tools=SEARCH, tool_resources=searching(store))
        thread = client.beta.threads.create(tool_resources=searching(store))
        assert stores_of(assistant) == stores_of(thread) == [store]
        assert client.beta.assistants.retrieve(assistant.id) == assistant
        assert client.beta.threads.retrieve(thread.id) == thread

    def test_a_store_that_does_not_exist_is_refused(self, client: openai.OpenAI) -> None:
        text = "Vector store with id vs_none not found."
        with refused(404, text, param="vector_store_id"):
            client.beta.assistants.create(model="gpt-4o", tool_resources=searching("vs_none"))
        with refused(404, text, param="vector_store_id"):
            client.beta.threads.create(tool_resources=searching("vs_none"))
        assistant = client.beta.assistants.create(model="gpt-4o")
        thread = client.beta.threads.create()
        with refused(404, text, param="vector_store_id"):
            client.beta.assistants.update(assistant.id, tool_resources=searching("vs_none"))
        with refused(404, text, param="vector_store_id"):
            client.beta.threads.update(thread.id, tool_resources=searching("vs_none"))
        with refused(404, text, param="vector_store_id"):
            client.beta.threads.create_and_run(assistant_id=assistant.id, tool_resources=searching("vs_none"))
        with refused(404, text, param="vector_store_id"):
            client.beta.threads.create_and_run(
                assistant_id=assistant.id, thread={"tool_resources": searching("vs_none")}
            )

    def test_a_deleted_store_is_taken_out(self, client: openai.OpenAI) -> None:
        store, other = client.vector_stores.create().id, client.vector_stores.create().id
        assistant = client.beta.assistants.create(model="gpt-4o", tool_resources=searching(store))
        thread = client.beta.threads.create()
        client.beta.threads.update(thread.id, tool_resources=searching(store))
        moved_on = client.beta.threads.create(tool_resources=searching(store))
        client.beta.threads.update(moved_on.id, tool_resources=searching(other))
        gone = client.beta.threads.create(tool_resources=searching(store))
        client.beta.threads.delete(gone.id)
        client.vector_stores.delete(store)
        assert stores_of(client.beta.assistants.retrieve(assistant.id)) == []
        assert stores_of(client.beta.threads.retrieve(thread.id)) == []
        assert stores_of(client.beta.threads.retrieve(moved_on.id)) == [other]

    def test_one_store_is_the_most(self, http: httpx2.Client) -> None:
        body = {"model": "gpt-4o", "tool_resources": searching("vs_a", "vs_b")}
        param = "tool_resources.file_search.vector_store_ids"
        assert_refused(http.post("/v1/assistants", json=body), 400, param=param, code="array_above_max_length")


class TestMaking:
    def test_an_assistant_gets_a_new_store(self, client: openai.OpenAI) -> None:
        files = upload(client, "one", "two")
        chunking = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}
        assistant = client.beta.assistants.create(
            model="gpt-4o",
            tools=SEARCH,
            tool_resources=making(file_ids=files, metadata={"of": "helper"}, chunking_strategy=chunking),
        )
        [store] = stores_of(assistant)
        done = settled(client, store)
        assert (done.metadata, counted(done), done.expires_at) == ({"of": "helper"}, (0, 2, 0, 0, 2), None)
        assert client.vector_stores.files.list(store).data[0].to_dict()["chunking_strategy"] == chunking
        client.vector_stores.delete(store)
        assert stores_of(client.beta.assistants.retrieve(assistant.id)) == []

    def test_a_thread_gets_a_new_store(self, client: openai.OpenAI) -> None:
        files = upload(client, "one")
        thread = client.beta.threads.create(tool_resources=making(file_ids=files))
        [store] = stores_of(thread)
        assert files_of(client, store) == files
        assert client.beta.threads.retrieve(thread.id) == thread

    def test_a_thread_made_with_its_run_gets_a_new_store(self, client: openai.OpenAI) -> None:
        files = upload(client, "one")
        assistant = client.beta.assistants.create(model="gpt-4o")
        run = client.beta.threads.create_and_run(
            assistant_id=assistant.id,
            thread={"messages": [{"role": "user", "content": "hello"}], "tool_resources": making(file_ids=files)},
        )
        [store] = stores_of(client.beta.threads.retrieve(run.thread_id))
        assert files_of(client, store) == files

    def test_nothing_is_made_when_a_file_does_not_exist(self, client: openai.OpenAI) -> None:
        newest = client.vector_stores.list(limit=1).data
        with refused(404, "No such File object: file-none", param="id"):
            client.beta.assistants.create(model="gpt-4o", tool_resources=making(file_ids=["file-none"]))
        assert client.vector_stores.list(limit=1).data == newest

    @pytest.mark.parametrize("path", ["/v1/assistants", "/v1/threads"])
    def test_either_a_store_is_named_or_one_is_made(self, http: httpx2.Client, path: str) -> None:
        both = {"file_search": {"vector_store_ids": ["vs_a"], "vector_stores": [{}]}}
        body = {"tool_resources": both, **({"model": "gpt-4o"} if path == "/v1/assistants" else {})}
        param = "tool_resources.file_search"
        assert_refused(http.post(path, json=body), 400, param=param, code="invalid_value")

    def test_more_files_than_the_store_itself_takes_at_once(self, idle: openai.OpenAI) -> None:
        files = upload(idle, "text") * 501
        thread = idle.beta.threads.create(tool_resources=making(file_ids=files))
        assert counted(idle.vector_stores.retrieve(stores_of(thread)[0])) == (1, 0, 0, 0, 1)

    def test_modifying_does_not_make_stores(self, client: openai.OpenAI) -> None:
        thread = client.beta.threads.create()
        with refused(400, param="tool_resources.file_search.vector_stores", code="unknown_parameter"):
            client.beta.threads.update(thread.id, tool_resources=making(file_ids=[]))


class TestAttaching:
    def test_the_first_file_makes_a_store_for_a_week(self, client: openai.OpenAI) -> None:
        [file] = upload(client, "one")
        thread = client.beta.threads.create()
        message = client.beta.threads.messages.create(thread.id, **attaching(file))
        assert message.attachments is not None
        assert message.attachments[0].file_id == file
        [store] = stores_of(client.beta.threads.retrieve(thread.id))
        done = settled(client, store)
        assert (counted(done), files_of(client, store)) == ((0, 1, 0, 0, 1), [file])
        assert done.expires_after is not None and done.last_active_at is not None
        assert (done.expires_after.anchor, done.expires_after.days) == ("last_active_at", 7)
        assert done.expires_at == done.last_active_at + WEEK

    def test_further_files_extend_it(self, client: openai.OpenAI) -> None:
        files = upload(client, "one", "two", "three")
        thread = client.beta.threads.create(messages=[attaching(files[0])])
        [store] = stores_of(thread)
        client.beta.threads.messages.create(thread.id, **attaching(*files[1:]))
        assert stores_of(client.beta.threads.retrieve(thread.id)) == [store]
        assert files_of(client, store) == files

    def test_a_store_of_the_threads_own_is_extended(self, client: openai.OpenAI) -> None:
        mine, file = upload(client, "mine", "attached")
        store = client.vector_stores.create(file_ids=[mine]).id
        thread = client.beta.threads.create(tool_resources=searching(store), messages=[attaching(file)])
        assert stores_of(thread) == [store]
        assert files_of(client, store) == [mine, file]
        assert client.vector_stores.retrieve(store).expires_at is None

    def test_so_is_one_that_is_made_with_the_thread(self, client: openai.OpenAI) -> None:
        mine, file = upload(client, "mine", "attached")
        thread = client.beta.threads.create(tool_resources=making(file_ids=[mine]), messages=[attaching(file)])
        assert files_of(client, stores_of(thread)[0]) == [mine, file]

    def test_additional_messages_of_a_run_attach_too(self, client: openai.OpenAI) -> None:
        [file] = upload(client, "one")
        assistant = client.beta.assistants.create(model="gpt-4o")
        thread = client.beta.threads.create()
        client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id, additional_messages=[attaching(file)]
        )
        [store] = stores_of(client.beta.threads.retrieve(thread.id))
        assert files_of(client, store) == [file]

    def test_after_the_store_was_deleted_a_new_one_is_made(self, client: openai.OpenAI) -> None:
        first, second = upload(client, "one", "two")
        thread = client.beta.threads.create(messages=[attaching(first)])
        [store] = stores_of(thread)
        client.vector_stores.delete(store)
        client.beta.threads.messages.create(thread.id, **attaching(second))
        [new] = stores_of(client.beta.threads.retrieve(thread.id))
        assert new != store
        assert files_of(client, new) == [second]

    def test_an_attachment_for_both_tools_is_of_both(self, client: openai.OpenAI) -> None:
        [file] = upload(client, "one")
        tools = [*SEARCH, {"type": "code_interpreter"}]
        thread = client.beta.threads.create(messages=[attaching(file, tools=tools)])
        shown = thread.to_dict()["tool_resources"]
        assert shown["code_interpreter"] == {"file_ids": [file]}  # type: ignore[index]
        assert files_of(client, stores_of(thread)[0]) == [file]

    def test_an_attachment_for_no_search_makes_no_store(self, client: openai.OpenAI) -> None:
        [file] = upload(client, "one")
        thread = client.beta.threads.create(messages=[attaching(file, tools=[{"type": "code_interpreter"}])])
        assert stores_of(thread) == []

    def test_a_refused_message_attaches_nothing(self, client: openai.OpenAI) -> None:
        thread = client.beta.threads.create()
        with refused(404, "No such File object: file-none", param="id"):
            client.beta.threads.messages.create(thread.id, **attaching(*upload(client, "one"), "file-none"))
        assert stores_of(client.beta.threads.retrieve(thread.id)) == []
