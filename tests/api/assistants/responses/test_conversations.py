"""Conversations, by the official SDK: items, responses in them, and the same thread seen by both APIs (contract §7, §8)."""

from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.api.assistants.responses.test_responses import refused
from tests.harness.waiting import eventually


def texts(client: OpenAI, conversation_id: str) -> list[tuple[str, str]]:
    listed: Any = client.conversations.items.list(conversation_id, order="asc")
    return [(item.role, item.content[0].text) for item in listed if item.type == "message"]


def test_a_conversation_is_made_read_changed_and_deleted(client: OpenAI) -> None:
    made = client.conversations.create(metadata={"who": "ann"})
    assert made.id.startswith("conv_")
    assert client.conversations.retrieve(made.id) == made
    changed = client.conversations.update(made.id, metadata={"who": "ben"})
    assert changed.metadata == {"who": "ben"} == client.conversations.retrieve(made.id).metadata
    assert client.conversations.delete(made.id).to_dict() == {
        "id": made.id,
        "object": "conversation.deleted",
        "deleted": True,
    }
    with pytest.raises(openai.NotFoundError, match=f"Conversation with id '{made.id}' not found."):
        client.conversations.retrieve(made.id)


def test_items_are_added_listed_read_and_deleted(client: OpenAI) -> None:
    first: list[Any] = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "one"}]
    made = client.conversations.create(items=first)
    added = client.conversations.items.create(
        made.id,
        items=[
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "two"}]},
            {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "seen"},
        ],
    )
    assert [item.type for item in added.data] == ["message", "function_call", "function_call_output"]
    listed = list(client.conversations.items.list(made.id, order="asc", limit=2))
    assert [item.to_dict() for item in listed[2:]] == [item.to_dict() for item in added.data]
    assert [item.id for item in client.conversations.items.list(made.id)] == [item.id for item in reversed(listed)]
    for item in listed:
        assert client.conversations.items.retrieve(str(item.id), conversation_id=made.id) == item
    left = client.conversations.items.delete(str(listed[1].id), conversation_id=made.id)
    assert left == made
    assert [item.id for item in client.conversations.items.list(made.id, order="asc")] == [
        item.id for item in listed if item is not listed[1]
    ]
    with pytest.raises(openai.NotFoundError):
        client.conversations.items.retrieve(str(listed[1].id), conversation_id=made.id)
    # What is listed can be sent back as it stands.
    again: list[Any] = [item.to_dict() for item in listed]
    assert len(client.conversations.items.create(made.id, items=again).data) == len(again)


def test_more_than_twenty_items_at_once_are_refused(client: OpenAI) -> None:
    made = client.conversations.create()
    items: list[Any] = [{"role": "user", "content": "x"}] * 21
    with pytest.raises(openai.BadRequestError, match="maximum length 20"):
        client.conversations.items.create(made.id, items=items)


def test_a_response_reads_and_writes_its_conversation(client: OpenAI) -> None:
    made = client.conversations.create(items=[{"role": "user", "content": "before"}])
    response = client.responses.create(model="gpt-4o", input="hello", conversation=made.id)
    assert response.conversation is not None and response.conversation.id == made.id
    said = [("user", "before"), ("user", "hello"), ("assistant", "You said: hello")]
    assert texts(client, made.id) == said
    given: Any = client.responses.input_items.list(response.id, order="asc").data
    assert [item.content[0].text for item in given] == ["before", "hello"]
    assert str(response.output[0].id) in [item.id for item in client.conversations.items.list(made.id)]
    client.responses.create(model="gpt-4o", input="passing", conversation=made.id, store=False)
    client.responses.create(model="gpt-4o", input="branch", previous_response_id=response.id)
    assert texts(client, made.id) == said
    client.responses.delete(response.id)
    assert texts(client, made.id) == said


def test_two_responses_at_once_in_one_conversation_are_refused(client: OpenAI) -> None:
    made = client.conversations.create()
    running = client.responses.create(model="gpt-4o", input="stall", conversation=made.id, background=True)
    busy = refused(client, conversation=made.id)
    assert (busy.status, busy.param, busy.code) == (400, "conversation", "conversation_locked")
    with pytest.raises(openai.BadRequestError, match="Another process"):
        client.conversations.items.create(made.id, items=[{"role": "user", "content": "x"}])
    client.responses.cancel(running.id)
    eventually(lambda: client.beta.threads.runs.list(made.id.replace("conv", "thread")).data[0].status == "cancelled")
    assert client.responses.create(model="gpt-4o", input="hello", conversation=made.id).status == "completed"


def test_one_thread_is_driven_by_both_apis(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="gpt-4o")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "one"}])
    conversation = thread.id.replace("thread_", "conv_")
    expected = []
    for turn, word in enumerate(("one", "two", "three", "four")):
        if turn % 2 == 0:
            if turn:
                client.beta.threads.messages.create(thread.id, role="user", content=word)
            run = client.beta.threads.runs.create_and_poll(
                thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=20
            )
            response = client.responses.retrieve(run.id.replace("run_", "resp_"))
            assert response.output_text == f"You said: {word}"
        else:
            with client.responses.stream(model="gpt-4o", input=word, conversation=conversation) as stream:
                stream.until_done()
        expected += [("user", word), ("assistant", f"You said: {word}")]
        assert texts(client, conversation) == expected
        messages: Any = client.beta.threads.messages.list(thread.id, order="asc").data
        assert [(message.role, message.content[0].text.value) for message in messages] == expected
        ids = [message.id for message in messages]
        assert ids == [item.id for item in client.conversations.items.list(conversation, order="asc")]
