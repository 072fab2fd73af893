"""Chat completions in one piece: the same models behind the API that most libraries speak. Not their streams."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx2
import openai
import pytest
from pydantic import BaseModel

from tests.harness.refusals import assert_refused, refused
from tests.harness.server import Server

CHAT = "/v1/chat/completions"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def user(text: str) -> Any:
    return [{"role": "user", "content": text}]


def test_an_answer_has_every_field(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4o", messages=user("echo: hi"))
    assert answer.id.startswith("chatcmpl-")
    assert (answer.object, answer.model) == ("chat.completion", "gpt-4o")
    (choice,) = answer.choices
    assert (choice.index, choice.finish_reason, choice.logprobs) == (0, "stop", None)
    assert (choice.message.role, choice.message.content, choice.message.refusal) == ("assistant", "echo: hi", None)
    assert choice.message.tool_calls is None
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_usage_is_what_the_model_counted(client: openai.OpenAI) -> None:
    usage = client.chat.completions.create(model="gpt-4o", messages=user("cost exactly")).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (100, 20, 120)


async def test_the_async_client_gets_the_same(aclient: openai.AsyncOpenAI) -> None:
    answer = await aclient.chat.completions.create(model="gpt-4o", messages=user("echo: hi"))
    assert answer.choices[0].message.content == "echo: hi"


def test_every_role_and_kind_of_content_reaches_the_model(client: openai.OpenAI, server: Server) -> None:
    marker = uuid4().hex
    messages: Any = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}], "name": "Ann"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "assistant", "content": "Sunny."},
        {"role": "user", "content": f"echo: {marker}"},
    ]
    answer = client.chat.completions.create(model="gpt-4o", messages=messages, tools=[WEATHER])
    assert answer.choices[0].message.content == f"echo: {marker}"
    asked = asked_with(server, marker)["messages"]
    assert [message["role"] for message in asked] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert asked[2]["tool_calls"][0]["function"] == {"name": "get_weather", "arguments": "{}"}
    assert (asked[3]["tool_call_id"], asked[3]["content"]) == ("call_1", "sunny")


def test_a_developer_is_heard_like_a_system(client: openai.OpenAI) -> None:
    messages: Any = [{"role": "developer", "content": "Be brief."}, *user("echo: hi")]
    assert client.chat.completions.create(model="gpt-4o", messages=messages).choices[0].message.content == "echo: hi"


def test_tool_calls_come_back_with_ids_names_and_arguments(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4o", messages=user("weather in Paris and Rome"), tools=[WEATHER])
    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    calls: Any = choice.message.tool_calls
    assert [(call.type, call.function.name, json.loads(call.function.arguments)["city"]) for call in calls] == [
        ("function", "get_weather", "Paris"),
        ("function", "get_weather", "Rome"),
    ]
    assert len({call.id for call in calls}) == 2


def test_tool_outputs_continue_the_conversation(client: openai.OpenAI) -> None:
    first = client.chat.completions.create(model="gpt-4o", messages=user("call once"), tools=[WEATHER])
    message: Any = first.choices[0].message
    messages = [
        *user("call once"),
        message.to_dict(),
        {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "rain"},
    ]
    second = client.chat.completions.create(model="gpt-4o", messages=messages, tools=[WEATHER])
    assert second.choices[0].message.content == "Called once: rain"


def test_parameters_reach_the_model(client: openai.OpenAI, server: Server) -> None:
    marker = uuid4().hex
    client.chat.completions.create(
        model="gpt-4o",
        messages=user(f"echo: {marker}"),
        temperature=0.5,
        top_p=0.25,
        seed=7,
        stop=["\n", "END"],
        presence_penalty=0.1,
        frequency_penalty=0.2,
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        parallel_tool_calls=False,
        reasoning_effort="low",
        max_completion_tokens=50,
    )
    asked = asked_with(server, marker)
    assert (asked["temperature"], asked["top_p"], asked["max_tokens"]) == (0.5, 0.25, 50)
    assert asked["reasoning_effort"] == "low"
    assert asked["parallel_tool_calls"] is False
    assert asked["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}
    assert [tool["function"]["name"] for tool in asked["tools"]] == ["get_weather"]
    extra = asked["extra"]
    assert (extra["seed"], extra["stop"]) == (7, ["\n", "END"])
    assert (extra["presence_penalty"], extra["frequency_penalty"]) == (0.1, 0.2)


def test_a_parsed_answer_is_an_object(client: openai.OpenAI, server: Server) -> None:
    class Point(BaseModel):
        x: int
        label: str

    marker = uuid4().hex
    answer = client.chat.completions.parse(
        model="gpt-4o", messages=user(f'{{"x": 4, "label": "{marker}"}}'), response_format=Point
    )
    assert answer.choices[0].message.parsed == Point(x=4, label=marker)
    response_format = asked_with(server, marker)["response_format"]
    assert response_format["type"] == "json_schema"
    assert response_format["json_schema"]["strict"] is True
    assert set(response_format["json_schema"]["schema"]["properties"]) == {"x", "label"}


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_an_answer_that_is_cut_says_length(client: openai.OpenAI, name: str) -> None:
    answer = client.chat.completions.create(model="gpt-4o", messages=user("talk for long"), **{name: 5})  # type: ignore[call-overload]
    assert answer.choices[0].finish_reason == "length"
    assert answer.choices[0].message.content.split() == ["word"] * 5


def test_a_refusal_is_a_refusal(client: openai.OpenAI) -> None:
    message = client.chat.completions.create(model="gpt-4o", messages=user("do something bad")).choices[0].message
    assert (message.content, message.refusal) == (None, "I can't do that.")


def test_several_choices_are_numbered_and_paid_for_together(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4o", messages=user("cost exactly"), n=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert [choice.message.content for choice in answer.choices] == ["Done."] * 3
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (100, 60)


def test_an_unknown_model_is_a_404_that_names_those_there_are(client: openai.OpenAI) -> None:
    with refused(404, param="model", code="model_not_found") as caught:
        client.chat.completions.create(model="gpt-9", messages=user("hi"))
    message = caught.value.body["message"]  # type: ignore[index]
    assert "'gpt-9'" in message and "gpt-4o" in message


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"messages": user("hi")}, "model", "missing_required_parameter"),
        ({"model": "gpt-4o"}, "messages", "missing_required_parameter"),
        ({"model": "gpt-4o", "messages": []}, "messages", "empty_array"),
        ({"model": "gpt-4o", "messages": "hi"}, "messages", "invalid_type"),
        ({"model": "gpt-4o", "messages": [{"role": "judge", "content": "hi"}]}, "messages[0].role", "invalid_value"),
        ({"model": "gpt-4o", "messages": [{"content": "hi"}]}, "messages[0].role", "missing_required_parameter"),
        ({"model": "gpt-4o", "messages": user("hi"), "temperature": 2.1}, "temperature", "decimal_above_max_value"),
        ({"model": "gpt-4o", "messages": user("hi"), "top_p": -0.1}, "top_p", "decimal_below_min_value"),
        ({"model": "gpt-4o", "messages": user("hi"), "n": 0}, "n", "integer_below_min_value"),
        ({"model": "gpt-4o", "messages": user("hi"), "n": 129}, "n", "integer_above_max_value"),
        ({"model": "gpt-4o", "messages": user("hi"), "stop": ["a"] * 5}, "stop", "array_above_max_length"),
        (
            {"model": "gpt-4o", "messages": user("hi"), "presence_penalty": 3},
            "presence_penalty",
            "decimal_above_max_value",
        ),
        ({"model": "gpt-4o", "messages": user("hi"), "stream": "yes"}, "stream", "invalid_type"),
    ],
)
def test_bad_parameters_are_refused_by_name(http: httpx2.Client, body: dict[str, Any], param: str, code: str) -> None:
    assert_refused(http.post(CHAT, json=body), 400, param=param, code=code)


@pytest.mark.parametrize(
    ("part", "param", "code"),
    [
        ({"type": "text", "text": 5}, "text", "invalid_type"),
        ({"type": "text", "text": None}, "text", "invalid_type"),
        ({"type": "text", "text": {"value": "hi"}}, "text", "invalid_type"),
        ({"type": "text"}, "text", "missing_required_parameter"),
        ({"type": "refusal", "refusal": ["no"]}, "refusal", "invalid_type"),
        ({"type": "refusal"}, "refusal", "missing_required_parameter"),
        ({"type": "image_url", "image_url": 5}, "image_url", "invalid_type"),
        ({"type": "image_url", "image_url": {"url": 5}}, "image_url.url", "invalid_type"),
        ({"type": "image_url"}, "image_url", "missing_required_parameter"),
        ({"text": "hi"}, "type", "missing_required_parameter"),
    ],
)
def test_a_text_part_that_is_no_text_is_refused_by_name(
    http: httpx2.Client, part: dict[str, Any], param: str, code: str
) -> None:
    for role in ("system", "user", "assistant", "tool"):
        said = [{"role": "user", "content": "hi"}, {"role": role, "content": [{"type": "text", "text": "a"}, part]}]
        answer = http.post(CHAT, json={"model": "gpt-4o", "messages": said})
        assert_refused(answer, 400, param=f"messages[1].content[1].{param}", code=code)


@pytest.mark.parametrize(
    "part", [{"type": "input_audio", "input_audio": {"data": "x"}}, {"type": "refusal", "refusal": "no", "text": 5}]
)
def test_parts_that_only_model_servers_know_are_passed_on(http: httpx2.Client, part: dict[str, Any]) -> None:
    for role in ("system", "user"):
        said = [{"role": role, "content": [part]}, {"role": "user", "content": "echo: hi"}]
        assert http.post(CHAT, json={"model": "gpt-4o", "messages": said}).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status"), [("refuse", 502), ("server_error", 502), ("rate_limit", 429), ("bug", 500)]
)
def test_a_failing_model_is_an_error_in_the_error_shape(http: httpx2.Client, fault: str, status: int) -> None:
    response = http.post(CHAT, json={"model": "gpt-4o", "messages": user(f"fault {fault}")})
    assert response.status_code == status
    assert response.json()["error"]["message"]
    assert "Traceback" not in response.text


def test_completions_do_not_mix_when_they_run_at_once(client: openai.OpenAI) -> None:
    def ask(n: int) -> str | None:
        answer = client.chat.completions.create(model="gpt-4o", messages=user(f"echo: {n}"))
        return answer.choices[0].message.content

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(32))) == [f"echo: {n}" for n in range(32)]


def asked_with(server: Server, marker: str) -> dict[str, Any]:
    """The one request to the model that has this in its last message."""
    (asked,) = [request for request in server.requests() if marker in str(request["messages"][-1]["content"])]
    return asked
