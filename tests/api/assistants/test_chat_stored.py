"""Chat completions with store: true, read back, listed, changed and deleted."""

from typing import Any

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.refusals import assert_refused, refused


def user(text: str) -> Any:
    return [{"role": "user", "content": text}]


def stored(client: openai.OpenAI, text: str = "echo: hi", **more: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o", messages=user(text), store=True, **more)


@pytest.fixture
def own(clients: Clients, start_server: StartServer, request: pytest.FixtureRequest) -> openai.OpenAI:
    """A project of the test's own, for tests that count."""
    server = start_server(run_lifetime_seconds=601)
    return clients.sdk(server, key=server.new_key(request.node.name))


def lenient(client: openai.OpenAI) -> openai.OpenAI:
    """The SDK's type of a stored message has the role of answers only."""
    return client.with_options(_extra_kwargs={"_strict_response_validation": False})


def test_a_stored_completion_is_read_back(client: openai.OpenAI) -> None:
    made = stored(client, metadata={"app": "bakery"})
    assert made.to_dict()["metadata"] == {"app": "bakery"}
    assert client.chat.completions.retrieve(made.id) == made


def test_one_that_was_not_stored_is_not_there(client: openai.OpenAI) -> None:
    for store in (None, False):
        made = client.chat.completions.create(model="gpt-4o", messages=user("echo: hi"), store=store)
        assert "metadata" not in made.to_dict()
        with refused(404) as caught:
            client.chat.completions.retrieve(made.id)
        assert made.id in caught.value.message


def test_a_streamed_one_is_stored_whole(client: openai.OpenAI) -> None:
    chunks = list(stored(client, "tell a story", stream=True, n=2))
    kept = client.chat.completions.retrieve(chunks[0].id)
    assert [choice.message.content for choice in kept.choices] == ["Once upon a time."] * 2
    assert kept.created == chunks[0].created
    assert kept.usage is not None and kept.usage.completion_tokens > 0


def test_they_are_listed_oldest_first_in_pages(own: openai.OpenAI) -> None:
    made = [stored(own, f"echo: {n}").id for n in range(5)]
    assert [each.id for each in own.chat.completions.list()] == made
    assert [each.id for each in own.chat.completions.list(order="desc")] == made[::-1]
    page = own.chat.completions.list(limit=2)
    assert [each.id for each in page.data] == made[:2]
    assert [each.id for each in own.chat.completions.list(limit=2, after=made[1])][:1] == made[2:3]
    assert [each.id for each in own.chat.completions.list(limit=2)] == made  # the SDK turns the pages
    with refused(404):
        own.chat.completions.list(after="chatcmpl-nothing")


def test_they_are_found_by_model_and_metadata(own: openai.OpenAI) -> None:
    one = stored(own, metadata={"app": "bakery", "shop": "1"}).id
    two = stored(own, metadata={"app": "bakery", "shop": "2"}).id
    three = own.chat.completions.create(model="gpt-4o-mini", messages=user("echo: hi"), store=True).id

    def found(**by: Any) -> list[str]:
        return [each.id for each in own.chat.completions.list(**by)]

    assert found(model="gpt-4o") == [one, two]
    assert found(model="gpt-4o-mini") == [three]
    assert found(metadata={"app": "bakery"}) == [one, two]
    assert found(metadata={"app": "bakery", "shop": "2"}) == [two]
    assert found(metadata={"app": "2"}) == found(model="other") == []


def test_metadata_is_changed_and_found_anew(own: openai.OpenAI) -> None:
    made = stored(own, metadata={"a": "1", "b": "2"})
    changed = own.chat.completions.update(made.id, metadata={"a": "3"})
    assert changed.to_dict()["metadata"] == {"a": "3"}
    assert own.chat.completions.retrieve(made.id) == changed
    assert [each.id for each in own.chat.completions.list(metadata={"a": "3"})] == [made.id]
    assert own.chat.completions.list(metadata={"b": "2"}).data == []


def test_their_messages_are_listed(client: openai.OpenAI) -> None:
    messages: Any = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "echo: a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": "echo: d"},
    ]
    made = client.chat.completions.create(model="gpt-4o", messages=messages, store=True)
    read = lenient(client).chat.completions.messages.list
    listed = read(made.id).data
    assert [(message.role, message.content) for message in listed] == [
        ("system", "Be brief."),
        ("user", None),
        ("assistant", "c"),
        ("user", "echo: d"),
    ]
    assert [part.to_dict() for part in listed[1].content_parts or ()] == messages[1]["content"]
    ids = [message.id for message in listed]
    assert len(set(ids)) == 4
    assert [message.id for message in read(made.id, order="desc", limit=3).data] == ids[:0:-1]
    assert [message.id for message in read(made.id, after=ids[1]).data] == ids[2:]


def test_a_deleted_one_is_gone(client: openai.OpenAI, http: httpx2.Client) -> None:
    made = stored(client, metadata={"a": "1"})
    deleted = client.chat.completions.delete(made.id)
    assert (deleted.id, deleted.object, deleted.deleted) == (made.id, "chat.completion.deleted", True)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/messages")):
        assert_refused(http.request(method, f"/v1/chat/completions/{made.id}{path}"), 404)
    assert_refused(http.post(f"/v1/chat/completions/{made.id}", json={"metadata": {}}), 404)


def test_a_failed_one_is_not_stored(own: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError):
        stored(own.with_options(max_retries=0), "fault server_error")
    assert own.chat.completions.list().data == []


def test_a_name_or_value_of_any_kind_is_stored(clients: Clients, start_server: StartServer) -> None:
    """By a pattern of the models file any name may be asked for; PostgreSQL takes no NUL, and no text that is too long."""
    client = clients.sdk(start_server(aliases={"any-*": "script"}))
    for name in ("any-" + "x" * 250, "any-\0"):
        made = client.chat.completions.create(
            model=name, messages=user("echo: hi\0"), store=True, metadata={"a": "\0", "b": "1"}
        )
        kept = client.chat.completions.retrieve(made.id)
        assert kept == made
        assert made.id in [each.id for each in client.chat.completions.list(metadata={"b": "1"})]


def test_a_project_sees_only_its_own(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True)
    one, other = (clients.sdk(server, key=server.new_key(name)) for name in ("one", "other"))
    made = stored(one)
    assert other.chat.completions.list().data == []
    with refused(404):
        other.chat.completions.retrieve(made.id)
    with refused(404):
        other.chat.completions.delete(made.id)


def test_with_a_key_it_is_stored_once(own: openai.OpenAI) -> None:
    headers = {"Idempotency-Key": "the same"}
    one, two = (stored(own, extra_headers=headers) for _ in range(2))
    assert one == two
    assert len(own.chat.completions.list().data) == 1
