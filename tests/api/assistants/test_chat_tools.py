"""Chat completions beyond function tools: their older form, custom tools, allowed tools, logprobs."""

from typing import Any
from uuid import uuid4

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.refusals import assert_refused, refused
from tests.harness.server import SCRIPT, Server
from tests.harness.stories import WEATHER, function

CHAT = "/v1/chat/completions"
ABLE = {"backend": "scripted", "script": str(SCRIPT.with_name("able.json")), "abilities": ["logprobs", "custom_tools"]}
SHELL: Any = {"type": "custom", "custom": {"name": "shell", "description": "Runs a command."}}
FUNCTIONS: Any = [WEATHER["function"]]


def user(text: str) -> Any:
    return [{"role": "user", "content": text}]


@pytest.fixture
def able(clients: Clients, start_server: StartServer) -> openai.OpenAI:
    """A server whose model "able" gives logprobs and takes custom tools; "far" is that model on another server."""
    upstream = start_server(models={"able": ABLE})
    far = {"backend": "openai_compatible", "base_url": upstream.base_url, "model": "able"}
    return clients.sdk(start_server(models={"able": ABLE, "far": far}))


def asked_with(server: Server, marker: str) -> dict[str, Any]:
    (asked,) = [request for request in server.requests() if marker in str(request["messages"])]
    return asked


def test_functions_are_offered_as_tools_and_called_as_functions(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-4o", messages=user("weather in Paris and Rome"), functions=FUNCTIONS
    )
    (choice,) = answer.choices
    assert choice.finish_reason == "function_call"
    assert choice.message.function_call is not None
    assert choice.message.function_call.name == "get_weather"
    assert choice.message.function_call.arguments == '{"city":"Paris"}'
    assert choice.message.tool_calls is None
    assert choice.message.content is None


def test_functions_are_streamed_as_functions(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="gpt-4o", messages=user("weather in Paris and Rome"), functions=FUNCTIONS, stream=True
    )
    chunks = [chunk.choices[0] for chunk in stream]
    calls = [chunk.delta.function_call for chunk in chunks if chunk.delta.function_call]
    assert [call.name for call in calls if call.name] == ["get_weather"]
    assert "".join(call.arguments or "" for call in calls) == '{"city":"Paris"}'
    assert all(chunk.delta.tool_calls is None for chunk in chunks)
    assert chunks[-1].finish_reason == "function_call"


def test_results_of_functions_go_on_with_the_conversation(client: openai.OpenAI, server: Server) -> None:
    marker = uuid4().hex
    messages: Any = [
        *user("weather?"),
        {
            "role": "assistant",
            "content": None,
            "function_call": {"name": "get_weather", "arguments": '{"city":"Rome"}'},
        },
        {"role": "function", "name": "get_weather", "content": "rain"},
        {"role": "assistant", "content": "It rains."},
        *user(f"echo: {marker}"),
    ]
    client.chat.completions.create(model="gpt-4o", messages=messages, functions=FUNCTIONS, function_call="none")
    asked = asked_with(server, marker)
    assert asked["tool_choice"] == "none"
    assert asked["tools"][0]["function"]["name"] == "get_weather"
    assert [message["role"] for message in asked["messages"]] == ["user", "assistant", "tool", "assistant", "user"]
    called, result = asked["messages"][1:3]
    assert called["tool_calls"][0]["function"] == {"name": "get_weather", "arguments": '{"city":"Rome"}'}
    assert (result["tool_call_id"], result["content"]) == (called["tool_calls"][0]["id"], "rain")
    assert "function_call" not in called


def test_a_result_whose_call_was_left_out_is_a_conversation_too(client: openai.OpenAI, server: Server) -> None:
    marker = uuid4().hex
    messages: Any = [{"role": "function", "name": "f", "content": "1"}, *user(f"echo: {marker}")]
    client.chat.completions.create(model="gpt-4o", messages=messages)
    roles = [message["role"] for message in asked_with(server, marker)["messages"]]
    assert roles == ["assistant", "tool", "user"]


def test_a_function_may_be_demanded(client: openai.OpenAI, server: Server) -> None:
    marker = uuid4().hex
    client.chat.completions.create(
        model="gpt-4o", messages=user(f"echo: {marker}"), functions=FUNCTIONS, function_call={"name": "get_weather"}
    )
    asked = asked_with(server, marker)
    assert asked["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}
    assert asked["parallel_tool_calls"] is False


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"functions": FUNCTIONS, "tools": [WEATHER]}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"functions": []}, "functions"),
        ({"functions": FUNCTIONS * 129}, "functions"),
        ({"tools": [WEATHER] * 129}, "tools"),
        ({"functions": FUNCTIONS, "function_call": {}}, "function_call.name"),
        ({"functions": [{"description": "x"}]}, "functions[0].name"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"tools": [{"type": "wonder"}]}, "tools[0].type"),
        ({"tools": [{"type": "custom", "custom": {}}]}, "tools[0].custom.name"),
        ({"tools": [WEATHER], "tool_choice": {"type": "allowed_tools"}}, "tool_choice.allowed_tools"),
    ],
)
def test_mistakes_are_refused_by_name(http: httpx2.Client, more: dict[str, Any], param: str) -> None:
    error = http.post(CHAT, json={"model": "gpt-4o", "messages": user("hi"), **more})
    assert (error.status_code, error.json()["error"]["param"]) == (400, param)


def test_what_a_model_does_not_do_is_refused_with_what_would_be_right(client: openai.OpenAI) -> None:
    with refused(400, param="logprobs", code="unsupported_parameter"):
        client.chat.completions.create(model="gpt-4o", messages=user("hi"), logprobs=True)
    with refused(400, param="tools[1].type", code="unsupported_parameter") as caught:
        client.chat.completions.create(model="gpt-4o", messages=user("hi"), tools=[WEATHER, SHELL])
    assert '"input"' in caught.value.message


def test_only_allowed_tools_are_offered(client: openai.OpenAI, server: Server) -> None:
    """As by the model that knows this choice, so by every other."""
    for mode in ("auto", "required"):
        marker = uuid4().hex
        allowed: Any = {"mode": mode, "tools": [{"type": "function", "function": {"name": "get_time"}}]}
        client.chat.completions.create(
            model="gpt-4o",
            messages=user(f"echo: {marker}"),
            tools=[WEATHER, function("get_time")],  # type: ignore[list-item]
            tool_choice={"type": "allowed_tools", "allowed_tools": allowed},
        )
        asked = asked_with(server, marker)
        assert [tool["function"]["name"] for tool in asked["tools"]] == ["get_time"]
        assert asked["tool_choice"] == mode


def test_an_allowed_tool_must_be_there(http: httpx2.Client) -> None:
    allowed = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "nothing"}}]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    body = {"model": "gpt-4o", "messages": user("hi"), "tools": [WEATHER], "tool_choice": choice}
    answer = http.post(CHAT, json=body)
    message = assert_refused(answer, 400, param="tool_choice.allowed_tools.tools[0]", code="invalid_value")
    assert "There are: 'get_weather'." in message


@pytest.mark.parametrize("model", ["able", "far"])
def test_custom_tools_are_called_with_free_text(able: openai.OpenAI, model: str) -> None:
    answer = able.chat.completions.create(model=model, messages=user("run ls"), tools=[SHELL])
    (choice,) = answer.choices
    calls: Any = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"
    assert [(call.type, call.custom.name, call.custom.input) for call in calls] == [("custom", "shell", "ls -la")]
    told: Any = [
        *user("run ls"),
        choice.message.to_dict(),
        {"role": "tool", "tool_call_id": calls[0].id, "content": "a.txt"},
    ]
    again = able.chat.completions.create(model=model, messages=told, tools=[SHELL])
    assert again.choices[0].message.content == "The tool says: a.txt"


@pytest.mark.parametrize("model", ["able", "far"])
def test_custom_tools_are_streamed(able: openai.OpenAI, model: str) -> None:
    body = {"model": model, "messages": user("run ls"), "tools": [SHELL], "stream": True}
    stream = able.post(CHAT.removeprefix("/v1"), body=body, cast_to=httpx2.Response)
    assert stream.status_code == 200
    assert '"type":"custom"' in stream.text
    assert '"input":"ls ' in stream.text


@pytest.mark.parametrize("model", ["able", "far"])
def test_logprobs_are_those_of_the_model(able: openai.OpenAI, model: str) -> None:
    answer = able.chat.completions.create(model=model, messages=user("say it"), logprobs=True, top_logprobs=1)
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None and logprobs.content is not None
    assert "".join(token.token for token in logprobs.content) == "It is said."
    assert {token.logprob for token in logprobs.content} == {-0.5}
    assert all(len(token.top_logprobs) == 1 for token in logprobs.content)
    assert able.chat.completions.create(model=model, messages=user("say it")).choices[0].logprobs is None


@pytest.mark.parametrize("model", ["able", "far"])
def test_logprobs_are_streamed(able: openai.OpenAI, model: str) -> None:
    chunks = list(able.chat.completions.create(model=model, messages=user("say it"), logprobs=True, stream=True))
    found = [chunk.choices[0].logprobs for chunk in chunks if chunk.choices[0].logprobs]
    assert "".join(token.token for each in found for token in each.content or ()) == "It is said."
