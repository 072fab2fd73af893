"""Threads: made with and without messages, read, changed, deleted with what is in them."""

from typing import Any

import httpx2
import openai

from tests.harness.refusals import assert_refused, refused
from tests.harness.texts import text_of


def test_a_thread_has_the_defaults_of_the_api(client: openai.OpenAI) -> None:
    made = client.beta.threads.create()
    assert made.id.startswith("thread_")
    assert made.to_dict() == {
        "id": made.id,
        "object": "thread",
        "created_at": made.created_at,
        "tool_resources": {},
        "metadata": {},
    }
    assert client.beta.threads.retrieve(made.id) == made


def test_a_thread_needs_no_body_at_all(http: httpx2.Client) -> None:
    assert http.post("/v1/threads").json()["object"] == "thread"


def test_messages_of_a_new_thread_keep_their_order(client: openai.OpenAI) -> None:
    messages: Any = [{"role": ("user", "assistant")[n % 2], "content": f"{n}"} for n in range(12)]
    thread = client.beta.threads.create(messages=messages)
    listed = client.beta.threads.messages.list(thread.id, order="asc").data
    assert [(m.role, text_of(m)) for m in listed] == [(m["role"], m["content"]) for m in messages]
    assert {m.thread_id for m in listed} == {thread.id}


def test_a_bad_message_makes_no_thread(http: httpx2.Client) -> None:
    body = {
        "messages": [
            {"role": "user", "content": "fine"},
            {"role": "user", "content": ""},
            {"role": "judge", "content": "x"},
        ]
    }
    before = http.get("/v1/threads", params={"limit": 1}).json()["first_id"]
    assert http.post("/v1/threads", json=body).status_code == 400
    assert http.get("/v1/threads", params={"limit": 1}).json()["first_id"] == before


def test_metadata_is_replaced_as_a_whole(client: openai.OpenAI) -> None:
    thread = client.beta.threads.create(metadata={"a": "1", "b": "2"})
    changed = client.beta.threads.update(thread.id, metadata={"c": "3"})
    assert changed.metadata == {"c": "3"}
    assert client.beta.threads.retrieve(thread.id) == changed


def test_tool_resources_are_kept_and_replaced(client: openai.OpenAI) -> None:
    file = client.files.create(file=("a.txt", b"a"), purpose="assistants")
    thread = client.beta.threads.create(tool_resources={"code_interpreter": {"file_ids": [file.id]}})
    assert thread.to_dict()["tool_resources"] == {"code_interpreter": {"file_ids": [file.id]}}
    changed = client.beta.threads.update(thread.id, tool_resources={"code_interpreter": {"file_ids": []}})
    assert changed.to_dict()["tool_resources"] == {"code_interpreter": {"file_ids": []}}


def test_modifying_with_nothing_changes_nothing(client: openai.OpenAI) -> None:
    thread = client.beta.threads.create(metadata={"a": "1"})
    assert client.beta.threads.update(thread.id) == thread


def test_a_deleted_thread_is_gone_with_its_messages(client: openai.OpenAI) -> None:
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hi"}])
    message = client.beta.threads.messages.list(thread.id).data[0]
    deleted = client.beta.threads.delete(thread.id)
    assert deleted.to_dict() == {"id": thread.id, "object": "thread.deleted", "deleted": True}
    gone = f"No thread found with id '{thread.id}'."
    for call in (client.beta.threads.retrieve, client.beta.threads.update, client.beta.threads.delete):
        with refused(404, gone):
            call(thread.id)
    with refused(404, gone):
        client.beta.threads.messages.list(thread.id)
    with refused(404, gone):
        client.beta.threads.messages.create(thread.id, role="user", content="hi")
    with refused(404):
        client.beta.threads.messages.retrieve(message.id, thread_id=thread.id)


def test_an_unknown_thread_is_a_404_everywhere(http: httpx2.Client) -> None:
    gone = "No thread found with id 'thread_x'."
    message = {"role": "user", "content": "hi"}
    assert_refused(http.get("/v1/threads/thread_x"), 404, gone)
    assert_refused(http.post("/v1/threads/thread_x", json={}), 404, gone)
    assert_refused(http.delete("/v1/threads/thread_x"), 404, gone)
    assert_refused(http.get("/v1/threads/thread_x/messages"), 404, gone)
    assert_refused(http.post("/v1/threads/thread_x/messages", json=message), 404, gone)
    assert_refused(http.get("/v1/threads/thread_x/runs"), 404, gone)


def test_threads_can_be_listed(client: openai.OpenAI, http: httpx2.Client) -> None:
    """Our addition; no SDK has a method for it."""
    made = [client.beta.threads.create(metadata={"n": str(n)}).id for n in range(3)]
    page = http.get("/v1/threads", params={"limit": 3}).json()
    assert [thread["id"] for thread in page["data"]] == made[::-1]
    assert (page["first_id"], page["last_id"]) == (made[2], made[0])
    after = http.get("/v1/threads", params={"order": "asc", "after": made[0]}).json()
    assert [thread["id"] for thread in after["data"]][:2] == made[1:]


async def test_the_async_client_sees_the_same(aclient: openai.AsyncOpenAI) -> None:
    made = await aclient.beta.threads.create(messages=[{"role": "user", "content": "hi"}], metadata={"a": "b"})
    assert await aclient.beta.threads.retrieve(made.id) == made
    assert [text_of(m) async for m in aclient.beta.threads.messages.list(made.id)] == ["hi"]
    assert (await aclient.beta.threads.delete(made.id)).deleted
