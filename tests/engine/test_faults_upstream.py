"""Runs on a model server that misbehaves: they end failed and say what happened, or succeed after a retry.

What the backend does with each fault in detail is tested in tests/ports; this is what of it an app sees.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.types.beta.threads import Run

from tests.harness.clients import Clients
from tests.harness.server import Server
from zhuli.testing import upstream as say
from zhuli.testing.upstream import FaultyUpstream, Reply

pytestmark = pytest.mark.parametrize("storage", ["sqlite"])

NOWHERE = "http://127.0.0.1:9/v1"
QUICK = {
    "backend": "openai_compatible",
    "retries": 2,
    "retry_base_delay": 0.01,
    "first_token_timeout": 2,
    "idle_timeout": 2,
}
PARIS = {
    "index": 0,
    "id": "call_paris",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
}

FAULTS: dict[str, tuple[Reply, str, str]] = {
    "refuses": (say.refuse(), "server_error", "closed the connection"),
    "stalls at once": (say.stall(), "server_error", "gave no answer within 2 s"),
    "stalls in the middle": (say.stall(after="Half of"), "server_error", "fell silent"),
    "answers 500": (say.status(500, "out of memory"), "server_error", "answered 500: out of memory"),
    "answers 429": (say.status(429, "too many requests"), "rate_limit_exceeded", "too many requests"),
    "answers 400": (say.status(400, "the prompt is too long"), "invalid_prompt", "the prompt is too long"),
    "answers 401": (say.status(401, "no such key"), "server_error", "no such key"),
    "cuts the stream": (say.cut(), "server_error", "cut the stream"),
    "sends broken JSON": (say.broken_json(), "server_error", "JSON"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_model_server_that_misbehaves_fails_the_run_and_the_run_says_why(
    clients: Clients, start_server: Callable[..., Server], fault: str
) -> None:
    reply, code, words = FAULTS[fault]
    run, texts = await ask(clients, start_server, [reply])
    assert run.status == "failed"
    assert run.last_error is not None
    assert run.last_error.code == code
    assert words in run.last_error.message
    assert texts in ([], ["Half of"])


async def test_a_model_server_that_is_not_there_fails_the_run(
    clients: Clients, start_server: Callable[..., Server]
) -> None:
    run, _ = await ask_at(clients, start_server, NOWHERE)
    assert run.status == "failed"
    assert run.last_error is not None and "can't be reached" in run.last_error.message


RETRIED: dict[str, list[Reply]] = {
    "429, then an answer": [say.status(429, headers={"Retry-After": "0"}), say.answer("Hello.")],
    "two 500s, then an answer": [say.status(500), say.status(503), say.answer("Hello.")],
    "a hang-up, then an answer": [say.refuse(), say.answer("Hello.")],
    "a cut before the first word, then an answer": [say.cut(after=""), say.answer("Hello.")],
}


@pytest.mark.parametrize("case", RETRIED)
async def test_a_fault_before_the_first_word_is_tried_again(
    clients: Clients, start_server: Callable[..., Server], case: str
) -> None:
    run, texts = await ask(clients, start_server, RETRIED[case])
    assert run.status == "completed"
    assert texts == ["Hello."]
    assert run.usage is not None and run.usage.to_dict() == {
        "prompt_tokens": 7,
        "completion_tokens": 1,
        "total_tokens": 8,
    }


async def test_functions_of_a_model_server_reach_the_client(
    clients: Clients, start_server: Callable[..., Server]
) -> None:
    weather = {"type": "function", "function": {"name": "get_weather"}}
    run, _ = await ask(clients, start_server, [say.tool_calls(PARIS)], tools=[weather])
    assert run.status == "requires_action"
    assert run.required_action is not None
    (call,) = run.required_action.submit_tool_outputs.tool_calls
    assert (call.id, call.function.name, call.function.arguments) == ("call_paris", "get_weather", '{"city":"Paris"}')


async def test_cancelling_a_run_hangs_up_on_its_model_server(
    clients: Clients, start_server: Callable[..., Server]
) -> None:
    async with FaultyUpstream([say.stall(after="Half of")]) as upstream:
        client = await _client(clients, start_server, upstream.base_url)
        run = await _begin(client)
        while not upstream.requests:
            await asyncio.sleep(0.02)
        await client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
        await asyncio.wait_for(upstream.requests[0].gone.wait(), 30)
        assert (await _at_rest(client, run)).status == "cancelled"
        await clients.aclose()


async def ask(
    clients: Clients, start_server: Callable[..., Server], replies: list[Reply], **run: Any
) -> tuple[Run, list[str]]:
    """A run, at rest, on a model server that gives these replies; and the texts that it wrote."""
    async with FaultyUpstream(replies) as upstream:
        return await ask_at(clients, start_server, upstream.base_url, **run)


async def ask_at(
    clients: Clients, start_server: Callable[..., Server], base_url: str, **run: Any
) -> tuple[Run, list[str]]:
    client = await _client(clients, start_server, base_url)
    ended = await _at_rest(client, await _begin(client, **run))
    messages = await client.beta.threads.messages.list(ended.thread_id, run_id=ended.id)
    texts = [block.text.value for message in messages.data for block in message.content if block.type == "text"]
    await clients.aclose()
    return ended, texts


async def _client(clients: Clients, start_server: Callable[..., Server], base_url: str) -> AsyncOpenAI:
    models = {"up": {**QUICK, "base_url": base_url}}
    # On a thread, for the model server lives in this one's event loop.
    return clients.async_sdk(await asyncio.to_thread(lambda: start_server(fresh=True, models=models)))


async def _begin(client: AsyncOpenAI, **run: Any) -> Run:
    assistant = await client.beta.assistants.create(model="up")
    return await client.beta.threads.create_and_run(
        assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "hello"}]}, **run
    )


async def _at_rest(client: AsyncOpenAI, run: Run) -> Run:
    return await client.beta.threads.runs.poll(run.id, thread_id=run.thread_id, poll_interval_ms=50)
