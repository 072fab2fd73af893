"""JSON that is deep, long or has huge numbers: refused with a sentence, or stored so that it can be read again."""

import json
from typing import Any

import httpx2
import openai
import pytest

from zhuli.core.json_limits import MOST_CONTAINERS, MOST_LEVELS, MOST_VALUES
from zhuli.types.assistants.message import MOST_MESSAGES


def message_of(refused: httpx2.Response) -> str:
    error = refused.json()["error"]
    assert (refused.status_code, error["type"]) == (400, "invalid_request_error"), error
    return str(error["message"])


def nested(levels: int) -> Any:
    """A JSON schema of objects in objects."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels // 2):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def with_tool(schema: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]}


@pytest.mark.parametrize("levels", [4, 40, MOST_LEVELS - 10])
def test_parameters_of_tools_that_are_stored_can_be_read_again(client: openai.OpenAI, levels: int) -> None:
    made = client.beta.assistants.create(**with_tool(nested(levels)))
    assert client.beta.assistants.retrieve(made.id).tools == made.tools
    assert client.beta.assistants.update(made.id, name="deep").tools == made.tools
    assert any(one.id == made.id for one in client.beta.assistants.list(limit=100))
    client.beta.assistants.delete(made.id)


@pytest.mark.parametrize("levels", [MOST_LEVELS, 150, 197, 250])
def test_parameters_that_are_too_deep_are_refused_before_they_are_stored(http: httpx2.Client, levels: int) -> None:
    message = message_of(http.post("/v1/assistants", json=with_tool(nested(levels))))
    assert f"at most {MOST_LEVELS}" in message


@pytest.mark.parametrize(
    "path", ["/v1/assistants", "/v1/threads", "/v1/chat/completions", "/v1/domains", "/v1/embeddings"]
)
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_of_a_hundred_thousand_levels_is_refused_everywhere(http: httpx2.Client, path: str, opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    body = opening * 100_000 + "1" + closing * 100_000
    assert "nested" in message_of(http.post(path, content=body.encode()))


def test_a_domain_in_yaml_is_refused_likewise(http: httpx2.Client) -> None:
    body = "name: deep\nslots: " + "[" * 5000 + "]" * 5000
    response = http.post("/v1/domains", content=body.encode(), headers={"content-type": "application/yaml"})
    assert "nested" in message_of(response)


def test_brackets_in_texts_are_no_levels(client: openai.OpenAI) -> None:
    text = '[{"' * 500
    thread = client.beta.threads.create(messages=[{"role": "user", "content": text}])
    (message,) = client.beta.threads.messages.list(thread.id).data
    assert message.content[0].text.value == text


@pytest.mark.parametrize("number", ["1e25", "9223372036854775808", "-1e19", "100000000000000000000000"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", '{"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "seed": %s}'),
        ("/v1/vector_stores", '{"expires_after": {"anchor": "last_active_at", "days": %s}}'),
        ("/v1/threads/runs", '{"assistant_id": "asst_x", "max_completion_tokens": %s}'),
        ("/v1/uploads", '{"bytes": %s, "filename": "a", "mime_type": "text/plain", "purpose": "assistants"}'),
    ],
)
def test_numbers_beyond_64_bits_are_refused(http: httpx2.Client, path: str, body: str, number: str) -> None:
    assert message_of(http.post(path, content=(body % number).encode()))


def test_more_messages_than_a_request_may_bring_are_refused(http: httpx2.Client) -> None:
    messages = [{"role": "user", "content": "hi"}] * (MOST_MESSAGES + 1)
    assert str(MOST_MESSAGES) in message_of(http.post("/v1/threads", json={"messages": messages}))
    assert http.post("/v1/threads", json={"messages": messages[1:]}).status_code == 200


def test_a_body_of_a_million_values_is_refused(http: httpx2.Client) -> None:
    body = json.dumps({"metadata": [0] * 1_000_000})
    assert "several requests" in message_of(http.post("/v1/threads", content=body.encode()))


def test_a_body_of_very_many_arrays_or_objects_is_refused(http: httpx2.Client) -> None:
    body = json.dumps({"metadata": [{}] * (MOST_CONTAINERS + 1)})
    assert "arrays and objects" in message_of(http.post("/v1/threads", content=body.encode()))


def test_commas_in_texts_are_no_values(http: httpx2.Client) -> None:
    """A table of numbers, pasted into a message."""
    said = {"model": "gpt-4o", "messages": [{"role": "user", "content": "1," * (MOST_VALUES + 1)}]}
    assert http.post("/v1/chat/completions", json=said).status_code == 200


FILES = {f"nlu{number}.yml": "nlu: []" for number in range(257)}
NAMED = [{"name": f"n{number}"} for number in range(2_001)]
VALUES = [{"value": f"v{number}"} for number in range(50_001)]
SAID = [{"role": "user", "content": "hi"}] * 10_001


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/chat/completions", {"model": "gpt-4o", "messages": SAID}, "messages"),
        ("/v1/threads", {"messages": SAID}, "messages"),
        ("/v1/embeddings", {"model": "hashed", "input": ["hi"] * 2_049}, "input"),
        ("/v1/vector_stores/vs_1/search", {"query": ["hi"] * 33}, "query"),
        ("/v1/vector_stores/vs_1/search", {"query": "hi " * 6_000}, "query"),
        ("/v1/domains", {"intents": NAMED}, "intents"),
        ("/v1/domains", {"intents": [{"name": "a", "examples": ["hi"] * 10_001}]}, "intents[0].examples"),
        ("/v1/domains", {"entities": [{"name": "a", "kind": "lookup", "values": VALUES}]}, "entities[0].values"),
        ("/v1/domains", {"responses": {f"r{number}": "hi" for number in range(5_001)}}, "responses"),
        ("/v1/domains/import", {"format": "rasa", "files": FILES}, "files"),
    ],
)
def test_numbers_of_items_have_limits_that_are_named(http: httpx2.Client, path: str, body: Any, param: str) -> None:
    error = http.post(path, json=body).json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param


def test_half_a_million_wrong_values_are_one_error(http: httpx2.Client) -> None:
    body = {"intents": [{"name": "a", "examples": [1] * 499_000}]}
    assert "examples[0]" in message_of(http.post("/v1/domains/check", json=body))
