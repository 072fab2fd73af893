"""Assistants: made, read, changed field by field, deleted. Their limits are in test_parameters.py."""

from typing import Any

import openai

from tests.harness.refusals import refused

FUNCTION: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def test_an_assistant_has_the_defaults_of_the_api(client: openai.OpenAI) -> None:
    made = client.beta.assistants.create(model="gpt-4o")
    assert made.id.startswith("asst_")
    assert made.created_at > 1_700_000_000
    shown = made.to_dict()
    del shown["id"], shown["created_at"]
    assert shown == {
        "object": "assistant",
        "name": None,
        "description": None,
        "model": "gpt-4o",
        "instructions": None,
        "tools": [],
        "tool_resources": {},
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "response_format": "auto",
        "reasoning_effort": None,
    }


def test_an_assistant_comes_back_as_it_was_made(client: openai.OpenAI) -> None:
    made = client.beta.assistants.create(
        model="gpt-4o-mini",
        name="Weather",
        description="Knows the weather.",
        instructions="Be brief.",
        tools=[FUNCTION, {"type": "code_interpreter"}],
        tool_resources={"code_interpreter": {"file_ids": []}},
        metadata={"team": "rain"},
        temperature=0.2,
        top_p=0.9,
        response_format={"type": "json_object"},
        reasoning_effort="low",
    )
    read = client.beta.assistants.retrieve(made.id)
    assert read == made
    assert read.model == "gpt-4o-mini"
    assert (read.name, read.description, read.instructions) == ("Weather", "Knows the weather.", "Be brief.")
    assert (read.temperature, read.top_p, read.metadata) == (0.2, 0.9, {"team": "rain"})
    assert read.to_dict()["response_format"] == {"type": "json_object"}
    assert read.to_dict()["tool_resources"] == {"code_interpreter": {"file_ids": []}}


def test_a_function_echoes_that_it_is_not_strict(client: openai.OpenAI) -> None:
    made = client.beta.assistants.create(model="gpt-4o", tools=[FUNCTION])
    assert made.to_dict()["tools"] == [{**FUNCTION, "function": {**FUNCTION["function"], "strict": False}}]


def test_a_json_schema_comes_back_as_it_was_given(client: openai.OpenAI) -> None:
    schema = {"type": "object", "properties": {"answer": {"type": "number"}}, "additionalProperties": False}
    given: Any = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
    made = client.beta.assistants.create(model="gpt-4o", response_format=given)
    assert made.to_dict()["response_format"] == given


def test_file_search_settings_come_back(client: openai.OpenAI) -> None:
    tool: Any = {
        "type": "file_search",
        "file_search": {"max_num_results": 7, "ranking_options": {"ranker": "auto", "score_threshold": 0.5}},
    }
    assert client.beta.assistants.create(model="gpt-4o", tools=[tool]).to_dict()["tools"] == [tool]


def test_modifying_changes_only_the_given_fields(client: openai.OpenAI) -> None:
    made = client.beta.assistants.create(
        model="gpt-4o", name="A", instructions="Be brief.", metadata={"k": "v"}, tools=[FUNCTION]
    )
    changed = client.beta.assistants.update(made.id, name="B")
    assert changed.to_dict() == {**made.to_dict(), "name": "B"}
    assert client.beta.assistants.retrieve(made.id) == changed


def test_modifying_replaces_lists_and_metadata_as_a_whole(client: openai.OpenAI) -> None:
    made = client.beta.assistants.create(model="gpt-4o", tools=[FUNCTION], metadata={"a": "1", "b": "2"})
    changed = client.beta.assistants.update(made.id, tools=[{"type": "code_interpreter"}], metadata={"c": "3"})
    assert changed.to_dict()["tools"] == [{"type": "code_interpreter"}]
    assert changed.metadata == {"c": "3"}


def test_null_clears_a_field(client: openai.OpenAI) -> None:
    made = client.beta.assistants.create(model="gpt-4o", name="A", description="B", instructions="C")
    changed = client.beta.assistants.update(made.id, name=None, description=None, instructions=None)
    assert (changed.name, changed.description, changed.instructions) == (None, None, None)


def test_modifying_with_nothing_changes_nothing(client: openai.OpenAI) -> None:
    made = client.beta.assistants.create(model="gpt-4o", name="A")
    assert client.beta.assistants.update(made.id) == made


def test_modifying_to_an_unknown_model_is_refused_and_changes_nothing(client: openai.OpenAI) -> None:
    made = client.beta.assistants.create(model="gpt-4o")
    with refused(400, param="model", code="unsupported_model"):
        client.beta.assistants.update(made.id, model="gpt-9")
    assert client.beta.assistants.retrieve(made.id) == made


def test_a_deleted_assistant_is_gone(client: openai.OpenAI) -> None:
    made = client.beta.assistants.create(model="gpt-4o")
    deleted = client.beta.assistants.delete(made.id)
    assert deleted.to_dict() == {"id": made.id, "object": "assistant.deleted", "deleted": True}
    for call in (client.beta.assistants.retrieve, client.beta.assistants.update, client.beta.assistants.delete):
        with refused(404, f"No assistant found with id '{made.id}'."):
            call(made.id)


def test_an_unknown_assistant_is_a_404_in_the_words_that_apps_match(client: openai.OpenAI) -> None:
    with refused(404, "No assistant found with id 'asst_x'."):
        client.beta.assistants.retrieve("asst_x")


async def test_the_async_client_sees_the_same(aclient: openai.AsyncOpenAI) -> None:
    made = await aclient.beta.assistants.create(model="gpt-4o", name="A")
    assert await aclient.beta.assistants.retrieve(made.id) == made
    assert (await aclient.beta.assistants.update(made.id, name="B")).name == "B"
    assert (await aclient.beta.assistants.delete(made.id)).deleted
    with refused(404, f"No assistant found with id '{made.id}'."):
        await aclient.beta.assistants.retrieve(made.id)
