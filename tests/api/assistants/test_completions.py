"""/v1/completions through the SDK: every form of prompt, several at once, streamed or not, and what is refused."""

from typing import Any
from uuid import uuid4

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.refusals import assert_refused
from tests.harness.server import SCRIPT, Server

URL = "/v1/completions"
ABLE = {"backend": "scripted", "script": str(SCRIPT.with_name("able.json")), "abilities": ["logprobs"]}


def texts(client: openai.OpenAI, prompt: Any, **more: Any) -> list[str]:
    answer = client.completions.create(model="gpt-4o", prompt=prompt, **more)
    assert [choice.index for choice in answer.choices] == list(range(len(answer.choices)))
    return [choice.text for choice in answer.choices]


def lenient(client: openai.OpenAI) -> openai.OpenAI:
    """The SDK's type of a streamed choice forgets that its finish reason is null until the last."""
    return client.with_options(_extra_kwargs={"_strict_response_validation": False})


def test_an_answer_has_every_field(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="gpt-4o", prompt="cost exactly")
    assert answer.id.startswith("cmpl-")
    assert (answer.object, answer.model) == ("text_completion", "gpt-4o")
    (choice,) = answer.choices
    assert (choice.text, choice.index, choice.finish_reason, choice.logprobs) == ("Done.", 0, "stop", None)
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (100, 20, 120)


async def test_the_async_client_gets_the_same(aclient: openai.AsyncOpenAI) -> None:
    answer = await aclient.completions.create(model="gpt-4o", prompt="echo: hi")
    assert answer.choices[0].text == "echo: hi"


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("echo: a", ["echo: a"]),
        (["echo: a"], ["echo: a"]),
        (["echo: a", "echo: b", "echo: 竹"], ["echo: a", "echo: b", "echo: 竹"]),
        ([3123, 25, 264], ["echo: a"]),
        ([[3123, 25, 264], [3123, 25, 293]], ["echo: a", "echo: b"]),
    ],
)
def test_prompts_are_texts_or_tokens_one_or_several(client: openai.OpenAI, prompt: Any, said: list[str]) -> None:
    assert texts(client, prompt) == said


def test_each_prompt_has_its_n_answers_in_order(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="gpt-4o", prompt=["cost exactly", "echo: b"], n=2)
    assert [choice.text for choice in answer.choices] == ["Done.", "Done.", "echo: b", "echo: b"]
    assert answer.usage is not None
    assert 100 < answer.usage.prompt_tokens < 110  # each prompt is paid for once


@pytest.mark.parametrize(("more", "words"), [({}, 16), ({"max_tokens": 5}, 5)])
def test_an_answer_is_cut_at_max_tokens_or_sixteen(client: openai.OpenAI, more: Any, words: int) -> None:
    answer = client.completions.create(model="gpt-4o", prompt="talk for long", **more)
    assert answer.choices[0].text.split() == ["word"] * words
    assert answer.choices[0].finish_reason == "length"


def test_a_streamed_answer_is_the_answer_in_pieces(client: openai.OpenAI) -> None:
    chunks = list(lenient(client).completions.create(model="gpt-4o", prompt="tell a story", stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == "Once upon a time."
    assert len([chunk for chunk in chunks if chunk.choices[0].text]) > 1
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == "stop"
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1


def test_several_are_streamed_under_their_numbers(client: openai.OpenAI) -> None:
    *chunks, last = lenient(client).completions.create(
        model="gpt-4o",
        prompt=["cost exactly", "echo: b"],
        n=2,
        stream=True,
        stream_options={"include_usage": True},
    )
    said = dict.fromkeys(range(4), "")
    for chunk in chunks:
        said[chunk.choices[0].index] += chunk.choices[0].text
    assert list(said.values()) == ["Done.", "Done.", "echo: b", "echo: b"]
    assert last.choices == []
    assert last.usage is not None and last.usage.prompt_tokens > 100


def test_parameters_reach_the_model(client: openai.OpenAI, server: Server) -> None:
    marker = uuid4().hex
    texts(client, f"echo: {marker}", temperature=0.5, top_p=0.25, seed=7, stop=["END"], presence_penalty=0.1, best_of=1)
    (asked,) = [request for request in server.requests() if marker in str(request["messages"])]
    assert (asked["temperature"], asked["top_p"], asked["max_tokens"]) == (0.5, 0.25, 16)
    assert asked["prompt"] == asked["messages"][0]["content"] == f"echo: {marker}"
    assert asked["messages"][0]["role"] == "user"
    assert asked["extra"] == {"seed": 7, "stop": ["END"], "presence_penalty": 0.1}


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "prompt", "missing_required_parameter"),
        ({"prompt": ""}, "prompt", "string_below_min_length"),
        ({"prompt": []}, "prompt", "empty_array"),
        ({"prompt": ["a", 1]}, "prompt[1]", "invalid_type"),
        ({"prompt": [100_256]}, "prompt", "invalid_value"),
        ({"prompt": "a", "suffix": "z"}, "suffix", "unsupported_parameter"),
        ({"prompt": "a", "echo": True}, "echo", "unsupported_parameter"),
        ({"prompt": "a", "best_of": 3, "n": 2}, "best_of", "unsupported_parameter"),
        ({"prompt": "a", "logprobs": 2}, "logprobs", "unsupported_parameter"),
        ({"prompt": "a", "logprobs": 6}, "logprobs", "integer_above_max_value"),
        ({"prompt": ["a", "b"], "n": 65}, "n", "invalid_value"),
        ({"prompt": ["a"] * 129}, "prompt", "array_above_max_length"),
        ({"prompt": "a", "max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        ({"prompt": "a", "stream_options": {}}, "stream_options", None),
    ],
)
def test_mistakes_are_refused_by_name(http: httpx2.Client, body: dict[str, Any], param: str, code: str) -> None:
    assert_refused(http.post(URL, json={"model": "gpt-4o", **body}), 400, param=param, code=code)


def test_an_unknown_model_is_a_404_that_names_those_there_are(http: httpx2.Client) -> None:
    answer = http.post(URL, json={"model": "gpt-9", "prompt": "a"})
    assert "gpt-4o" in assert_refused(answer, 404, param="model", code="model_not_found")


@pytest.mark.parametrize("stream", [False, True])
def test_a_failing_model_is_an_error_with_its_status(http: httpx2.Client, stream: bool) -> None:
    answer = http.post(URL, json={"model": "gpt-4o", "prompt": "fault rate_limit", "stream": stream})
    assert answer.status_code == 429


def test_a_model_server_goes_on_with_the_text_where_it_can(clients: Clients, start_server: StartServer) -> None:
    """At its own /v1/completions; where it has none, the text is a user's message of a chat."""
    upstream = start_server(models={"able": ABLE})
    far = {"backend": "openai_compatible", "base_url": upstream.base_url, "model": "able"}
    client = clients.sdk(start_server(models={"raw": far, "chatting": {**far, "raw_prompts": False}}))
    for model, path in (("raw", "POST /v1/completions "), ("chatting", "POST /v1/chat/completions ")):
        upstream.mark_log()
        answer = client.completions.create(model=model, prompt="say it", logprobs=1)
        assert answer.choices[0].text == "It is said."
        logprobs = answer.choices[0].logprobs
        assert logprobs is not None
        assert (logprobs.tokens, logprobs.text_offset) == (["It ", "is said."], [0, 3])
        assert (logprobs.token_logprobs, logprobs.top_logprobs) == ([-0.5, -0.5], [{"It ": -0.5}, {"is said.": -0.5}])
        assert upstream.lines_with(path)
        chunks = list(lenient(client).completions.create(model=model, prompt="say it", logprobs=1, stream=True))
        assert [chunk.choices[0].logprobs.text_offset for chunk in chunks if chunk.choices[0].logprobs] == [[0], [3]]
        assert client.completions.create(model=model, prompt="say it").usage is not None
