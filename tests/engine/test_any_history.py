"""Whatever a model says, and whenever commands come between: the rows are the fold of the log, and the log is whole."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.invariants import check
from tests.engine.scripts import STALLS, TOOLS
from tests.engine.transactions import Transactions
from tests.engine.workers import handler, working
from zhuli.core.errors import InvalidRequest
from zhuli.testing.app import AppInMemory, app_in_memory
from zhuli.types.assistants.run import TERMINAL, Run

EXAMPLES = 60
MOST_TURNS = 4

Piece = dict[str, Any]
Command = Callable[[AppInMemory, Run], Awaitable[object]]

texts = st.builds(lambda text, n: {"text": text, "repeat": n}, st.text(min_size=1, max_size=8), st.integers(1, 5))
refusals = st.builds(lambda text: {"refusal": text}, st.text(min_size=1, max_size=8))
calls = st.builds(
    lambda name, arguments, pieces: {"tool_call": {"name": name, "arguments": arguments, "pieces": pieces}},
    st.sampled_from(["weather", "time", "nobody_knows"]),
    st.one_of(st.just({"city": "Paris"}), st.just('{"broken": ')),
    st.integers(1, 4),
)
asides: st.SearchStrategy[Piece] = st.sampled_from(
    [{"reasoning": "Hm."}, {"delay": 0.001}, {"delay": 0.03}, {"usage": {"prompt": 9, "completion": 4}}]
)
endings: st.SearchStrategy[list[Piece]] = st.sampled_from(
    [
        [],
        [],
        [{"finish": "length"}],
        [{"finish": "content_filter"}],
        [{"fault": "cut"}],
        [{"fault": "bug"}],
        [STALLS],
    ]
)
replies = st.builds(lambda said, end: [*said, *end], st.lists(st.one_of(texts, calls, asides), max_size=6), endings)
refused_replies = st.lists(refusals, min_size=1, max_size=3)
scripts = st.builds(
    lambda first, later: {"rules": [{"when": {"role": "tool"}, "reply": later}], "default": first},
    st.one_of(replies, refused_replies),
    replies,
)
commands = st.lists(
    st.tuples(st.integers(1, 14), st.sampled_from(["cancel", "submit", "modify", "expire", "take over"])), max_size=4
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=scripts, commands=commands)
def test_the_rows_are_the_fold_of_the_log(script: dict[str, Any], commands: list[tuple[int, str]]) -> None:
    asyncio.run(play(script, commands))


async def play(script: dict[str, Any], commands: list[tuple[int, str]]) -> None:
    """A run with each command behind the transaction of its number, brought to its end whatever happens."""
    async with app_in_memory(script, work=False, stream_interval_ms=5) as app:
        run = await app.begin("Hi", tools=TOOLS, max_completion_tokens=256)
        transactions = Transactions(app.app.database)
        for number, name in commands:
            transactions.behind(number, partial(COMMANDS[name], app, run))
        async with working(app):
            await bring_to_end(app, run, script)
        await check(app, run)


async def bring_to_end(app: AppInMemory, run: Run, script: dict[str, Any]) -> None:
    """Be a client that submits a few times and cancels when it is tired of waiting."""
    for _ in range(MOST_TURNS):
        try:
            async with asyncio.timeout(0.5 if STALLS in (script["default"] + script["rules"][0]["reply"]) else 20):
                run = await app.rest(run)
        except TimeoutError:
            break
        if run.status in TERMINAL:
            return
        await submit(app, run)
    with contextlib.suppress(InvalidRequest):
        await app.cancel(run)
    await app.rest(run)


async def submit(app: AppInMemory, run: Run) -> None:
    run = await app.reload(run)
    if run.required_action is not None:
        asked = run.required_action.submit_tool_outputs.tool_calls
        await app.submit(run, *("42" for _ in asked))


async def modify(app: AppInMemory, run: Run) -> None:
    await app.app.assistants.runs.modify(app.project, run.thread_id, run.id, {"seen": "yes"})


async def expire(app: AppInMemory, run: Run) -> None:
    app.clock.move(600)
    await handler(app).expire_overdue()


async def take_over(app: AppInMemory, run: Run) -> None:
    """Let the lease run out; whoever looks at the queue next has the job."""
    app.clock.move(16)


COMMANDS: dict[str, Command] = {
    "cancel": AppInMemory.cancel,
    "submit": submit,
    "modify": modify,
    "expire": expire,
    "take over": take_over,
}
