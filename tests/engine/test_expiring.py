"""No run stays unfinished past its expires_at, whatever its status, whoever works on it, and whether anybody does."""

from typing import Any

import pytest

from tests.engine.conftest import Place
from tests.engine.invariants import check
from tests.engine.scripts import BEGUN, CALLED, OPENED, SPEAKING, STALLS, TOOLS, call, says
from tests.engine.transactions import cancel_and_die
from tests.engine.workers import handler, working
from zhuli.core.errors import InvalidRequest
from zhuli.testing.app import app_in_memory

LIFETIME = 600
SPEAKS_AND_STALLS: dict[str, Any] = {"default": [{"text": "Well"}, STALLS]}


async def test_a_run_in_progress_expires_with_what_it_has_open(place: Place) -> None:
    async with place.app(SPEAKS_AND_STALLS) as app:
        run = await app.begin("Hi")
        await app.until(run, "thread.message.delta")
        app.clock.move(LIFETIME)
        run = await app.rest(run)
        assert await app.story(run) == [
            *BEGUN,
            *SPEAKING,
            "message.delta: Well",
            "message.incomplete",
            "run.step.expired",
            "run.expired",
        ]
        await check(app, run)
        [message], [step] = await app.messages(run), await app.steps(run)
        assert message.incomplete_details is not None
        assert message.incomplete_details.reason == "run_expired"
        assert step.expired_at == int(app.clock.now())


async def test_a_run_in_progress_does_not_expire_a_second_early() -> None:
    async with app_in_memory(SPEAKS_AND_STALLS) as app:
        run = await app.begin("Hi")
        await app.until(run, "thread.message.delta")
        app.clock.move(LIFETIME - 1)
        await handler(app).expire_overdue()
        assert (await app.reload(run)).status == "in_progress"


async def test_a_run_that_waits_for_a_slot_expires() -> None:
    async with app_in_memory(SPEAKS_AND_STALLS, worker_slots=1) as app:
        first = await app.begin("Hi")
        await app.until(first, "thread.message.delta")
        app.clock.move(10)
        second = await app.begin("Hi")
        app.clock.move(LIFETIME)
        await app.rest(second)
        assert (await app.story(second)) == ["run.created", "run.queued", "run.expired"]
        await check(app, second)


async def test_a_run_that_waits_for_its_client_expires_and_takes_no_outputs_then() -> None:
    async with app_in_memory({"default": [call("time")]}) as app:
        run = await app.run("Time?", tools=TOOLS)
        app.clock.move(LIFETIME)
        await handler(app).expire_overdue()
        assert await app.story(run) == [
            *BEGUN,
            *OPENED,
            "run.step.delta: time{}",
            *CALLED,
            "run.step.expired",
            "run.expired",
        ]
        assert (await app.reload(run)).required_action is None
        await check(app, run)
        with pytest.raises(InvalidRequest, match='Runs in status "expired" do not accept tool outputs'):
            await app.submit(run, "noon")


async def test_a_run_that_is_being_cancelled_ends_as_cancelled() -> None:
    async with app_in_memory(SPEAKS_AND_STALLS, work=False) as app:
        run = await app.begin("Hi")
        async with working(app):
            await app.until(run, "thread.message.delta")
            transactions = await cancel_and_die(app, run)
        transactions.dead = False
        app.clock.move(LIFETIME)
        await handler(app).expire_overdue()
        assert (await app.story(run))[-2:] == ["run.step.cancelled", "run.cancelled"]
        await check(app, run)


async def test_a_run_that_nobody_executes_expires(place: Place) -> None:
    """A server without slots of its own, and not one worker anywhere."""
    async with place.app(says("Hello."), worker_slots=0) as app:
        run = await app.begin("Hi")
        app.clock.move(LIFETIME)
        assert (await app.rest(run)).status == "expired"
        await check(app, run)


async def test_a_run_that_slept_through_a_stop_expires_at_the_next_start(place: Place) -> None:
    async with place.app(SPEAKS_AND_STALLS) as app:
        run = await app.begin("Hi")
        await app.until(run, "thread.message.delta")
    place.clock.move(LIFETIME)
    async with place.app(SPEAKS_AND_STALLS) as app:
        assert (await app.rest(run)).status == "expired"
        await check(app, run)


async def test_many_overdue_runs_expire_at_once(place: Place) -> None:
    async with place.app(says("Hello."), work=False) as app:
        overdue = [await app.begin("Hi") for _ in range(120)]
        app.clock.move(LIFETIME)
        await handler(app).expire_overdue()
        assert {(await app.reload(run)).status for run in overdue} == {"expired"}


async def test_a_run_that_has_ended_stays_as_it_is() -> None:
    async with app_in_memory(says("Hello.")) as app:
        run = await app.run("Hi")
        app.clock.move(2 * LIFETIME)
        await handler(app).expire_overdue()
        assert (await app.reload(run)) == run


async def test_the_lifetime_is_a_setting() -> None:
    async with app_in_memory(SPEAKS_AND_STALLS, run_lifetime_seconds=5) as app:
        run = await app.begin("Hi")
        assert run.expires_at == run.created_at + 5
        app.clock.move(5)
        assert (await app.rest(run)).status == "expired"


async def test_the_thread_of_an_expired_run_is_free_again() -> None:
    script = {"rules": [{"when": {"last": "again"}, "reply": [{"text": "Here."}]}], **SPEAKS_AND_STALLS}
    async with app_in_memory(script) as app:
        run = await app.begin("Hi")
        app.clock.move(LIFETIME)
        await app.rest(run)
        assert (await app.run("again", thread=run.thread_id)).status == "completed"
