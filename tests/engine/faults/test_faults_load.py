"""A thousand runs over 64 connections: none is stuck, none is lost, none gets another's answer. No times here."""

import asyncio
from collections import Counter
from typing import Any

import openai
import pytest

from tests.harness.clients import Clients
from tests.harness.server import Server

RUNS = 1000
CONNECTIONS = 64


@pytest.mark.timeout(600)
async def test_a_thousand_runs_over_64_connections_all_end(clients: Clients, server: Server) -> None:
    client = clients.async_sdk(server)
    assistant = await client.beta.assistants.create(model="script")
    turns = iter(range(RUNS))
    told: list[tuple[str, str]] = []

    async def connection() -> None:
        for number in turns:
            told.append(await one_run(client, assistant.id, number))

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    await clients.aclose()
    assert Counter(status for status, _ in told) == {"completed": RUNS}
    assert {answer for _, answer in told} == {f"You said: number {number}" for number in range(RUNS)}


async def one_run(client: openai.AsyncOpenAI, assistant: str, number: int) -> tuple[str, str]:
    """Status and answer of a run on a new thread: every second one streamed, the others polled."""
    question: Any = {"messages": [{"role": "user", "content": f"number {number}"}]}
    if number % 2:
        async with client.beta.threads.create_and_run_stream(assistant_id=assistant, thread=question) as stream:
            await stream.until_done()
        run = await stream.get_final_run()
    else:
        run = await client.beta.threads.create_and_run_poll(
            assistant_id=assistant,
            thread=question,
            poll_interval_ms=100,
        )
    messages = await client.beta.threads.messages.list(run.thread_id, run_id=run.id)
    (message,) = messages.data
    block = message.content[0]
    assert block.type == "text"
    return run.status, block.text.value
