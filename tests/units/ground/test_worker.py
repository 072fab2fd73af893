"""A worker with jobs to do is never idle, however its jobs' ends and the database's answers fall together."""

import asyncio
import random
from typing import Any

import pytest

from zhuli.core.clock import SystemClock
from zhuli.core.hints import Hints
from zhuli.settings import Settings
from zhuli.store import jobs
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.worker import loop
from zhuli.worker.loop import Worker

JOBS = 60


class Late:
    """A database whose answers to claims come late: jobs end meanwhile."""

    def __init__(self, database: Database, drawn: random.Random) -> None:
        self._database = database
        self._drawn = drawn
        self.shared = database.shared

    async def run(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        result = await self._database.run(function, *args, **kwargs)
        for _ in range(self._drawn.randint(0, 6)):
            await asyncio.sleep(0)
        return result


class Handler:
    """Ends each job after a few turns of the loop."""

    def __init__(self, database: Database, drawn: random.Random) -> None:
        self._database = database
        self._drawn = drawn
        self.done: list[str] = []
        self.all_done = asyncio.Event()

    async def handle(self, job: Job) -> None:
        for _ in range(self._drawn.randint(0, 6)):
            await asyncio.sleep(0)
        await self._database.run(jobs.finish, job.kind, job.key)
        self.done.append(job.key)
        if len(self.done) == JOBS:
            self.all_done.set()

    async def give_up(self, job: Job, message: str) -> None:
        raise AssertionError(message)

    async def stopped(self, keys: list[str]) -> list[str]:
        return []

    def interrupt(self, key: str) -> None:
        raise AssertionError(key)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("slots", [1, 2, 4])
async def test_every_job_is_done_without_waiting_for_the_next_look(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int, slots: int
) -> None:
    """Looking by itself, which would hide a slot that was forgotten, is put off for good; so nobody but the worker wakes it."""
    monkeypatch.setattr(loop, "_LOOK_SECONDS", 3_600.0)
    drawn = random.Random(seed)

    def fill(connection: Any) -> None:
        for number in range(JOBS):
            jobs.enqueue(connection, "work", f"job-{number}")

    await database.run(fill)
    late: Any = Late(database, drawn)
    handler = Handler(database, drawn)
    worker = Worker(late, Hints(), {"work": handler}, {"work": slots}, [], SystemClock(), Settings())
    working = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(60):
            await handler.all_done.wait()
    finally:
        worker.stop()
        await working
    assert sorted(handler.done) == sorted(f"job-{number}" for number in range(JOBS))
