"""Messages: each kind of content in and out, attachments, metadata, editing a text (our addition), deleting."""

import base64
from typing import Any

import httpx2
import openai
import pytest

from tests.harness.refusals import assert_refused, refused
from tests.harness.texts import text_of

PICTURE = "https://pictures.example/cat.png"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def thread(client: openai.OpenAI) -> str:
    return client.beta.threads.create().id


def test_a_message_has_every_field_of_the_api(client: openai.OpenAI, thread: str) -> None:
    made = client.beta.threads.messages.create(thread, role="user", content="Hello", metadata={"k": "v"})
    assert made.id.startswith("msg_")
    assert made.to_dict() == {
        "id": made.id,
        "object": "thread.message",
        "created_at": made.created_at,
        "thread_id": thread,
        "status": "completed",
        "incomplete_details": None,
        "completed_at": made.completed_at,
        "incomplete_at": None,
        "role": "user",
        "content": [{"type": "text", "text": {"value": "Hello", "annotations": []}}],
        "assistant_id": None,
        "run_id": None,
        "attachments": [],
        "metadata": {"k": "v"},
    }
    assert client.beta.threads.messages.retrieve(made.id, thread_id=thread) == made


def test_parts_become_blocks_in_their_order(client: openai.OpenAI, thread: str) -> None:
    picture = client.files.create(file=("cat.png", PNG), purpose="vision").id
    made = client.beta.threads.messages.create(
        thread,
        role="user",
        content=[
            {"type": "text", "text": "What"},
            {"type": "image_url", "image_url": {"url": PICTURE}},
            {"type": "image_file", "image_file": {"file_id": picture, "detail": "low"}},
            {"type": "text", "text": "is this?"},
        ],
    )
    assert made.to_dict()["content"] == [
        {"type": "text", "text": {"value": "What", "annotations": []}},
        {"type": "image_url", "image_url": {"url": PICTURE, "detail": "auto"}},
        {"type": "image_file", "image_file": {"file_id": picture, "detail": "low"}},
        {"type": "text", "text": {"value": "is this?", "annotations": []}},
    ]


def test_an_image_file_must_exist(client: openai.OpenAI, thread: str) -> None:
    with refused(404, "No such File object: file-abc123", param="id"):
        client.beta.threads.messages.create(
            thread, role="user", content=[{"type": "image_file", "image_file": {"file_id": "file-abc123"}}]
        )


NO_IMAGES = {
    "a drawing in XML": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "a text": b"I am a cat.",
    "nearly a PNG": PNG[:-1],
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0",
}


@pytest.mark.parametrize("data", NO_IMAGES.values(), ids=NO_IMAGES.keys())
def test_a_file_that_is_no_image_that_models_see_is_refused_where_a_message_is_made(
    client: openai.OpenAI, http: httpx2.Client, thread: str, data: bytes
) -> None:
    file = client.files.create(file=("cat.png", data), purpose="vision").id
    message = {"role": "user", "content": [{"type": "image_file", "image_file": {"file_id": file}}]}
    refused_as_an_image(client, http, thread, message, f"the file {file}")


@pytest.mark.parametrize(
    "url",
    [
        "data:image/svg+xml;base64,PHN2Zy8+",
        "data:image/png;base64,SSBhbSBhIGNhdC4=",
        "data:image/png;base64,",
        "DATA:image/png;base64,***",
        "data:image/png,iVBORw0KGgo=",
        "data:text/plain;base64,SSBhbSBhIGNhdC4=",
        "data:",
    ],
)
def test_a_data_url_that_is_no_image_is_refused_where_a_message_is_made(
    client: openai.OpenAI, http: httpx2.Client, thread: str, url: str
) -> None:
    message = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}
    refused_as_an_image(client, http, thread, message, "the data URL")


def refused_as_an_image(
    client: openai.OpenAI, http: httpx2.Client, thread: str, message: dict[str, Any], what: str
) -> None:
    """On every way by which a message comes into a thread; nothing is left of it."""
    assistant = client.beta.assistants.create(model="gpt-4o").id
    made = client.beta.threads.messages.create(thread, role="user", content="Hello").id
    requests: dict[str, dict[str, Any]] = {
        f"/v1/threads/{thread}/messages": message,
        f"/v1/threads/{thread}/messages/{made}": {"content": message["content"]},
        "/v1/threads": {"messages": [message]},
        "/v1/threads/runs": {"assistant_id": assistant, "thread": {"messages": [message]}},
        f"/v1/threads/{thread}/runs": {"assistant_id": assistant, "additional_messages": [message]},
    }
    for path, body in requests.items():
        said = assert_refused(http.post(path, json=body), 400, param="content", code="invalid_image_format")
        assert what in said and "PNG, JPEG, GIF and WebP" in said
    assert [message.id for message in client.beta.threads.messages.list(thread)] == [made]


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
def test_a_data_url_of_every_kind_that_models_see_is_taken(client: openai.OpenAI, thread: str, kind: str) -> None:
    begin = {"png": PNG, "jpeg": b"\xff\xd8\xff\xe0", "gif": b"GIF89a", "webp": b"RIFF\x10\0\0\0WEBP"}[kind]
    url = f"data:image/{kind};base64,{base64.b64encode(begin + bytes(100)).decode()}"
    content: Any = [{"type": "image_url", "image_url": {"url": url}}]
    made = client.beta.threads.messages.create(thread, role="user", content=content)
    assert made.to_dict()["content"] == [{"type": "image_url", "image_url": {"url": url, "detail": "auto"}}]


def test_the_metadata_of_a_message_whose_files_are_gone_can_be_changed(client: openai.OpenAI, thread: str) -> None:
    picture = client.files.create(file=("cat.png", PNG), purpose="vision").id
    notes = client.files.create(file=("a.txt", b"text"), purpose="assistants").id
    content: Any = [{"type": "image_file", "image_file": {"file_id": picture}}]
    attachments: Any = [{"file_id": notes, "tools": [{"type": "code_interpreter"}]}]
    made = client.beta.threads.messages.create(thread, role="user", content=content, attachments=attachments)
    client.files.delete(picture)
    client.files.delete(notes)
    changed = client.beta.threads.messages.update(made.id, thread_id=thread, metadata={"seen": "yes"})
    assert changed.metadata == {"seen": "yes"} and changed.content == made.content
    edited = client.beta.threads.messages.update(made.id, thread_id=thread, extra_body={"content": "Never mind"})
    assert text_of(edited) == "Never mind" and edited.attachments == made.attachments


def test_attachments_come_back(client: openai.OpenAI, thread: str) -> None:
    file = client.files.create(file=("a.txt", b"text"), purpose="assistants").id
    attachments: Any = [{"file_id": file, "tools": [{"type": "code_interpreter"}]}]
    made = client.beta.threads.messages.create(thread, role="user", content="Read it.", attachments=attachments)
    assert made.to_dict()["attachments"] == attachments


def test_files_attached_for_the_code_interpreter_belong_to_the_thread(client: openai.OpenAI, thread: str) -> None:
    file = client.files.create(file=("a.txt", b"text"), purpose="assistants").id
    attachments: Any = [{"file_id": file, "tools": [{"type": "code_interpreter"}]}]
    client.beta.threads.messages.create(thread, role="user", content="Read it.", attachments=attachments)
    resources: Any = client.beta.threads.retrieve(thread).to_dict()["tool_resources"]
    assert resources["code_interpreter"] == {"file_ids": [file]}


def test_an_attached_file_must_exist(client: openai.OpenAI, thread: str) -> None:
    with refused(404, "No such File object: file-abc123", param="id"):
        client.beta.threads.messages.create(
            thread,
            role="user",
            content="Read it.",
            attachments=[{"file_id": "file-abc123", "tools": [{"type": "code_interpreter"}]}],
        )


def test_an_assistant_may_be_given_words(client: openai.OpenAI, thread: str) -> None:
    made = client.beta.threads.messages.create(thread, role="assistant", content="I said this.")
    assert (made.role, made.assistant_id, made.run_id) == ("assistant", None, None)


def test_a_content_that_is_too_long_says_so_in_the_words_that_apps_match(client: openai.OpenAI, thread: str) -> None:
    with refused(
        400,
        "Invalid 'content': string too long. Expected a string with maximum length 256000, "
        "but got a string with length 256001 instead.",
        param="content",
        code="string_above_max_length",
    ):
        client.beta.threads.messages.create(thread, role="user", content="x" * 256_001)


def test_text_of_any_script_comes_back_unchanged(client: openai.OpenAI, thread: str) -> None:
    text = '竹里 🎋 \u202eabc\u202c\n\t\u0000 "quoted" \\ e\u0301'
    made = client.beta.threads.messages.create(thread, role="user", content=text)
    read = client.beta.threads.messages.retrieve(made.id, thread_id=thread)
    assert text_of(read) == text


def test_modifying_changes_metadata_only(client: openai.OpenAI, thread: str) -> None:
    made = client.beta.threads.messages.create(thread, role="user", content="Hello", metadata={"a": "1"})
    changed = client.beta.threads.messages.update(made.id, thread_id=thread, metadata={"b": "2"})
    assert changed.to_dict() == {**made.to_dict(), "metadata": {"b": "2"}}
    assert client.beta.threads.messages.retrieve(made.id, thread_id=thread) == changed


def test_the_text_of_a_message_can_be_edited(client: openai.OpenAI, thread: str) -> None:
    made = client.beta.threads.messages.create(thread, role="user", content="Helo", metadata={"a": "1"})
    changed = client.beta.threads.messages.update(made.id, thread_id=thread, extra_body={"content": "Hello"})
    assert changed.to_dict() == {
        **made.to_dict(),
        "content": [{"type": "text", "text": {"value": "Hello", "annotations": []}}],
    }
    assert client.beta.threads.messages.list(thread).data == [changed]


def test_an_edited_content_has_the_same_limits(client: openai.OpenAI, thread: str) -> None:
    made = client.beta.threads.messages.create(thread, role="user", content="Hello")
    with refused(400, param="content", code="string_above_max_length"):
        client.beta.threads.messages.update(made.id, thread_id=thread, extra_body={"content": "x" * 256_001})
    with refused(404, "No such File object: file-abc123", param="id"):
        client.beta.threads.messages.update(
            made.id,
            thread_id=thread,
            extra_body={"content": [{"type": "image_file", "image_file": {"file_id": "file-abc123"}}]},
        )
    assert client.beta.threads.messages.retrieve(made.id, thread_id=thread) == made


def test_what_the_model_reads_is_the_edited_text(client: openai.OpenAI, thread: str) -> None:
    made = client.beta.threads.messages.create(thread, role="user", content="echo: before")
    client.beta.threads.messages.update(made.id, thread_id=thread, extra_body={"content": "echo: after"})
    assistant = client.beta.assistants.create(model="gpt-4o")
    run = client.beta.threads.runs.create_and_poll(thread_id=thread, assistant_id=assistant.id)
    assert run.status == "completed"
    answer = client.beta.threads.messages.list(thread, limit=1).data[0]
    assert text_of(answer) == "echo: after"


def test_while_a_run_is_active_messages_are_neither_added_nor_edited(client: openai.OpenAI, thread: str) -> None:
    made = client.beta.threads.messages.create(thread, role="user", content="call once")
    tool: Any = {"type": "function", "function": {"name": "get_weather"}}
    assistant = client.beta.assistants.create(model="gpt-4o", tools=[tool])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread, assistant_id=assistant.id)
    assert run.status == "requires_action"
    with refused(400, f"Can't add messages to {thread} while a run {run.id} is active."):
        client.beta.threads.messages.create(thread, role="user", content="more")
    with refused(400) as caught:
        client.beta.threads.messages.update(made.id, thread_id=thread, extra_body={"content": "other"})
    assert run.id in caught.value.message
    client.beta.threads.runs.cancel(run.id, thread_id=thread)
    client.beta.threads.runs.poll(run.id, thread_id=thread)
    assert client.beta.threads.messages.create(thread, role="user", content="more").status == "completed"


def test_metadata_may_change_while_a_run_is_active(client: openai.OpenAI, thread: str) -> None:
    made = client.beta.threads.messages.create(thread, role="user", content="call once")
    tool: Any = {"type": "function", "function": {"name": "get_weather"}}
    assistant = client.beta.assistants.create(model="gpt-4o", tools=[tool])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread, assistant_id=assistant.id)
    assert client.beta.threads.messages.update(made.id, thread_id=thread, metadata={"a": "b"}).metadata == {"a": "b"}
    assert client.beta.threads.update(thread, metadata={"a": "b"}).metadata == {"a": "b"}
    client.beta.threads.runs.cancel(run.id, thread_id=thread)


def test_a_deleted_message_is_gone(client: openai.OpenAI, thread: str) -> None:
    kept = client.beta.threads.messages.create(thread, role="user", content="kept")
    made = client.beta.threads.messages.create(thread, role="user", content="deleted")
    deleted = client.beta.threads.messages.delete(made.id, thread_id=thread)
    assert deleted.to_dict() == {"id": made.id, "object": "thread.message.deleted", "deleted": True}
    with refused(404, f"No message found with id '{made.id}'."):
        client.beta.threads.messages.retrieve(made.id, thread_id=thread)
    assert client.beta.threads.messages.list(thread).data == [kept]


def test_a_message_is_found_only_in_its_own_thread(client: openai.OpenAI, http: httpx2.Client, thread: str) -> None:
    made = client.beta.threads.messages.create(thread, role="user", content="mine")
    other = client.beta.threads.create().id
    path = f"/v1/threads/{other}/messages/{made.id}"
    gone = f"No message found with id '{made.id}'."
    assert_refused(http.get(path), 404, gone)
    assert_refused(http.post(path, json={"metadata": {}}), 404, gone)
    assert_refused(http.delete(path), 404, gone)
    assert client.beta.threads.messages.retrieve(made.id, thread_id=thread) == made


def test_messages_can_be_filtered_by_their_run(client: openai.OpenAI, thread: str) -> None:
    assistant = client.beta.assistants.create(model="gpt-4o")
    runs = []
    for word in ("one", "two"):
        client.beta.threads.messages.create(thread, role="user", content=f"echo: {word}")
        runs.append(client.beta.threads.runs.create_and_poll(thread_id=thread, assistant_id=assistant.id))
    for run, word in zip(runs, ("one", "two"), strict=True):
        (answer,) = client.beta.threads.messages.list(thread, run_id=run.id).data
        assert (answer.run_id, answer.assistant_id) == (run.id, assistant.id)
        assert text_of(answer) == f"echo: {word}"
    assert client.beta.threads.messages.list(thread, run_id="run_x").data == []
