"""Cancel at every moment of a run: it ends as cancelled, with all that was open closed and all that was said kept."""

from functools import partial
from typing import Any

import pytest

from tests.engine.conftest import Place
from tests.engine.invariants import check
from tests.engine.scripts import BEGUN, CALLED, CALLS_THEN_ANSWERS, OPENED, SPEAKING, STALLS, TOOLS, call, says
from tests.engine.transactions import Transactions, cancel_and_die
from tests.engine.workers import play_on, working
from zhuli.core.errors import InvalidRequest
from zhuli.testing.app import app_in_memory
from zhuli.types.assistants.message import TextBlock

SPEAKS_AND_STALLS: dict[str, Any] = {"default": [{"text": "Well, "}, {"text": "you see"}, STALLS]}


async def test_a_queued_run_is_cancelled_at_once() -> None:
    async with app_in_memory(says("Hello."), work=False) as app:
        run = await app.begin("Hi")
        assert (await app.cancel(run)).status == "cancelling"
        assert await app.story(run) == ["run.created", "run.queued", "run.cancelling", "run.cancelled"]
        await check(app, run)


async def test_a_queued_run_that_was_cancelled_is_executed_by_nobody() -> None:
    async with app_in_memory(says("Hello."), work=False) as app:
        run = await app.begin("Hi")
        await app.cancel(run)
        async with working(app):
            assert (await app.run("Hi")).status == "completed"
        assert len(app.prompts()) == 1
        await check(app, run)


async def test_a_run_that_waits_for_the_client_is_cancelled_at_once_with_its_step() -> None:
    async with app_in_memory({"default": [call("time")]}) as app:
        run = await app.run("Time?", tools=TOOLS)
        await app.cancel(run)
        assert await app.story(run) == [
            *BEGUN,
            *OPENED,
            "run.step.delta: time{}",
            *CALLED,
            "run.cancelling",
            "run.step.cancelled",
            "run.cancelled",
        ]
        run = await app.reload(run)
        assert (run.required_action, run.cancelled_at) == (None, int(app.clock.now()))
        await check(app, run)


async def test_a_model_that_speaks_is_stopped_and_what_it_said_is_kept(place: Place) -> None:
    async with place.app(SPEAKS_AND_STALLS) as app:
        run = await app.begin("Hi")
        first = await app.until(run, "thread.message.delta")
        await app.until(run, "thread.message.delta", after=first.sequence)
        await app.cancel(run)
        await app.rest(run)
        assert await app.story(run) == [
            *BEGUN,
            *SPEAKING,
            "message.delta: Well, you see",
            "run.cancelling",
            "message.incomplete",
            "run.step.cancelled",
            "run.cancelled",
        ]
        await check(app, run)
        [message] = await app.messages(run)
        assert isinstance(message.content[0], TextBlock)
        assert message.content[0].text.value == "Well, you see"
        assert message.incomplete_details is not None
        assert message.incomplete_details.reason == "run_cancelled"


async def test_a_model_that_has_not_said_anything_is_stopped_too(place: Place) -> None:
    async with place.app({"default": [STALLS]}) as app:
        run = await app.begin("Hi")
        await app.until(run, "thread.run.in_progress")
        await app.cancel(run)
        await app.rest(run)
        assert await app.story(run) == [*BEGUN, "run.cancelling", "run.cancelled"]
        await check(app, run)


@pytest.mark.parametrize("storage", ["postgres"])
async def test_a_cancel_from_another_process_stops_the_model_here(place: Place) -> None:
    async with place.app(SPEAKS_AND_STALLS) as here, place.app(SPEAKS_AND_STALLS, work=False) as there:
        run = await here.begin("Hi")
        await here.until(run, "thread.message.delta")
        await there.cancel(run)
        assert (await here.rest(run)).status == "cancelled"
        await check(here, run)


async def test_the_next_run_reads_what_a_cancelled_one_had_said() -> None:
    script = {"rules": [{"when": {"last": "go on"}, "reply": [{"text": "Yes."}]}], **SPEAKS_AND_STALLS}
    async with app_in_memory(script) as app:
        run = await app.begin("Hi")
        first = await app.until(run, "thread.message.delta")
        await app.until(run, "thread.message.delta", after=first.sequence)
        await app.cancel(run)
        await app.rest(run)
        await app.run("go on", thread=run.thread_id)
        assert [message["content"] for message in app.prompts()[-1]["messages"]] == ["Hi", "Well, you see", "go on"]


async def test_a_run_is_cancelled_once() -> None:
    async with app_in_memory(says("Hello.")) as app:
        run = await app.run("Hi")
        with pytest.raises(InvalidRequest, match="Cannot cancel run with status 'completed'"):
            await app.cancel(run)
    async with app_in_memory(says("Hello."), work=False) as app:
        run = await app.begin("Hi")
        await app.cancel(run)
        with pytest.raises(InvalidRequest, match="Cannot cancel run with status 'cancelled'"):
            await app.cancel(run)


async def test_a_run_that_is_being_cancelled_takes_no_second_cancel_and_no_outputs(place: Place) -> None:
    async with place.app(SPEAKS_AND_STALLS) as app:
        run = await app.begin("Hi")
        await app.until(run, "thread.message.delta")
        await cancel_and_die(app, run)
    place.clock.move(60)
    async with place.app(SPEAKS_AND_STALLS, work=False) as app:
        with pytest.raises(InvalidRequest, match="Cannot cancel run with status 'cancelling'"):
            await app.cancel(run)
        with pytest.raises(InvalidRequest, match='Runs in status "cancelling" do not accept tool outputs'):
            await app.app.assistants.runs.submit(app.project, run.thread_id, run.id, [])


async def test_a_cancel_that_outlived_its_process_is_finished_by_the_next_worker(place: Place) -> None:
    async with place.app(SPEAKS_AND_STALLS) as app:
        run = await app.begin("Hi")
        await app.until(run, "thread.message.delta")
        await cancel_and_die(app, run)
    place.clock.move(60)
    async with place.app(SPEAKS_AND_STALLS) as app:
        assert (await app.rest(run)).status == "cancelled"
        assert (await app.story(run))[-4:] == [
            "run.cancelling",
            "message.incomplete",
            "run.step.cancelled",
            "run.cancelled",
        ]
        await check(app, run)
        assert len(app.prompts()) == 1, "the model is not asked again"


async def test_a_cancel_between_any_two_transactions_ends_the_run_well(place: Place) -> None:
    """Behind each commit of a run with calls, outputs and an answer: whoever goes on finds the cancel."""
    async with place.app(CALLS_THEN_ANSWERS, work=False) as app:
        transactions = Transactions(app.app.database)
        ends: list[str] = []
        while not transactions.waiting:
            run = await app.begin("Weather and time?", tools=TOOLS)
            transactions.behind(len(ends) + 1, partial(app.cancel, run))
            async with working(app):
                ends.append((await play_on(app, run)).status)
            await check(app, run)
    assert ends[:5] == ["cancelled"] * 5
    assert ends[-1] == "completed", "behind the last commit it is too late"
    assert set(ends) == {"cancelled", "completed"}
