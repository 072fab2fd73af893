"""Who works on a run: one worker at a time, whose lease others respect while it beats, and take when it does not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, select

from tests.engine.conftest import Place
from tests.engine.invariants import check
from tests.engine.scripts import BEGUN, COMPLETED, SAID, SPEAKING, STALLS, TOOLS, call, says
from tests.engine.workers import claim, handler, play_on, working
from zhuli.core.errors import LeaseLost
from zhuli.store import jobs, schema
from zhuli.store.assistants import runs
from zhuli.store.jobs import Job
from zhuli.testing.app import AppInMemory
from zhuli.types.assistants.event import Change
from zhuli.types.assistants.run import Run

LEASE = 15
FIRST_STALLS: dict[str, Any] = {
    "rules": [{"when": {"attempt": 1}, "reply": [{"text": "Half a"}, STALLS]}],
    "default": [{"text": "Whole."}],
}
AGAIN = ["message.incomplete", "run.step.failed", "run.in_progress"]


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what must come about by itself."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)


def executing(app: AppInMemory) -> float:
    """How many runs are executed in this process now, by the metric that says so."""
    return app.app.telemetry.registry.get_sample_value("zhuli_runs_executing") or 0


async def steal(app: AppInMemory) -> Job:
    """Let the leases run out, and claim the job before its worker beats again."""
    while True:
        app.clock.move(LEASE + 1)
        if claimed := await claim(app, "thief"):
            return claimed[0]


async def job_row(app: AppInMemory, run: Run) -> Any:
    def read(connection: Connection) -> Any:
        return connection.execute(select(schema.jobs).where(schema.jobs.c.key == run.id)).first()

    return await app.app.database.run(read)


async def test_a_worker_that_lost_its_lease_is_stopped_and_records_nothing_more(place: Place) -> None:
    async with place.app({"default": [{"text": "Half a"}, STALLS]}, work=False) as app:
        run = await app.begin("Hi")
        async with working(app):
            await app.until(run, "thread.message.delta")
            before = await app.log(run)
            await steal(app)
            await eventually(lambda: executing(app) == 0)
        assert await app.log(run) == before


@pytest.mark.parametrize(
    "more",
    [[{"text": " sentence."}], [{"fault": "cut"}], [{"fault": "bug"}], [{"finish": "content_filter"}], [call("time")]],
    ids=["speaks on", "fails", "breaks", "is filtered", "calls"],
)
async def test_whatever_a_stale_worker_has_to_say_is_not_heard(place: Place, more: list[dict[str, Any]]) -> None:
    script = {"default": [{"text": "Half a"}, {"delay": 0.3}, *more]}
    async with place.app(script, work=False) as app:
        run = await app.begin("Hi", tools=TOOLS)
        async with working(app):
            await app.until(run, "thread.message.delta")
            before = await app.log(run)
            await steal(app)
            await eventually(lambda: executing(app) == 0)
        assert await app.log(run) == before
        assert (await app.reload(run)).status == "in_progress"


async def test_the_next_worker_closes_what_the_stale_one_left_and_does_the_turn_again(place: Place) -> None:
    async with place.app(FIRST_STALLS, work=False) as app:
        run = await app.begin("Hi")
        async with working(app):
            await app.until(run, "thread.message.delta")
            job = await steal(app)
            await handler(app).handle(job)
        assert await app.story(run) == [
            *BEGUN,
            *SPEAKING,
            "message.delta: Half a",
            *AGAIN,
            *SPEAKING,
            "message.delta: Whole.",
            *SAID,
            *COMPLETED,
        ]
        await check(app, run)
        first, second = app.prompts()
        assert first["messages"] == second["messages"], "a turn that is done again reads what it read before"


async def test_a_record_under_a_lost_lease_is_refused(place: Place) -> None:
    async with place.app(says("Hello."), work=False) as app:
        run = await app.begin("Hi")
        [stale] = await claim(app)
        [fresh] = [await steal(app)]
        database, now = app.app.database, app.clock.now()
        with pytest.raises(LeaseLost):
            await database.run(runs.record, run.id, [], now=now, job=stale)
        begun = Change("thread.run.in_progress", {"status": "in_progress"})
        await database.run(runs.record, run.id, [begun], now=now, job=fresh)


async def test_a_job_whose_worker_beats_is_nobody_elses(place: Place) -> None:
    async with place.app({"default": [STALLS]}) as app:
        run = await app.begin("Hi")
        await app.until(run, "thread.run.in_progress")
        for _ in range(3):
            app.clock.move(LEASE - 1)
            async with asyncio.timeout(30):
                while (await job_row(app, run)).lease_until < app.clock.now() + LEASE:
                    await asyncio.sleep(0.02)
            assert await claim(app, "thief") == []
        assert (await job_row(app, run)).attempts == 1


async def test_a_job_that_is_claimed_while_the_leases_are_prolonged_is_not_taken_for_lost(place: Place) -> None:
    async with place.app({"default": [{"text": "Well"}, STALLS]}) as app:
        beats = Beats(app)
        await app.until(await app.begin("Hi"), "thread.message.delta")
        async with beats.answer_late():
            run = await app.begin("Hi")
            await app.until(run, "thread.message.delta")
        async with beats.answer_late():
            pass  # the beat before this one has had its consequences
        assert await app.story(run) == [*BEGUN, *SPEAKING, "message.delta: Well"]


class Beats:
    """Holds a heartbeat's answer back between database and worker."""

    def __init__(self, app: AppInMemory) -> None:
        self._run: Any = app.app.database.run
        self._held: asyncio.Event | None = None
        self._let_go = asyncio.Event()
        app.app.database.run = self._watched  # type: ignore[method-assign]

    @asynccontextmanager
    async def answer_late(self) -> AsyncIterator[None]:
        """From the next heartbeat's commit on until the end of the block."""
        self._held, self._let_go = asyncio.Event(), asyncio.Event()
        await self._held.wait()
        self._held = None
        yield
        self._let_go.set()

    async def _watched(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        result = await self._run(function, *args, **kwargs)
        if function is jobs.heartbeat and self._held is not None:
            self._held.set()
            await self._let_go.wait()
        return result


async def test_a_run_that_takes_every_worker_down_is_given_up(place: Place) -> None:
    async with place.app(says("Hello."), work=False, max_attempts=3) as app:
        run = await app.begin("Hi")
        for _ in range(3):
            assert await claim(app)
            app.clock.move(LEASE + 1)
        async with working(app):
            run = await app.rest(run)
        assert run.status == "failed"
        assert run.last_error is not None
        assert run.last_error.message == "The run was given up: 3 attempts took their worker down."
        assert app.prompts() == []
        await check(app, run)


async def test_the_last_attempt_may_still_succeed(place: Place) -> None:
    async with place.app(says("Hello."), work=False, max_attempts=3) as app:
        run = await app.begin("Hi")
        for _ in range(2):
            await claim(app)
            app.clock.move(LEASE + 1)
        async with working(app):
            assert (await app.rest(run)).status == "completed"


async def test_a_graceful_stop_puts_the_run_back_and_the_attempt_does_not_count(place: Place) -> None:
    async with place.app(FIRST_STALLS, work=False) as app:
        run = await app.begin("Hi")
        async with working(app):
            await app.until(run, "thread.message.delta")
        row = await job_row(app, run)
        assert (row.worker, row.attempts, row.lease_until) == (None, 0, 0)
        async with working(app):
            assert (await app.rest(run)).status == "completed"
        assert AGAIN[0] in await app.story(run)
        await check(app, run)


async def test_what_is_running_may_finish_within_the_grace(place: Place) -> None:
    script = {"default": [{"text": "Hello, "}, {"text": "you.", "delay": 0.2}]}
    async with place.app(script, work=False, grace_seconds=20) as app:
        run = await app.begin("Hi")
        async with working(app):
            await app.until(run, "thread.message.delta")
        assert (await app.reload(run)).status == "completed"
        await check(app, run)


async def test_a_worker_that_is_stopping_claims_nothing(place: Place) -> None:
    script = {"default": [{"text": "Hello, "}, {"text": "you.", "delay": 0.2}]}
    async with place.app(script, work=False, grace_seconds=20) as app:
        first = await app.begin("Hi")
        async with working(app) as worker:
            await app.until(first, "thread.message.delta")
            worker.stop()
            second = await app.begin("Hi")
        assert (await app.reload(first)).status == "completed"
        assert (await app.reload(second)).status == "queued"


async def test_a_worker_takes_no_more_than_its_slots(place: Place) -> None:
    async with place.app({"default": [STALLS]}, worker_slots=2) as app:
        begun = [await app.begin("Hi") for _ in range(4)]
        for run in begun[:2]:
            await app.until(run, "thread.run.in_progress")
        assert [(await app.reload(run)).status for run in begun] == ["in_progress", "in_progress", "queued", "queued"]
        await app.cancel(begun[0])
        await app.until(begun[2], "thread.run.in_progress")
        assert (await app.reload(begun[3])).status == "queued"


async def test_jobs_are_done_in_the_order_in_which_they_came(place: Place) -> None:
    async with place.app(says("Hello."), work=False, worker_slots=1) as app:
        begun = [await app.begin(f"question {n}") for n in range(8)]
        async with working(app):
            for run in begun:
                await app.rest(run)
        assert [prompt["messages"][0]["content"] for prompt in app.prompts()] == [f"question {n}" for n in range(8)]


async def test_a_run_that_comes_back_with_outputs_waits_behind_those_that_came_before(place: Place) -> None:
    script = {
        "rules": [
            {"when": {"last": "asks"}, "reply": [call("time")]},
            {"when": {"role": "tool"}, "reply": [{"text": "Noon."}]},
        ],
        **says("Hello."),
    }
    async with place.app(script, work=False, worker_slots=1) as app:
        asks = await app.begin("asks", tools=TOOLS)
        async with working(app):
            asks = await app.rest(asks)
        waits = await app.begin("waits")
        await app.submit(asks, "noon")
        async with working(app):
            await app.rest(asks)
        assert [prompt["messages"][-1]["content"] for prompt in app.prompts()] == ["asks", "waits", "noon"]
        assert (await app.reload(waits)).status == "completed"


async def test_two_workers_share_the_jobs_and_none_is_done_twice(place: Place) -> None:
    async with place.app(says("Hello."), work=False, worker_slots=3) as app:
        begun = [await app.begin(f"question {n}") for n in range(20)]
        async with working(app), working(app):
            for run in begun:
                assert (await app.rest(run)).status == "completed"
                await check(app, run)
        assert len(app.prompts()) == 20


async def test_two_workers_that_claim_at_once_get_different_jobs(place: Place) -> None:
    async with place.app(says("Hello."), work=False) as app:
        begun = [await app.begin("Hi") for _ in range(10)]
        claimed = await asyncio.gather(*(claim(app, f"worker {n}", most=4) for n in range(4)))
        keys = [job.key for jobs_of_one in claimed for job in jobs_of_one]
        assert len(keys) == len(set(keys))
        assert set(keys) <= {run.id for run in begun}
        assert max(len(jobs_of_one) for jobs_of_one in claimed) <= 4


async def test_a_worker_that_claims_its_own_lapsed_job_again_can_still_be_interrupted(place: Place) -> None:
    """The execution that lost the lease ends beside the new one, which stays the one that is known."""
    async with place.app({"default": [{"text": "Half a"}, STALLS]}, work=False) as app:
        run = await app.begin("Hi")
        doing = handler(app)
        [job] = await claim(app)
        first = asyncio.create_task(doing.handle(job))
        await app.until(run, "thread.message.delta")
        seen = len(await app.log(run))
        second = asyncio.create_task(doing.handle(await steal(app)))
        await app.until(run, "thread.message.delta", after=seen)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        app.app.hints.publish = lambda topic, payload=None: None  # type: ignore[method-assign]
        await app.cancel(run)
        assert await doing.stopped([run.id]) == [run.id]
        doing.interrupt(run.id)
        async with asyncio.timeout(30):
            await second
        assert (await app.reload(run)).status == "cancelled"
        await check(app, run)


@pytest.mark.parametrize("deaf", [True, False], ids=["without hints", "with hints"])
async def test_runs_get_on_without_hints(place: Place, deaf: bool) -> None:
    """A hint may be lost: the queue and the log are looked at anyway."""
    script = {"rules": [{"when": {"role": "tool"}, "reply": [{"text": "Noon."}]}], "default": [call("time")]}
    async with place.app(script) as app:
        if deaf:
            app.app.hints.publish = lambda topic, payload=None: None  # type: ignore[method-assign]
        run = await play_on(app, await app.begin("Time?", tools=TOOLS))
        assert run.status == "completed"
        await check(app, run)


async def test_a_cancel_whose_hint_is_lost_is_noticed_with_the_next_heartbeat(place: Place) -> None:
    async with place.app({"default": [STALLS]}) as app:
        run = await app.begin("Hi")
        await app.until(run, "thread.run.in_progress")
        app.app.hints.publish = lambda topic, payload=None: None  # type: ignore[method-assign]
        await app.cancel(run)
        assert (await app.rest(run)).status == "cancelled"
        await check(app, run)


async def test_a_released_job_is_free_at_once_and_one_that_was_lost_is_not_released_by_the_loser(place: Place) -> None:
    async with place.app(says("Hello."), work=False) as app:
        run = await app.begin("Hi")
        [stale] = await claim(app)
        fresh = await steal(app)
        await app.app.database.run(jobs.release, stale)
        row = await job_row(app, run)
        assert (row.worker, row.attempts) == ("thief", 2)
        await app.app.database.run(jobs.release, fresh)
        assert len(await claim(app)) == 1
