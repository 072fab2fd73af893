"""Long threads are deleted in pieces: gone at once for who asks, and in the end from the database."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from tests.engine.conftest import Place
from tests.engine.scripts import says
from tests.engine.workers import working
from tests.harness.waiting import turns_of_others
from zhuli.assistants.runs.clean_up import CleanUp
from zhuli.assistants.runs.commands import add_messages
from zhuli.core.errors import NotFound
from zhuli.server.routes.assistants.messages import _get as get_message
from zhuli.store import schema
from zhuli.store.assistants import leftovers, threads
from zhuli.store.jobs import Job
from zhuli.testing.app import AppInMemory
from zhuli.types.assistants.message import Message, MessageCreate

TABLES: Any = (schema.messages, schema.run_steps, schema.runs, schema.run_events, schema.jobs, schema.threads)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "MOST", 3)
    monkeypatch.setattr(threads, "RUNS_AT_ONCE", 1)


async def long_thread(app: AppInMemory) -> tuple[str, list[Message]]:
    """With messages and runs of which there are more than what is deleted in one transaction."""
    thread = await app.thread("Hi")
    for _ in range(3):
        await app.run(thread=thread)
    bodies = [MessageCreate(role="user", content="More") for _ in range(20)]
    made = await app.app.database.run(add_messages, app.project, thread, bodies, 0, embedder="hashed")
    return thread, made


async def left_over(app: AppInMemory) -> int:
    def count(connection: Connection) -> int:
        return sum(connection.execute(select(func.count()).select_from(table)).scalar() or 0 for table in TABLES)

    return await app.app.database.run(count)


async def test_a_long_thread_is_gone_at_once_and_leaves_nothing_in_the_end(place: Place) -> None:
    async with place.app(says("Hello.")) as app:
        thread, messages = await long_thread(app)
        await app.app.database.run(threads.delete_thread, app.project, thread)
        with pytest.raises(NotFound):
            await app.app.database.run(get_message, app.project, thread, messages[-1].id)
        while await left_over(app):
            await asyncio.sleep(0.01)


async def test_a_process_that_dies_while_it_deletes_leaves_the_rest_to_the_next(place: Place) -> None:
    async with place.app(says("Hello."), work=False) as app:
        async with working(app):
            thread, _ = await long_thread(app)
        await app.app.database.run(threads.delete_thread, app.project, thread)
        assert await left_over(app) > 10
        async with working(app):
            while await left_over(app):
                await asyncio.sleep(0.01)


async def test_others_have_their_turn_while_it_is_deleted(place: Place) -> None:
    async with place.app(says("Hello."), work=False) as app:
        async with working(app):
            thread, _ = await long_thread(app)
        await app.app.database.run(threads.delete_thread, app.project, thread)
        with turns_of_others() as turns:
            await CleanUp(app.app.database).handle(Job(0, leftovers.CLEAN_UP, thread, "worker_1", 1, None))
        assert turns() > 5
