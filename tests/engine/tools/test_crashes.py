"""A process may die at any line, also while a tool works: what may not be made twice is not, and the model is told the truth."""

import asyncio
from typing import Any

import pytest

from tests.engine.conftest import Place
from tests.engine.faults.test_recovering import LEASE, MOST, play_until_death, runs_of
from tests.engine.invariants import check
from tests.engine.scripts import call, tool
from tests.engine.tools.test_tools import begun, calls, make, script, workshop
from tests.engine.tools.workshop import PLUGIN
from tests.engine.transactions import Died, Transactions
from tests.engine.workers import play_on
from zhuli.assistants.runs.tool_calls import UNKNOWN

TOOLS = [{"type": "workshop"}, tool("paint")]
STORY = script(make(text="A chair."), call("paint", arguments={}), make(text="A table."))


def door(*, idempotent: bool) -> dict[str, Any]:
    return {"workshop": {"plugin": PLUGIN, "idempotent": idempotent}}


@pytest.mark.parametrize("idempotent", [False, True])
async def test_a_tool_that_was_at_work_when_the_process_died(place: Place, idempotent: bool) -> None:
    """Made again if it may be; else the model hears that nobody knows, and what was done keeps its output."""
    tools = door(idempotent=idempotent)
    story = script(make(do="hang once", text="A chair."), make(text="A table."))
    async with place.app(story, tools=tools) as app:
        run = await app.begin("Make both", tools=TOOLS)
        await begun(app)
        while not idempotent and [made.output for made in await calls(app, run)] != [None, "A table."]:
            await asyncio.sleep(0.01)
        Transactions(app.app.database).dead = True
    place.clock.move(LEASE + 1)
    async with place.app(story, tools=tools) as app:
        run = await app.rest(run)
        assert run.status == "completed"
        chair, table = await calls(app, run)
        assert (chair.output, table.output) == ("A chair." if idempotent else UNKNOWN, "A table.")
        assert workshop(app).journal().count(chair.id) == (2 if idempotent else 1)
        await check(app, run)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("idempotent", [False, True])
async def test_a_death_at_any_commit_makes_nothing_twice_that_may_not_be(
    place: Place, moment: str, idempotent: bool
) -> None:
    deaths = 0
    for number in range(1, MOST):
        if not await dies(place, moment, number, idempotent=idempotent):
            break
        deaths += 1
    assert deaths > 6, "the story has more commits than were enumerated"


async def dies(place: Place, moment: str, number: int, *, idempotent: bool) -> bool:
    """Play the story, die at commit `number`, recover, and hold what was made against what must hold."""
    tools = door(idempotent=idempotent)
    async with place.app(STORY, tools=tools) as app:
        thread = await app.thread("Make and paint")
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
    async with place.app(STORY, tools=tools) as app:
        for run in await runs_of(app, thread):
            run = await play_on(app, run)
            await check(app, run)
            assert run.status == "completed", number
            steps = [step for step in await app.steps(run) if step.type == "tool_calls" and step.status == "completed"]
            [chair, paint, table] = steps[0].step_details.model_dump()["tool_calls"]
            assert len(steps) == 1 and paint["function"]["output"] == "output of paint"
            journal = workshop(app).journal()
            for made, text in ((chair, "A chair."), (table, "A table.")):
                known = made["workshop"]["output"]
                assert known == text or (known == UNKNOWN and not idempotent)
                assert known == UNKNOWN or made["id"] in journal
                assert idempotent or journal.count(made["id"]) <= 1, "made twice"
    return died
