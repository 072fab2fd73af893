"""Commands that come at the same moment: exactly one wins, the others are told so, and the log stays whole."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from tests.engine.conftest import Place
from tests.engine.held import blocked, held
from tests.engine.invariants import check
from tests.engine.scripts import CALLS_THEN_ANSWERS, STALLS, TOOLS, says
from tests.engine.workers import claim, handler, play_on, working
from zhuli.assistants.runs.commands import add_messages, refuse_while_active
from zhuli.assistants.runs.turn import Turn
from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.store import schema
from zhuli.store.assistants import runs, threads
from zhuli.testing.app import AppInMemory
from zhuli.types.assistants.event import Change
from zhuli.types.assistants.message import MessageCreate
from zhuli.types.assistants.run import Run
from zhuli.types.models.generation import Delta

LEASE = 15


async def add(app: AppInMemory, thread: str, text: str) -> bool:
    """Add a message as the API does; False if an active run forbids it."""

    def write(connection: Connection) -> None:
        threads.lock(connection, app.project, thread)
        refuse_while_active(connection, thread, doing="add messages to")
        add_messages(connection, app.project, thread, [MessageCreate(role="user", content=text)], 0, embedder="hashed")

    try:
        await app.app.database.run(write)
    except InvalidRequest:
        return False
    return True


async def test_of_runs_created_at_once_on_a_thread_exactly_one_wins(place: Place) -> None:
    async with place.app(says("Hello."), work=False) as app:
        thread = await app.thread("Hi")
        tried = await asyncio.gather(*(app.begin(thread=thread) for _ in range(8)), return_exceptions=True)
        won = [run for run in tried if isinstance(run, Run)]
        lost = [error for error in tried if isinstance(error, InvalidRequest)]
        assert (len(won), len(lost)) == (1, 7)
        assert {error.message for error in lost} == {f"Thread {thread} already has an active run {won[0].id}."}
        assert {error.status for error in lost} == {400}


async def test_one_active_run_per_thread_is_held_by_the_database_itself(place: Place) -> None:
    async with place.app(says("Hello."), work=False) as app:
        run = await app.begin("Hi")
        second = run.model_copy(update={"id": "run_second"})
        with pytest.raises(IntegrityError):
            await app.app.database.run(runs.insert_run, app.project, second, [])
        await app.cancel(run)
        await app.app.database.run(runs.insert_run, app.project, second, [])


async def test_a_message_is_in_the_prompt_or_was_refused(place: Place) -> None:
    async with place.app(says("Hello."), work=False) as app:
        for number in range(10):
            thread = await app.thread("Hi")
            asked = [add(app, thread, "more"), app.begin(thread=thread)]
            added, run = await asyncio.gather(*(asked if number % 2 else reversed(asked)))
            if not number % 2:
                added, run = run, added
            async with working(app):
                await app.rest(run)
            read = [message["content"] for message in app.prompts()[-1]["messages"]]
            assert read == ["Hi", "more"] if added else read == ["Hi"]


async def test_a_cancel_that_races_the_end_wins_or_is_refused(place: Place) -> None:
    script = {"default": [{"text": "Hello, "}, {"text": "you.", "delay": 0.005}]}
    async with place.app(script) as app:
        for number in range(15):
            run = await app.begin("Hi")
            await asyncio.sleep(0.002 * number)
            [tried] = await asyncio.gather(app.cancel(run), return_exceptions=True)
            refused = isinstance(tried, InvalidRequest)
            assert refused or isinstance(tried, Run)
            assert (await app.rest(run)).status == ("completed" if refused else "cancelled")
            await check(app, run)


async def test_of_outputs_submitted_twice_at_once_one_is_refused(place: Place) -> None:
    async with place.app(CALLS_THEN_ANSWERS) as app:
        run = await app.run("Weather and time?", tools=TOOLS)
        tried = await asyncio.gather(
            app.submit(run, "sunny", "noon"), app.submit(run, "rainy", "night"), return_exceptions=True
        )
        refused = [error for error in tried if isinstance(error, InvalidRequest)]
        assert len(refused) == 1
        assert "do not accept tool outputs" in refused[0].message
        assert (await app.rest(run)).status == "completed"
        await check(app, run)


async def test_outputs_that_race_a_cancel_are_taken_before_it_or_refused(place: Place) -> None:
    async with place.app(CALLS_THEN_ANSWERS) as app:
        for _ in range(8):
            run = await app.run("Weather and time?", tools=TOOLS)
            tried = await asyncio.gather(app.submit(run, "sunny", "noon"), app.cancel(run), return_exceptions=True)
            assert not [one for one in tried if isinstance(one, BaseException) and not isinstance(one, InvalidRequest)]
            await play_on(app, run)
            await check(app, run)


async def test_metadata_that_races_the_turn_is_kept(place: Place) -> None:
    async with place.app({"default": [{"text": f"{n} ", "delay": 0.002} for n in range(20)]}) as app:
        run = await app.begin("Count")
        for number in range(10):
            await app.app.assistants.runs.modify(app.project, run.thread_id, run.id, {"seen": str(number)})
            await asyncio.sleep(0.003)
        run = await app.rest(run)
        assert (run.status, run.metadata) == ("completed", {"seen": "9"})
        await check(app, run)


async def test_a_run_that_expires_at_two_workers_at_once_expires_once(place: Place) -> None:
    async with place.app(says("Hello."), work=False) as app:
        begun = [await app.begin("Hi") for _ in range(5)]
        app.clock.move(600)
        await asyncio.gather(*(handler(app).expire_overdue() for _ in range(3)))
        for run in begun:
            assert (await app.reload(run)).status == "expired"
            await check(app, run)


@pytest.mark.parametrize("storage", ["postgres"])
async def test_workers_of_two_processes_share_the_jobs_and_none_is_done_twice(place: Place) -> None:
    async with place.app(says("Hello.")) as here, place.app(says("Hello.")) as there:
        begun = [await (here if n % 2 else there).begin(f"question {n}") for n in range(20)]
        for run in begun:
            assert (await here.rest(run)).status == "completed"
            await check(there, run)
        assert len(here.prompts()) == 20


@pytest.mark.parametrize("storage", ["postgres"])
async def test_who_takes_a_run_over_waits_for_what_the_stale_worker_is_writing(place: Place) -> None:
    """Otherwise a message that is committed meanwhile would stay open for ever."""
    async with place.app(says("Hello."), work=False) as app:
        run = await app.begin("Hi")
        [stale] = await claim(app)
        database, now = app.app.database, app.clock.now()
        begun = Change("thread.run.in_progress", {"status": "in_progress", "started_at": int(now)})
        await database.run(runs.record, run.id, [begun], now=now, job=stale)
        turn = Turn(run, int(now))
        turn.feed(Delta(text="Half a"))
        async with held(database, runs.record, run.id, turn.take(), now=now, job=stale):
            app.clock.move(LEASE + 1)
            [fresh] = await claim(app, "thief")
            taking_over = asyncio.create_task(handler(app).handle(fresh))
            await blocked(taking_over)
        await taking_over
        assert (await app.reload(run)).status == "completed"
        await check(app, run)


@pytest.mark.parametrize("storage", ["postgres"])
async def test_who_deletes_a_thread_waits_for_what_its_run_is_writing(place: Place) -> None:
    """Otherwise a message that is committed meanwhile would outlive its thread."""
    async with place.app(says("Hello."), work=False) as app:
        run = await app.begin("Hi")
        [job] = await claim(app)
        database, now = app.app.database, app.clock.now()
        turn = Turn(run, int(now))
        turn.feed(Delta(text="Half a"))
        begun = Change("thread.run.in_progress", {"status": "in_progress", "started_at": int(now)})
        async with held(database, runs.record, run.id, [begun, *turn.take()], now=now, job=job):
            deleting = asyncio.create_task(database.run(threads.delete_thread, app.project, run.thread_id))
            await blocked(deleting)
        assert await deleting == [run.id]
        assert await left_over(app) == {}


async def test_a_thread_deleted_while_its_run_speaks_leaves_nothing(place: Place) -> None:
    async with place.app({"default": [{"text": f"{n} ", "delay": 0.003} for n in range(100)]}) as app:
        for number in range(5):
            run = await app.begin("Count")
            if number:
                await app.until(run, "thread.message.delta")
            await app.app.database.run(threads.delete_thread, app.project, run.thread_id)
            with pytest.raises(NotFound):
                await app.rest(run)
        assert await left_over(app) == {}


async def test_a_model_that_stalls_is_stopped_when_its_thread_is_deleted(place: Place) -> None:
    async with place.app({"default": [{"text": "Well"}, STALLS]}, worker_slots=1) as app:
        run = await app.begin("Hi")
        await app.until(run, "thread.message.delta")
        await app.app.database.run(threads.delete_thread, app.project, run.thread_id)
        following = await app.begin("Next")
        await app.until(following, "thread.message.delta")
        assert await left_over(app, thread=run.thread_id) == {}


@pytest.mark.parametrize("waits", ["queued", "requires_action"])
async def test_a_thread_whose_run_waits_is_deleted_with_it(place: Place, waits: str) -> None:
    async with place.app(CALLS_THEN_ANSWERS, work=False) as app:
        run = await app.begin("Weather and time?", tools=TOOLS)
        if waits == "requires_action":
            async with working(app):
                await app.rest(run)
        await app.app.database.run(threads.delete_thread, app.project, run.thread_id)
        assert await left_over(app) == {}
        async with working(app):
            assert (await app.run("Next")).status == "requires_action"


async def left_over(app: AppInMemory, thread: str | None = None) -> dict[str, int]:
    """Rows of threads, by table: of this one, or of any."""

    def count(connection: Connection) -> dict[str, int]:
        counts: dict[str, int] = {}
        for table in (schema.threads, schema.messages, schema.runs, schema.run_steps):
            column: Any = table.c.id if table is schema.threads else table.c.thread_id
            query = select(func.count()).select_from(table)
            counts[table.name] = connection.execute(query.where(column == thread) if thread else query).scalar() or 0
        for table in () if thread else (schema.run_events, schema.jobs):
            counts[table.name] = connection.execute(select(func.count()).select_from(table)).scalar() or 0
        return {name: number for name, number in counts.items() if number}

    return await app.app.database.run(count)
