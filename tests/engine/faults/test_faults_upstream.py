"""Runs on a model server that misbehaves: they end failed and say what happened, or succeed after a retry.

What the backend does with each fault in detail is tested in tests/ports; this is what of it an app sees.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from openai import AsyncOpenAI
from openai.types.beta.threads import Run

from tests.harness.clients import Clients
from tests.harness.server import Server
from zhuli.testing import upstream as say
from zhuli.testing.upstream import FaultyUpstream, Received, Reply

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.parametrize("storage", ["sqlite"])]

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
"""What the model server does, the code with which the run fails, and words that its last_error must have."""

RETRIED: dict[str, list[Reply]] = {
    "429, then an answer": [say.status(429, headers={"Retry-After": "0"}), say.answer("Hello.")],
    "two 500s, then an answer": [say.status(500), say.status(503), say.answer("Hello.")],
    "a hang-up, then an answer": [say.refuse(), say.answer("Hello.")],
    "a cut before the first word, then an answer": [say.cut(after=""), say.answer("Hello.")],
}

REPLIES: dict[str, list[Reply]] = {
    **{name: [reply] for name, (reply, _, _) in FAULTS.items()},
    **RETRIED,
    "calls a function": [say.tool_calls(PARIS)],
    "is cancelled": [say.stall(after="Half of")],
}


class AsAsked:
    """The question names the replies; each request for it plays the next, the last one plays on."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()

    def __call__(self, request: Received) -> Reply:
        question = str(request.body["messages"][-1]["content"])
        replies = REPLIES[question]
        self._asked[question] += 1
        return replies[min(self._asked[question], len(replies)) - 1]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[FaultyUpstream]:
    async with FaultyUpstream(AsAsked()) as upstream:
        yield upstream


@pytest_asyncio.fixture(loop_scope="module")
async def app(
    upstream: FaultyUpstream, clients: Clients, start_server: Callable[..., Server]
) -> AsyncIterator[AsyncOpenAI]:
    """A client of a server whose model "up" is the model server that misbehaves, and "nowhere" one that is not there."""
    models = {name: {**QUICK, "base_url": url} for name, url in (("up", upstream.base_url), ("nowhere", NOWHERE))}
    # On a thread, for the model server lives in this one's event loop.
    yield clients.async_sdk(await asyncio.to_thread(lambda: start_server(models=models)))
    await clients.aclose()


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_model_server_that_misbehaves_fails_the_run_and_the_run_says_why(app: AsyncOpenAI, fault: str) -> None:
    _, code, words = FAULTS[fault]
    run = await ask(app, fault)
    assert run.status == "failed"
    assert run.last_error is not None
    assert run.last_error.code == code
    assert words in run.last_error.message
    assert await texts_of(app, run) in ([], ["Half of"])


async def test_a_model_server_that_is_not_there_fails_the_run(app: AsyncOpenAI) -> None:
    run = await ask(app, "hello", model="nowhere")
    assert run.status == "failed"
    assert run.last_error is not None and "can't be reached" in run.last_error.message


@pytest.mark.parametrize("case", RETRIED)
async def test_a_fault_before_the_first_word_is_tried_again(app: AsyncOpenAI, case: str) -> None:
    run = await ask(app, case)
    assert run.status == "completed"
    assert await texts_of(app, run) == ["Hello."]
    assert run.usage is not None
    assert run.usage.to_dict() == {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}


async def test_functions_of_a_model_server_reach_the_client(app: AsyncOpenAI) -> None:
    run = await ask(app, "calls a function", tools=[{"type": "function", "function": {"name": "get_weather"}}])
    assert run.status == "requires_action"
    assert run.required_action is not None
    (call,) = run.required_action.submit_tool_outputs.tool_calls
    assert (call.id, call.function.name, call.function.arguments) == ("call_paris", "get_weather", '{"city":"Paris"}')


async def test_cancelling_a_run_hangs_up_on_its_model_server(app: AsyncOpenAI, upstream: FaultyUpstream) -> None:
    before = len(upstream.requests)
    run = await begin(app, "is cancelled")
    while len(upstream.requests) == before:
        await asyncio.sleep(0.02)
    await app.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
    await asyncio.wait_for(upstream.requests[before].gone.wait(), 30)
    assert (await at_rest(app, run)).status == "cancelled"


async def ask(app: AsyncOpenAI, question: str, **run: Any) -> Run:
    """A run on a new thread with this question, at rest."""
    return await at_rest(app, await begin(app, question, **run))


async def begin(app: AsyncOpenAI, question: str, *, model: str = "up", **run: Any) -> Run:
    assistant = await app.beta.assistants.create(model=model)
    begun: Run = await app.beta.threads.create_and_run(
        assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": question}]}, **run
    )
    return begun


async def at_rest(app: AsyncOpenAI, run: Run) -> Run:
    return await app.beta.threads.runs.poll(run.id, thread_id=run.thread_id, poll_interval_ms=50)


async def texts_of(app: AsyncOpenAI, run: Run) -> list[str]:
    """What the run wrote."""
    messages = await app.beta.threads.messages.list(run.thread_id, run_id=run.id)
    return [block.text.value for message in messages.data for block in message.content if block.type == "text"]
