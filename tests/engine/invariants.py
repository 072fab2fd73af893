"""What must hold for every run at rest, whatever happened on the way: the log is whole, and the rows are its fold.

Looks at the store itself. log_checks.py holds what a client can see against the same promises.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select

from zhuli.store.schema import jobs
from zhuli.testing.app import AppInMemory
from zhuli.types.assistants.event import DELTAS, RUN_MODIFIED, STEP_CALLED, RunEvent
from zhuli.types.assistants.run import TERMINAL, Run

COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


async def check(app: AppInMemory, run: Run) -> list[RunEvent]:
    """Hold the run against its log; the log."""
    run = await app.reload(run)
    log = await app.log(run)
    steps = [step.model_dump(mode="json") for step in await app.steps(run)]
    messages = [message.model_dump(mode="json") for message in await app.messages(run)]
    assert [event.sequence for event in log] == list(range(1, len(log) + 1)), "sequences have gaps"
    check_fold(log, [run.model_dump(mode="json"), *steps, *messages])
    check_texts(log, messages)
    assert not await app.app.database.run(_jobs, run.id), "a run at rest needs no job"
    ends = [n for n, event in enumerate(log) if event.name in {f"thread.run.{status}" for status in TERMINAL}]
    if run.status == "requires_action":
        assert not ends
        return log
    assert len(ends) == 1, "there must be exactly one end"
    assert {event.name for event in log[ends[0] + 1 :]} <= {RUN_MODIFIED}, "something came after the end"
    assert all(item["status"] != "in_progress" for item in (*steps, *messages)), "something is left open"
    check_usage(run, steps)
    return log


def check_fold(log: Iterable[RunEvent], rows: Sequence[dict[str, Any]]) -> None:
    """The last event about an object is its row, and there is no row without an event."""
    told: dict[str, Any] = {}
    for event in log:
        if event.name not in DELTAS and (event.on_the_wire or event.name in (RUN_MODIFIED, STEP_CALLED)):
            data = orjson.loads(event.data)
            told[data["id"]] = data
    assert {row["id"]: row for row in rows} == told, "the rows are not the fold of the log"


def check_texts(log: Iterable[RunEvent], messages: Iterable[dict[str, Any]]) -> None:
    """What was streamed of a message, joined, is what it says."""
    streamed: dict[str, str] = {}
    for event in log:
        if event.name == "thread.message.delta":
            data = orjson.loads(event.data)
            pieces = "".join(piece.get("refusal") or piece["text"]["value"] for piece in data["delta"]["content"])
            streamed[data["id"]] = streamed.get(data["id"], "") + pieces
    for message in messages:
        said = "".join(block.get("refusal") or block["text"]["value"] for block in message["content"])
        assert streamed.get(message["id"], "") == said, "a message is not what was streamed of it"


def check_usage(run: Run, steps: Sequence[dict[str, Any]]) -> None:
    """A run's usage is the sum of its steps', where all of them have one."""
    assert run.usage is not None, "a run that has ended has a usage"
    if steps and all(step["usage"] for step in steps):
        for count in COUNTS:
            assert getattr(run.usage, count) == sum(step["usage"][count] for step in steps)


def _jobs(connection: Connection, run_id: str) -> list[int]:
    return list(connection.execute(select(jobs.c.seq).where(jobs.c.key == run_id)).scalars())
