"""A process may die at any line: the next worker ends every run well, and nothing is lost, doubled or left open."""

import asyncio
from typing import Any

import pytest

from tests.engine.conftest import Place
from tests.engine.invariants import check
from tests.engine.scripts import BEGUN, COMPLETED, OPENED, SAID, SPEAKING, TOOLS, call, says
from tests.engine.transactions import Died, Transactions
from tests.engine.workers import play_on
from zhuli.store import collections, schema
from zhuli.testing.app import AppInMemory, told
from zhuli.types.assistants.run import Run
from zhuli.types.page import PageParams

LEASE = 15
MOST = 40
"""More transactions than the story has."""

STORY: dict[str, Any] = {
    "rules": [{"when": {"role": "tool"}, "reply": [{"text": "Outputs "}, {"text": "read.", "delay": 0.05}]}],
    "default": [
        {"text": "Let me "},
        {"text": "look.", "delay": 0.05},
        call("weather", arguments={"city": "Paris"}),
        call("time", arguments={}),
    ],
}
"""Text in two commits, two calls, and behind their outputs text again."""


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_death_at_any_commit_is_recovered_from(place: Place, moment: str) -> None:
    deaths = 0
    for number in range(1, MOST):
        if not await dies(place, moment, number):
            break
        deaths += 1
    assert deaths > 8, "the story has more commits than were enumerated"


async def dies(place: Place, moment: str, number: int) -> bool:
    """Play the story, die at commit `number`, recover, and hold what was made against what must hold."""
    async with place.app(STORY) as app:
        thread = await app.thread("Weather and time?")
        transactions = Transactions(app.app.database)
        getattr(transactions, f"die_{moment}")(number)
        try:
            async with asyncio.timeout(30):
                run = await app.begin(thread=thread, tools=TOOLS)
                await play_until_death(app, run, transactions)
        except Died:
            pass
        died = transactions.dead
    place.clock.move(LEASE + 1)
    async with place.app(STORY) as app:
        for run in await runs_of(app, thread):
            run = await play_on(app, run)
            log = told(await check(app, run))
            assert run.status == "completed", (number, log)
            assert log[-1] == "run.completed"
            assert [line for line in log if line == "message.delta: Outputs read."] != []
            await check_nothing_was_repeated(app, run)
    return died


async def play_until_death(app: AppInMemory, run: Run, transactions: Transactions) -> None:
    playing = asyncio.create_task(play_on(app, run))
    while not playing.done() and not transactions.dead:
        await asyncio.sleep(0.01)
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)


async def runs_of(app: AppInMemory, thread: str) -> list[Run]:
    """The thread's runs; none if the process died before there was one."""
    of_thread = {"thread_id": thread}
    page = await app.app.database.run(collections.page, schema.runs, Run, app.project, PageParams(), of_thread)
    return page.data


async def check_nothing_was_repeated(app: AppInMemory, run: Run) -> None:
    """One round of calls was finished, and one answer given; what a dead attempt began is marked as such."""
    steps = await app.steps(run)
    assert [step.type for step in steps if step.status == "completed"].count("tool_calls") == 1
    messages = [message for message in await app.messages(run) if message.status == "completed"]
    assert 1 <= len(messages) <= 3
    assert {step.status for step in steps} <= {"completed", "failed"}


async def test_a_turn_that_had_finished_its_text_is_asked_again_as_it_was(place: Place) -> None:
    """The process dies with the message complete and the call of the same turn not yet made."""
    calls = [{"text": "Let me look."}, call("time")]
    script = {"rules": [{"when": {"role": "tool"}, "reply": [{"text": "Noon."}]}], "default": calls}
    async with place.app({"default": [*calls, {"fault": "stall"}]}) as app:
        transactions = Transactions(app.app.database)
        run = await app.begin("Time?", tools=TOOLS)
        await app.until(run, "thread.message.completed")
        transactions.dead = True
    place.clock.move(LEASE + 1)
    async with place.app(script) as app:
        run = await play_on(app, run)
        log = told(await check(app, run))
        assert log == [
            *BEGUN,
            *SPEAKING,
            "message.delta: Let me look.",
            *SAID,
            *OPENED,
            "run.step.delta: time{}",
            "run.step.failed",
            "zhuli.turn.abandoned",
            "run.in_progress",
            *SPEAKING,
            "message.delta: Let me look.",
            *SAID,
            *OPENED,
            "run.step.delta: time{}",
            "zhuli.turn.ended",
            "zhuli.step.called",
            "run.requires_action",
            "run.step.completed",
            "run.queued",
            "run.in_progress",
            *SPEAKING,
            "message.delta: Noon.",
            *SAID,
            *COMPLETED,
        ]
        prompts = [prompt["messages"] for prompt in app.prompts()]
        assert prompts[0] == prompts[1] == [{"role": "user", "content": "Time?"}]
        assert [message["role"] for message in prompts[2]] == ["user", "assistant", "tool"]


async def test_when_a_run_was_taken_up_again_it_still_began_when_it_began(place: Place) -> None:
    async with place.app({"default": [{"text": "Well"}, {"fault": "stall"}]}) as app:
        run = await app.begin("Hi")
        await app.until(run, "thread.message.delta")
        began = (await app.reload(run)).started_at
    place.clock.move(LEASE + 1)
    async with place.app(says("Hello.")) as app:
        run = await app.rest(run)
        assert (run.status, run.started_at) == ("completed", began)


async def test_a_run_that_was_queued_when_the_process_died_is_executed(place: Place) -> None:
    async with place.app(says("Hello."), work=False) as app:
        run = await app.begin("Hi")
    async with place.app(says("Hello.")) as app:
        assert (await app.rest(run)).status == "completed"
        await check(app, run)


async def test_a_run_that_waits_for_its_client_waits_through_a_restart(place: Place) -> None:
    async with place.app(STORY) as app:
        run = await app.run("Weather and time?", tools=TOOLS)
    async with place.app(STORY) as app:
        assert (await app.reload(run)).status == "requires_action"
        assert (await play_on(app, run)).status == "completed"
        await check(app, run)
        assert len(app.prompts()) == 2
