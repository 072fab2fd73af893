"""Chat completions as streams: chunk by chunk, on a real socket. Parameters are in test_chat.py."""

from typing import Any

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from tests.harness.sse import EventParser

CHAT = "/v1/chat/completions"
WEATHER: Any = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


def user(text: str) -> Any:
    return [{"role": "user", "content": text}]


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_a_streamed_answer_is_the_answer_in_pieces(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=user("tell a story"), stream=True))
    assert text_of(chunks) == "Once upon a time."
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
    assert chunks[0].id.startswith("chatcmpl-")
    assert chunks[0].model == "gpt-4o"


def test_pieces_come_as_they_are_made(client: openai.OpenAI) -> None:
    """The model pauses between words: they must not arrive as one chunk at the end."""
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=user("tell a story"), stream=True))
    assert len([chunk for chunk in chunks if chunk.choices[0].delta.content]) > 1


async def test_the_async_client_gets_the_same(aclient: openai.AsyncOpenAI) -> None:
    stream = await aclient.chat.completions.create(model="gpt-4o", messages=user("tell a story"), stream=True)
    assert text_of([chunk async for chunk in stream]) == "Once upon a time."


def test_usage_comes_only_when_asked_for(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=user("cost exactly"), stream=True))
    assert all(chunk.usage is None for chunk in chunks)
    assert all(chunk.choices for chunk in chunks)


def test_usage_comes_last_and_alone(client: openai.OpenAI) -> None:
    *chunks, last = client.chat.completions.create(
        model="gpt-4o", messages=user("cost exactly"), stream=True, stream_options={"include_usage": True}
    )
    assert last.choices == []
    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens, last.usage.total_tokens) == (100, 20, 120)
    assert all(chunk.usage is None for chunk in chunks)
    assert text_of(chunks) == "Done."


def test_stream_options_need_a_stream(http: httpx2.Client) -> None:
    body = {"model": "gpt-4o", "messages": user("hi"), "stream_options": {"include_usage": True}}
    response = http.post(CHAT, json=body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "stream_options"


def test_streamed_tool_calls_have_indexes_and_name_themselves_once(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="gpt-4o", messages=user("weather in Paris and Rome"), tools=[WEATHER], stream=True
        )
    )
    calls: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for piece in chunk.choices[0].delta.tool_calls or []:
            function = piece.function
            assert function is not None
            if piece.index not in calls:
                assert piece.index == len(calls)
                calls[piece.index] = {"id": piece.id, "type": piece.type, "name": function.name, "arguments": ""}
            else:
                assert (piece.id, function.name) == (None, None)
            calls[piece.index]["arguments"] += function.arguments or ""
    assert [(call["type"], call["name"], call["arguments"]) for call in calls.values()] == [
        ("function", "get_weather", '{"city":"Paris"}'),
        ("function", "get_weather", '{"city":"Rome"}'),
    ]
    assert all(call["id"] for call in calls.values())
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_the_sdks_stream_helper_accumulates_the_answer(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(
        model="gpt-4o", messages=user("weather in Paris and Rome"), tools=[WEATHER]
    ) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert "tool_calls.function.arguments.done" in kinds
    assert len(final.choices[0].message.tool_calls or []) == 2


def test_a_refusal_is_streamed_as_a_refusal(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=user("do something bad"), stream=True))
    assert "".join(chunk.choices[0].delta.refusal or "" for chunk in chunks) == "I can't do that."
    assert text_of(chunks) == ""


def test_several_choices_are_told_apart_by_their_index(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=user("tell a story"), n=2, stream=True))
    for index in (0, 1):
        own = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
        assert "".join(choice.delta.content or "" for choice in own) == "Once upon a time."
        assert [choice.finish_reason for choice in own if choice.finish_reason] == ["stop"]


def test_a_cut_answer_says_length(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(model="gpt-4o", messages=user("talk for long"), max_tokens=5, stream=True)
    )
    assert chunks[-1].choices[0].finish_reason == "length"
    assert text_of(chunks).split() == ["word"] * 5


def test_a_model_that_fails_before_it_speaks_is_an_ordinary_error(client: openai.OpenAI) -> None:
    """The status is not sent before the model has said something, so that clients can retry."""
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="gpt-4o", messages=user("fault refuse"), stream=True)
    assert caught.value.status_code == 502


def test_a_model_that_fails_in_the_middle_raises_in_the_client(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="gpt-4o", messages=user("begin and cut"), stream=True)
    said: list[ChatCompletionChunk] = []
    with pytest.raises(openai.APIError) as caught:
        said.extend(stream)
    assert text_of(said) == "I begin"
    assert "cut the stream" in caught.value.message


def test_a_stream_is_server_sent_events_without_names_and_ends_with_done(http: httpx2.Client) -> None:
    body = {"model": "gpt-4o", "messages": user("echo: hi"), "stream": True}
    response = http.post(CHAT, json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert "no-cache" in response.headers["cache-control"]
    events = list(EventParser().feed(response.content))
    assert {event.name for event in events} == {None}
    assert events[-1].data == "[DONE]"


def test_a_client_that_leaves_does_not_harm_the_next(client: openai.OpenAI) -> None:
    for _ in range(3):
        stream = client.chat.completions.create(model="gpt-4o", messages=user("count slowly"), stream=True)
        next(iter(stream))
        stream.close()
    assert (
        client.chat.completions.create(model="gpt-4o", messages=user("echo: hi")).choices[0].message.content
        == "echo: hi"
    )
