"""What of a run's parameters and of its thread reaches the model (contract §1.5, §2): read from what it was asked."""

import itertools
from typing import Any

import pytest
from openai import OpenAI

from tests.harness.server import Server
from tests.harness.stories import WEATHER, answers, ask, at_rest, function, submit


def test_the_model_reads_instructions_then_the_thread(client: OpenAI, server: Server) -> None:
    run = ask(client, "hello", instructions="Be brief.")
    (asked,) = server.requests(run.thread_id)
    assert asked["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]


def test_without_instructions_there_is_no_system_message(client: OpenAI, server: Server) -> None:
    run = ask(client, "hello")
    (asked,) = server.requests(run.thread_id)
    assert asked["messages"] == [{"role": "user", "content": "hello"}]


def test_additional_instructions_come_behind_the_instructions(client: OpenAI, server: Server) -> None:
    run = ask(client, "hello", instructions="Be brief.", additional_instructions="The user is Ann.")
    system = server.requests(run.thread_id)[0]["messages"][0]
    assert system["role"] == "system"
    assert system["content"].startswith("Be brief.")
    assert system["content"].endswith("The user is Ann.")


def test_additional_instructions_stand_alone_where_there_are_no_others(client: OpenAI, server: Server) -> None:
    run = ask(client, "hello", additional_instructions="The user is Ann.")
    assert server.requests(run.thread_id)[0]["messages"][0] == {"role": "system", "content": "The user is Ann."}


def test_additional_messages_join_the_thread_before_the_run(client: OpenAI, server: Server) -> None:
    extra = [
        {"role": "assistant", "content": "I am listening."},
        {"role": "user", "content": [{"type": "text", "text": "hello again"}], "metadata": {"n": "1"}},
    ]
    run = ask(client, "hello", additional_messages=extra)
    assert [(message["role"], message["content"]) for message in server.requests(run.thread_id)[0]["messages"]] == [
        ("user", "hello"),
        ("assistant", "I am listening."),
        ("user", "hello again"),
    ]
    listed = client.beta.threads.messages.list(run.thread_id, order="asc").data
    assert [message.role for message in listed] == ["user", "assistant", "user", "assistant"]
    assert listed[2].metadata == {"n": "1"}
    assert listed[2].run_id is None


PASSED_ON: list[tuple[dict[str, Any], str, Any]] = [
    ({"temperature": 0.25}, "temperature", 0.25),
    ({"temperature": 0}, "temperature", 0),
    ({"top_p": 0.5}, "top_p", 0.5),
    ({"reasoning_effort": "low"}, "reasoning_effort", "low"),
    ({"max_completion_tokens": 300}, "max_tokens", 300),
    ({"response_format": {"type": "json_object"}}, "response_format", {"type": "json_object"}),
    ({"parallel_tool_calls": False, "tools": [WEATHER]}, "parallel_tool_calls", False),
    ({"tools": [WEATHER]}, "parallel_tool_calls", True),
    ({"tools": [WEATHER]}, "tool_choice", "auto"),
    ({"tools": [WEATHER], "tool_choice": "required"}, "tool_choice", "required"),
]


@pytest.mark.parametrize(("parameter", "name", "value"), PASSED_ON, ids=lambda value: str(value)[:40])
def test_a_parameter_is_passed_on(
    client: OpenAI, server: Server, parameter: dict[str, Any], name: str, value: Any
) -> None:
    run = ask(client, "answer in JSON", **parameter)
    assert server.requests(run.thread_id)[0][name] == value


def test_a_json_schema_is_passed_on_whole(client: OpenAI, server: Server) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
    run = ask(client, "hello", response_format=wanted)
    assert server.requests(run.thread_id)[0]["response_format"] == wanted


def test_functions_are_offered_as_they_were_defined(client: OpenAI, server: Server) -> None:
    strict = function(
        "now", strict=True, parameters={"type": "object", "properties": {}, "additionalProperties": False}
    )
    run = ask(client, "hello", tools=[WEATHER, strict])
    offered = server.requests(run.thread_id)[0]["tools"]
    assert [tool["function"]["name"] for tool in offered] == ["get_weather", "now"]
    assert offered[0]["function"]["description"] == WEATHER["function"]["description"]
    assert offered[0]["function"]["parameters"] == WEATHER["function"]["parameters"]
    assert offered[1]["function"]["strict"] is True


def test_tool_choice_none_keeps_the_model_from_calling(client: OpenAI, server: Server) -> None:
    run = ask(client, "hello", tools=[WEATHER], tool_choice="none")
    (asked,) = server.requests(run.thread_id)
    assert asked["tool_choice"] == "none" or asked["tools"] == []


FORCED: list[Any] = ["required", {"type": "function", "function": {"name": "get_weather"}}]


@pytest.mark.parametrize("choice", FORCED, ids=["required", "named"])
def test_a_forced_tool_choice_holds_for_the_first_call_of_the_model_only(
    client: OpenAI, server: Server, choice: Any
) -> None:
    run = ask(client, "call once", tools=[WEATHER], tool_choice=choice)
    submit(client, run, "sunny")
    first, second = server.requests(run.thread_id)
    assert first["tool_choice"] == choice
    assert second["tool_choice"] == "auto"
    assert second["tools"] == first["tools"]


def test_a_forced_tool_choice_holds_again_in_the_next_run(client: OpenAI, server: Server) -> None:
    first = submit(client, ask(client, "call once", tools=[WEATHER], tool_choice="required"), "sunny")
    tools: list[Any] = [WEATHER]
    second = client.beta.threads.runs.create(
        first.thread_id,
        assistant_id=first.assistant_id,
        tools=tools,
        tool_choice="required",
        additional_messages=[{"role": "user", "content": "hello"}],
    )
    at_rest(client, second)
    assert [asked["tool_choice"] for asked in server.requests(first.thread_id)] == ["required", "auto", "required"]


def test_the_model_reads_its_calls_and_their_outputs(client: OpenAI, server: Server) -> None:
    run = ask(client, "look it up and say so", tools=[WEATHER])
    submit(client, run, "sunny", "")
    question, called, first, second = server.requests(run.thread_id)[1]["messages"]
    assert question == {"role": "user", "content": "look it up and say so"}
    assert (called["role"], called["content"]) == ("assistant", "Let me look.")
    assert [call["function"]["arguments"] for call in called["tool_calls"]] == ['{"city":"Paris"}', '{"city":"Rome"}']
    ids = [call["id"] for call in called["tool_calls"]]
    assert first == {"role": "tool", "tool_call_id": ids[0], "content": "sunny"}
    assert second == {"role": "tool", "tool_call_id": ids[1], "content": ""}


def test_the_next_run_reads_the_calls_of_the_last(client: OpenAI, server: Server) -> None:
    run = submit(client, ask(client, "call once", tools=[WEATHER]), "sunny")
    again = client.beta.threads.runs.create(
        run.thread_id, assistant_id=run.assistant_id, additional_messages=[{"role": "user", "content": "thanks"}]
    )
    at_rest(client, again)
    roles = [message["role"] for message in server.requests(run.thread_id)[-1]["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


def test_truncation_keeps_the_newest_messages(client: OpenAI, server: Server) -> None:
    older = [{"role": "user", "content": f"line {n}"} for n in range(5)]
    run = ask(
        client,
        "line -1",
        instructions="Be brief.",
        additional_messages=older,
        truncation_strategy={"type": "last_messages", "last_messages": 2},
    )
    contents = [message["content"] for message in server.requests(run.thread_id)[0]["messages"]]
    assert contents == ["Be brief.", "line 3", "line 4"]


def test_a_prompt_grows_only_at_its_end(client: OpenAI, server: Server) -> None:
    assistant = client.beta.assistants.create(model="script", instructions="Be brief.")
    thread = client.beta.threads.create()
    for n in range(4):
        client.beta.threads.messages.create(thread.id, role="user", content=f"line {n}")
        at_rest(client, client.beta.threads.runs.create(thread.id, assistant_id=assistant.id))
    prompts = [asked["messages"] for asked in server.requests(thread.id)]
    for before, after in itertools.pairwise(prompts):
        assert after[: len(before)] == before
        assert len(after) == len(before) + 2


def test_image_parts_reach_the_model(client: OpenAI, server: Server) -> None:
    content = [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": "https://example.org/cat.png", "detail": "low"}},
    ]
    run = ask(client, "hello", additional_messages=[{"role": "user", "content": content}])
    assert run.status == "completed"
    text, image = server.requests(run.thread_id)[0]["messages"][-1]["content"]
    assert text == {"type": "text", "text": "what is this?"}
    assert image == {"type": "image_url", "image_url": {"url": "https://example.org/cat.png", "detail": "low"}}


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001"
    "e221bc330000000049454e44ae426082"
)


def test_an_image_file_reaches_the_model_as_its_bytes(client: OpenAI, server: Server) -> None:
    file = client.files.create(file=("pixel.png", PIXEL, "image/png"), purpose="vision")
    content = [{"type": "image_file", "image_file": {"file_id": file.id}}, {"type": "text", "text": "and this?"}]
    run = ask(client, "hello", additional_messages=[{"role": "user", "content": content}])
    assert run.status == "completed"
    image, text = server.requests(run.thread_id)[0]["messages"][-1]["content"]
    assert image["type"] == "image_url"
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert text["text"] == "and this?"


def test_attachments_stay_on_their_message_and_the_run_goes_on(client: OpenAI) -> None:
    file = client.files.create(file=("notes.txt", b"some notes"), purpose="assistants")
    attachments = [{"file_id": file.id, "tools": [{"type": "file_search"}]}]
    run = ask(
        client, "hello", additional_messages=[{"role": "user", "content": "see this", "attachments": attachments}]
    )
    assert run.status == "completed"
    attached = client.beta.threads.messages.list(run.thread_id, order="asc").data[1].attachments
    assert attached is not None
    assert [attachment.to_dict() for attachment in attached] == attachments


def test_an_edited_message_is_read_anew(client: OpenAI, server: Server) -> None:
    run = ask(client, "hello")
    (question,) = [message for message in client.beta.threads.messages.list(run.thread_id) if message.role == "user"]
    client.beta.threads.messages.update(question.id, thread_id=run.thread_id, extra_body={"content": "hi"})
    again = client.beta.threads.runs.create(run.thread_id, assistant_id=run.assistant_id)
    at_rest(client, again)
    assert server.requests(run.thread_id)[-1]["messages"][0] == {"role": "user", "content": "hi"}


def test_a_deleted_message_is_forgotten(client: OpenAI, server: Server) -> None:
    run = ask(client, "hello")
    (question,) = [message for message in client.beta.threads.messages.list(run.thread_id) if message.role == "user"]
    client.beta.threads.messages.delete(question.id, thread_id=run.thread_id)
    again = client.beta.threads.runs.create(
        run.thread_id, assistant_id=run.assistant_id, additional_messages=[{"role": "user", "content": "bye"}]
    )
    at_rest(client, again)
    contents = [message["content"] for message in server.requests(run.thread_id)[-1]["messages"]]
    assert contents == ["You said: hello", "bye"]


def test_an_alias_asks_the_model_it_stands_for(client: OpenAI) -> None:
    run = ask(client, "hello", model="gpt-4o-mini")
    assert run.model == "gpt-4o-mini"
    assert answers(client, run) == ["You said: hello"]
