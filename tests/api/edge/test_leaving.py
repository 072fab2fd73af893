"""A client that leaves ends the work for its answer, up to the model server; what was asked under a key, and runs, go on.

The model server falls silent for ever: that its connection closes can only come of the client's leaving.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from tests.harness.clients import Clients
from tests.harness.server import Server
from zhuli.testing import upstream as say
from zhuli.testing.upstream import FaultyUpstream, Received, Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE = 30.0
SHORT = 1.0
"""Seconds that these clients wait for an answer that never comes."""

SLOW = say.answer("Better late than never.", delay=0.5)

DOMAIN: dict[str, Any] = {
    "name": "leaving",
    "understander": {"type": "llm", "model": "up"},
    "intents": [{"name": "greet", "examples": ["hi"]}, {"name": "leave", "examples": ["bye"]}],
}


def reply(request: Received) -> Reply:
    """As the words of the request say; silence where they say nothing."""
    text = json.dumps(request.body)
    if "in time" in text:
        return SLOW
    return say.stall(after="Half of" if "half" in text else "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[FaultyUpstream]:
    async with FaultyUpstream(reply) as upstream:
        yield upstream


@pytest_asyncio.fixture(loop_scope="module")
async def place(upstream: FaultyUpstream, start_server: Callable[..., Server]) -> Server:
    """A server whose model "up" and embedder "far" are a model server that falls silent."""
    up = {"base_url": upstream.base_url}
    models = {"up": {"backend": "openai_compatible", "raw_prompts": False, **up}}
    embedders = {"far": {"plugin": "openai_compatible", "dimensions": 8, **up}}
    return await asyncio.to_thread(lambda: start_server(models=models, embedders=embedders))


@pytest_asyncio.fixture(loop_scope="module")
async def app(place: Server, clients: Clients) -> AsyncIterator[AsyncOpenAI]:
    yield clients.async_sdk(place)
    await clients.aclose()


async def chat(app: AsyncOpenAI, said: str, **more: Any) -> Any:
    return await app.chat.completions.create(model="up", messages=[{"role": "user", "content": said}], **more)


async def read_to_its_end(app: AsyncOpenAI, said: str) -> None:
    async for _ in await chat(app, said, stream=True):
        pass


async def search(app: AsyncOpenAI, said: str) -> None:
    patient = app.with_options(timeout=PATIENCE)
    store = await patient.vector_stores.create(extra_body={"embedder": "far"})
    await app.vector_stores.search(store.id, query=said)


async def understand(app: AsyncOpenAI, said: str) -> None:
    domain: Any = await app.with_options(timeout=PATIENCE).post("/domains", body=DOMAIN, cast_to=object)
    await app.post("/understandings", body={"domain": domain["id"], "input": said}, cast_to=object)


ASKS: dict[str, Callable[[AsyncOpenAI, str], Awaitable[Any]]] = {
    "a chat completion": chat,
    "one that is to be stored": lambda app, said: chat(app, said, store=True),
    "one of three answers": lambda app, said: chat(app, said, n=3),
    "one that is streamed, before its first word": lambda app, said: chat(app, said, stream=True),
    "one that is streamed, in its middle": lambda app, said: read_to_its_end(app, f"{said}, half of it"),
    "a completion": lambda app, said: app.completions.create(model="up", prompt=said),
    "completions of two prompts": lambda app, said: app.completions.create(model="up", prompt=[said, said]),
    "a completion that is streamed": lambda app, said: app.completions.create(model="up", prompt=said, stream=True),
    "embeddings": lambda app, said: app.embeddings.create(model="far", input=[said], encoding_format="float"),
    "a search": search,
    "an understanding": understand,
}


@pytest.mark.parametrize("asked", ASKS)
async def test_a_client_that_leaves_ends_the_work_up_to_the_model_server(
    app: AsyncOpenAI, place: Server, upstream: FaultyUpstream, storage: str, asked: str
) -> None:
    said = f"{asked} on {storage}"
    with pytest.raises(openai.APITimeoutError):
        await ASKS[asked](app.with_options(timeout=SHORT), said)
    mine = await requests_with(upstream, said)
    async with asyncio.timeout(PATIENCE):
        for request in mine:
            await request.gone.wait()
    assert place.lines_with("POST", "→ 499")
    assert "Traceback" not in place.log()


async def test_an_sdk_that_tries_again_leaves_no_work_behind(
    app: AsyncOpenAI, upstream: FaultyUpstream, storage: str
) -> None:
    said = f"again and again on {storage}"
    with pytest.raises(openai.APITimeoutError):
        await chat(app.with_options(timeout=SHORT, max_retries=2), said)
    async with asyncio.timeout(PATIENCE):
        while len(mine := await requests_with(upstream, said)) < 3:
            await asyncio.sleep(0.02)
        for request in mine:
            await request.gone.wait()


async def test_what_is_asked_under_a_key_goes_on_and_is_there_for_who_comes_again(
    app: AsyncOpenAI, upstream: FaultyUpstream, storage: str
) -> None:
    said, key = f"in time on {storage}", {"Idempotency-Key": f"leaving-{storage}"}
    with pytest.raises(openai.APITimeoutError):
        await chat(app.with_options(timeout=SHORT), said, extra_headers=key)
    answer = await chat(app, said, extra_headers=key)
    assert answer.choices[0].message.content == "Better late than never."
    assert len(await requests_with(upstream, said)) == 1


async def test_a_run_goes_on_without_its_client(app: AsyncOpenAI, upstream: FaultyUpstream, storage: str) -> None:
    assistant = await app.beta.assistants.create(model="up")
    thread = await app.beta.threads.create(messages=[{"role": "user", "content": f"in time for a run on {storage}"}])
    stream = await app.beta.threads.runs.create(thread.id, assistant_id=assistant.id, stream=True)
    assert (await anext(aiter(stream))).event == "thread.run.created"
    await stream.close()
    [run] = (await app.beta.threads.runs.list(thread.id)).data
    async with asyncio.timeout(PATIENCE):
        while run.status != "completed":
            await asyncio.sleep(0.05)
            run = await app.beta.threads.runs.retrieve(run.id, thread_id=thread.id)


async def test_a_stopping_server_waits_for_no_client_that_left_and_tells_those_who_stay(
    upstream: FaultyUpstream, clients: Clients, start_server: Callable[..., Server], storage: str
) -> None:
    up = {"backend": "openai_compatible", "base_url": upstream.base_url}
    server = await asyncio.to_thread(lambda: start_server(fresh=True, models={"up": up}, grace_seconds=0.1))
    app, said = clients.async_sdk(server), f"stopping on {storage}"
    with pytest.raises(openai.APITimeoutError):
        await chat(app.with_options(timeout=SHORT), f"{said}, left")
    staying = asyncio.create_task(chat(app, f"{said}, staying"))
    await requests_with(upstream, f"{said}, staying")
    await asyncio.to_thread(server.stop)
    with pytest.raises(openai.InternalServerError, match="The server is stopping") as told:
        await staying
    assert told.value.status_code == 503
    async with asyncio.timeout(PATIENCE):
        for request in await requests_with(upstream, said):
            await request.gone.wait()
    assert "Traceback" not in server.log()


async def requests_with(upstream: FaultyUpstream, text: str) -> list[Received]:
    """Those whose body has the text, at least one."""
    async with asyncio.timeout(PATIENCE):
        while not (found := [asked for asked in upstream.requests if text in json.dumps(asked.body)]):
            await asyncio.sleep(0.02)
    return found
