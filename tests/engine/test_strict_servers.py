"""A thread stays alive on a model server that refuses what others take; what clients see stays what was said."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from zhuli.testing import upstream as say
from zhuli.testing.app import AppInMemory, app_in_memory
from zhuli.testing.strict_server import strictly
from zhuli.testing.upstream import FaultyUpstream, Reply

TOOLS = [{"type": "function", "function": {"name": "add"}}]
BROKEN = say.tool_calls({"index": 0, "id": "c", "function": {"name": "add", "arguments": '{"n": '}})
TWINS = say.tool_calls(
    {"index": 0, "id": "c", "function": {"name": "add", "arguments": '{"n": 1}'}},
    {"index": 1, "id": "c", "function": {"name": "add", "arguments": '{"n": 2}'}},
)


async def test_arguments_that_are_no_json_are_shown_as_they_are_and_sent_as_an_object(tmp_path: Path) -> None:
    async with app_on(tmp_path, BROKEN, say.answer("Sorry.")) as (app, server):
        run = await app.run("1 + 1?", model="up", tools=TOOLS)
        assert run.required_action is not None
        [call] = run.required_action.submit_tool_outputs.tool_calls
        assert call.function.arguments == '{"n": '
        await app.submit(run, "error")
        assert (await app.rest(run)).status == "completed"
        assert (await app.run("Again", thread=run.thread_id, model="up", tools=TOOLS)).status == "completed"
        sent = server.requests[-1].body["messages"][1]["tool_calls"][0]["function"]
        assert sent == {"name": "add", "arguments": '{"malformed":"{\\"n\\": "}'}


async def test_each_of_two_calls_of_one_id_has_its_own_output(tmp_path: Path) -> None:
    async with app_on(tmp_path, TWINS, say.answer("Done.")) as (app, server):
        run = await app.run("Add", model="up", tools=TOOLS)
        assert run.required_action is not None
        assert len({call.id for call in run.required_action.submit_tool_outputs.tool_calls}) == 2
        await app.submit(run, "one", "two")
        assert (await app.rest(run)).status == "completed"
        assert [message["content"] for message in server.requests[-1].body["messages"][-2:]] == ["one", "two"]


async def test_blank_messages_and_answers_poison_no_thread(tmp_path: Path) -> None:
    async with app_on(tmp_path, say.answer(" "), say.answer("Hello.")) as (app, _):
        run = await app.run(" ", model="up")
        assert run.status == "completed"
        for text in ("", "Hi"):
            assert (await app.run(text, thread=run.thread_id, model="up")).status == "completed"


async def test_a_run_that_was_cancelled_between_output_and_answer_poisons_no_thread(tmp_path: Path) -> None:
    async with app_on(tmp_path, TWINS, say.stall(), say.answer("Hello.")) as (app, server):
        run = await app.run("Add", model="up", tools=TOOLS)
        await app.submit(run, "one", "two")
        while len(server.requests) < 2:
            await asyncio.sleep(0.01)
        await app.cancel(run)
        assert (await app.rest(run)).status == "cancelled"
        assert (await app.run("Hi", thread=run.thread_id, model="up")).status == "completed"


async def test_chat_completions_are_sent_as_soundly(tmp_path: Path) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "add", "arguments": '{"n": '}}
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": ""},
        {"role": "assistant", "content": "", "tool_calls": [call, call]},
        {"role": "tool", "tool_call_id": "c", "content": ""},
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "So?"},
    ]
    async with app_on(tmp_path, say.answer("2.")) as (app, _):
        transport = httpx.ASGITransport(app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            response = await client.post("/v1/chat/completions", json={"model": "up", "messages": messages})
    assert response.json()["choices"][0]["message"]["content"] == "2."


@asynccontextmanager
async def app_on(place: Path, *replies: Reply) -> AsyncIterator[tuple[AppInMemory, FaultyUpstream]]:
    """An app whose model "up" is on a server that takes nothing but what all servers take."""
    async with FaultyUpstream(strictly(*replies)) as server:
        models = place / "strict.toml"
        models.write_text(f'[models.up]\nbackend = "openai_compatible"\nretries = 0\nbase_url = "{server.base_url}"\n')
        async with app_in_memory({}, models_file=models) as app:
            yield app, server
