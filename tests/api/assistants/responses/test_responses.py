"""Responses, by the official SDK: one call, chains, functions, structure, streams, reading, deleting (responses contract §2–§6).

What the server sends is held against the published schemas, and streams against what the SDKs insist on, by the client itself.
"""

from typing import Any
from uuid import uuid4

import openai
import pytest
from openai import OpenAI

from tests.harness.waiting import eventually

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


class Refused:
    """What the SDK raised, as the four fields of the API's error."""

    def __init__(self, error: openai.APIStatusError) -> None:
        body: Any = error.body
        self.status = error.status_code
        self.message, self.param, self.code = body["message"], body["param"], body["code"]


def refused(client: OpenAI, **asked: Any) -> Refused:
    with pytest.raises(openai.APIStatusError) as raised:
        client.responses.create(**{"model": "gpt-4o", "input": "hello", **asked})
    return Refused(raised.value)


def outputs(response: Any, text: str) -> Any:
    calls = [item for item in response.output if item.type == "function_call"]
    return [{"type": "function_call_output", "call_id": call.call_id, "output": text} for call in calls]


def test_a_text_is_answered_and_defaults_are_echoed(client: OpenAI) -> None:
    response = client.responses.create(model="gpt-4o", input="hello")
    assert response.output_text == "You said: hello"
    assert (response.status, response.error, response.incomplete_details) == ("completed", None, None)
    assert response.usage is not None and response.usage.total_tokens > 0
    assert response.usage.output_tokens_details.reasoning_tokens == 0
    echoed = response.to_dict()
    expected = {
        "temperature": 1.0,
        "top_p": 1.0,
        "tools": [],
        "tool_choice": "auto",
        "truncation": "disabled",
        "parallel_tool_calls": True,
        "background": False,
        "store": True,
        "metadata": {},
        "text": {"format": {"type": "text"}},
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "top_logprobs": 0,
        "instructions": None,
        "previous_response_id": None,
    }
    assert {name: echoed[name] for name in expected} == expected
    (message,) = response.output
    assert message.to_dict() == {
        "id": message.id,
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "You said: hello", "annotations": [], "logprobs": []}],
    }
    assert response.id.startswith("resp_") and str(message.id).startswith("msg_")
    assert client.responses.retrieve(response.id).to_dict() == echoed


def test_every_shape_of_input_is_read(client: OpenAI) -> None:
    replayed: list[Any] = [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "one"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "two"}]},
        {"id": "msg_elsewhere", "type": "message", "role": "assistant", "status": "completed", "content": []},
        {"type": "reasoning", "id": "rs_x", "summary": [], "encrypted_content": None, "content": None},
        {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}", "id": None},
        {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "sunny"}]},
        {"type": "web_search_call", "id": "ws_x", "status": "completed", "action": {"type": "search", "query": "x"}},
        {"role": "user", "content": [{"type": "input_text", "text": "hello there"}]},
    ]
    response = client.responses.create(model="gpt-4o", input=replayed)
    assert response.output_text == "You said: hello there"
    listed = client.responses.input_items.list(response.id, order="asc").data
    assert [item.type for item in listed] == [item.get("type", "message") for item in replayed]
    ids = [item.id for item in listed]
    assert len(set(ids)) == len(ids) and None not in ids and "msg_elsewhere" not in ids


def test_a_chain_reads_all_before_it_but_no_instructions(client: OpenAI) -> None:
    first = client.responses.create(model="gpt-4o", input="hello", instructions="Be brief.")
    second = client.responses.create(model="gpt-4o", input="again", previous_response_id=first.id)
    assert second.previous_response_id == first.id and second.instructions is None
    listed = client.responses.input_items.list(second.id, order="asc").data
    texts = [item.content[0].text for item in listed if item.type == "message"]
    assert texts == ["hello", "You said: hello", "again"]
    pages = [item.id for item in client.responses.input_items.list(second.id, limit=1)]
    assert pages == [item.id for item in reversed(listed)]


def test_a_chain_may_branch(client: OpenAI) -> None:
    root = client.responses.create(model="gpt-4o", input="root")
    left = client.responses.create(model="gpt-4o", input="left", previous_response_id=root.id)
    right = client.responses.create(model="gpt-4o", input="right", previous_response_id=root.id)
    leaf = client.responses.create(model="gpt-4o", input="leaf", previous_response_id=right.id)

    def said(response_id: str) -> list[str]:
        listed: Any = client.responses.input_items.list(response_id, order="asc").data
        return [item.content[0].text for item in listed if item.role == "user"]

    assert said(left.id) == ["root", "left"]
    assert said(leaf.id) == ["root", "right", "leaf"]
    pages = [item.id for item in client.responses.input_items.list(leaf.id, limit=2)]
    assert len(pages) == len(set(pages)) == 5


def test_functions_are_called_and_answered(client: OpenAI) -> None:
    asked = client.responses.create(model="gpt-4o", input="weather in Paris and Rome", tools=[WEATHER])
    assert asked.status == "completed"
    calls: list[Any] = asked.output
    assert [(call.type, call.name, call.arguments, call.status) for call in calls] == [
        ("function_call", "get_weather", '{"city":"Paris"}', "completed"),
        ("function_call", "get_weather", '{"city":"Rome"}', "completed"),
    ]
    missing = refused(client, input="well?", previous_response_id=asked.id, tools=[WEATHER])
    assert (missing.status, missing.param) == (400, "input")
    assert missing.message == f"No tool output found for function call {calls[0].call_id}."
    answered = client.responses.create(
        model="gpt-4o", input=outputs(asked, "sunny"), previous_response_id=asked.id, tools=[WEATHER]
    )
    assert answered.output_text == "It is sunny in both."
    # The whole history in the client's hands says the same.
    replayed: list[Any] = [{"role": "user", "content": "weather in Paris and Rome"}]
    replayed += [item.to_dict() for item in asked.output] + outputs(asked, "sunny")
    assert (
        client.responses.create(model="gpt-4o", input=replayed, tools=[WEATHER]).output_text == "It is sunny in both."
    )


def test_an_output_without_its_call_is_refused(client: OpenAI) -> None:
    given = [{"type": "function_call_output", "call_id": "call_x", "output": "sunny"}]
    assert refused(client, input=given).message == ("No tool call found for function call output with call_id call_x.")


def test_a_stream_has_every_event_in_order(client: OpenAI) -> None:
    with client.responses.stream(model="gpt-4o", input="hello world") as stream:
        events = list(stream)
        final = stream.get_final_response()
    names = [event.type for event in events]
    pieces = names.count("response.output_text.delta")
    assert names == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * pieces,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert final.output_text == "You said: hello world"
    read = client.responses.retrieve(final.id).output
    assert [(item.id, item.type) for item in read] == [(item.id, item.type) for item in final.output]


def test_calls_are_streamed_one_after_the_other(client: OpenAI) -> None:
    events = list(
        client.responses.create(model="gpt-4o", input="weather in Paris and Rome", tools=[WEATHER], stream=True)
    )
    kinds = [event.type.removeprefix("response.") for event in events if "delta" not in event.type]
    of_a_call = ["output_item.added", "function_call_arguments.done", "output_item.done"]
    assert kinds == ["created", "in_progress", *of_a_call, *of_a_call, "completed"]
    last: Any = events[-1]
    assert client.responses.retrieve(last.response.id).output == last.response.output


def test_a_stream_is_read_again_from_any_point(client: OpenAI) -> None:
    events = list(client.responses.create(model="gpt-4o", input="hello world", stream=True))
    created: Any = events[0]
    for after in (None, 0, 3, len(events) - 2, len(events) + 5):
        extra: dict[str, Any] = {} if after is None else {"starting_after": after}
        again = list(client.responses.retrieve(created.response.id, stream=True, **extra))
        assert again == events[0 if after is None else after + 1 :], after


def test_an_answer_has_the_structure_that_was_asked_for(client: OpenAI) -> None:
    shape: Any = {"type": "json_schema", "name": "anything", "schema": {"type": "object"}, "strict": True}
    response = client.responses.create(model="gpt-4o", input="hello", text={"format": shape, "verbosity": "low"})
    assert response.to_dict()["text"] == {"format": shape, "verbosity": "low"}
    plain: Any = {"type": "json_object"}
    response = client.responses.create(model="gpt-4o", input="hello", text=plain)
    assert response.to_dict()["text"] == {"format": plain}


def test_a_background_response_is_polled_and_cancelled(client: OpenAI) -> None:
    response = client.responses.create(model="gpt-4o", input="stall", background=True)
    assert (response.status, response.background) == ("queued", True)
    eventually(lambda: client.responses.retrieve(response.id).status == "in_progress")
    with pytest.raises(openai.BadRequestError, match="Cannot delete an in-flight response"):
        client.responses.delete(response.id)
    assert client.responses.cancel(response.id).status == "cancelled"
    assert client.responses.cancel(response.id).status == "cancelled"
    done = client.responses.create(model="gpt-4o", input="hello")
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        client.responses.cancel(done.id)


def test_what_is_deleted_is_gone_and_what_follows_it_stays(client: OpenAI) -> None:
    first = client.responses.create(model="gpt-4o", input="first")
    second = client.responses.create(model="gpt-4o", input="second", previous_response_id=first.id)
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError, match=f"Response with id '{first.id}' not found"):
        client.responses.retrieve(first.id)
    gone = refused(client, previous_response_id=first.id)
    assert (gone.status, gone.param, gone.code) == (400, "previous_response_id", "previous_response_not_found")
    assert [item.type for item in client.responses.input_items.list(second.id)] == ["message"] * 3
    third = client.responses.create(model="gpt-4o", input="third", previous_response_id=second.id)
    client.responses.delete(second.id)
    client.responses.delete(third.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.input_items.list(third.id)


def test_what_is_not_stored_leaves_nothing(client: OpenAI) -> None:
    kept = client.responses.create(model="gpt-4o", input="kept")
    before: Any = client.get("/threads?limit=100", cast_to=object)
    passing = client.responses.create(model="gpt-4o", input="hello", store=False, previous_response_id=kept.id)
    assert passing.output_text == "You said: hello" and passing.store is False
    streamed = list(client.responses.create(model="gpt-4o", input="hello", store=False, stream=True))
    assert streamed[-1].type == "response.completed"
    for gone in (passing, streamed[-1].response):
        eventually(lambda gone=gone: _is_gone(client, gone.id))
    assert refused(client, previous_response_id=passing.id).code == "previous_response_not_found"
    after: Any = client.get("/threads?limit=100", cast_to=object)
    assert [thread["id"] for thread in after["data"]] == [thread["id"] for thread in before["data"]]
    follows = client.responses.create(model="gpt-4o", input="again", previous_response_id=kept.id)
    assert len(client.responses.input_items.list(follows.id).data) == 3


def _is_gone(client: OpenAI, response_id: str) -> bool:
    try:
        client.responses.retrieve(response_id)
    except openai.NotFoundError:
        return True
    return False


def test_references_lead_to_what_is_stored(client: OpenAI) -> None:
    first = client.responses.create(model="gpt-4o", input="hello")
    asked: list[Any] = [
        {"role": "user", "content": "hello"},
        {"type": "item_reference", "id": first.output[0].id},
        {"role": "user", "content": "again"},
    ]
    second = client.responses.create(model="gpt-4o", input=asked)
    listed: Any = client.responses.input_items.list(second.id, order="asc").data
    assert [item.content[0].text for item in listed] == ["hello", "You said: hello", "again"]
    unknown = refused(client, input=[{"type": "item_reference", "id": "msg_x"}])
    assert (unknown.status, unknown.message.partition(".")[0]) == (404, "Item with id 'msg_x' not found")


@pytest.mark.parametrize(
    ("asked", "status", "param", "code"),
    [
        ({"model": "gpt-9"}, 404, "model", "model_not_found"),
        ({"input": None}, 400, "input", "missing_required_parameter"),
        ({"previous_response_id": "resp_x"}, 400, "previous_response_id", "previous_response_not_found"),
        ({"previous_response_id": "resp_x", "conversation": "conv_x"}, 400, None, "mutually_exclusive_parameters"),
        ({"conversation": "conv_x"}, 404, None, None),
        ({"max_output_tokens": 15}, 400, "max_output_tokens", "integer_below_min_value"),
        ({"truncation": "bogus"}, 400, "truncation", "invalid_value"),
        ({"background": True, "store": False}, 400, "background", "unsupported_parameter"),
        ({"tools": [{"type": "web_search"}]}, 400, "tools[0].type", "unsupported_value"),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "function"}},
            400,
            "tool_choice.name",
            "missing_required_parameter",
        ),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, 400, "input[0].content[0]", None),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, 400, "input[0].content[0]", None),
        ({"extra_body": {"messages": []}}, 400, None, "invalid_value"),
        ({"metadata": {str(n): "x" for n in range(17)}}, 400, "metadata", "object_above_max_properties"),
    ],
)
def test_what_is_wrong_is_refused_by_name(
    client: OpenAI, asked: dict[str, Any], status: int, param: str | None, code: str | None
) -> None:
    found = refused(client, **asked)
    assert (found.status, found.param) == (status, param), found.message
    assert code is None or found.code == code


def test_a_tool_that_is_not_here_is_named(client: OpenAI) -> None:
    assert refused(client, tools=[{"type": "image_generation"}]).message.startswith(
        "Tool of type 'image_generation' is not supported by this server. Supported are: 'function', 'file_search'"
    )


def test_allowed_tools_are_echoed_whole(client: OpenAI) -> None:
    other = {**WEATHER, "name": "other"}
    choice: Any = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "get_weather"}]}
    response = client.responses.create(model="gpt-4o", input="call once", tools=[other, WEATHER], tool_choice=choice)
    assert response.output[0].type == "function_call"
    echoed = response.to_dict()
    assert echoed["tool_choice"] == choice
    tools: Any = echoed["tools"]
    assert [tool["name"] for tool in tools] == ["other", "get_weather"]


def test_a_budget_that_is_used_up_leaves_it_incomplete(client: OpenAI) -> None:
    response = client.responses.create(model="gpt-4o", input="cut me off", max_output_tokens=16)
    assert response.status in ("completed", "incomplete")


def test_a_request_that_is_sent_again_makes_no_second_response(client: OpenAI) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first = client.responses.create(model="gpt-4o", input="hello", extra_headers=key)
    assert client.responses.create(model="gpt-4o", input="hello", extra_headers=key) == first
    key = {"Idempotency-Key": str(uuid4())}
    events = list(client.responses.create(model="gpt-4o", input="hello", stream=True, extra_headers=key))
    again = list(client.responses.create(model="gpt-4o", input="hello", stream=True, extra_headers=key))
    assert again == events
