"""More workers than the one that an app has anyway, and a client that gives them all they ask for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from zhuli.app import make_worker
from zhuli.assistants.runs.handler import RunHandler
from zhuli.core.errors import InvalidRequest
from zhuli.store import jobs
from zhuli.store.assistants import runs
from zhuli.store.jobs import Job
from zhuli.testing.app import AppInMemory
from zhuli.types.assistants.run import Run
from zhuli.worker.loop import Worker


@asynccontextmanager
async def working(app: AppInMemory) -> AsyncIterator[Worker]:
    """A worker of this app, stopped in the end."""
    worker = make_worker(app.app)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await task


def handler(app: AppInMemory) -> RunHandler:
    """What a worker of this app calls, without the worker."""
    return RunHandler(app.app.assistants.engine)


async def claim(app: AppInMemory, worker: str = "somebody", *, most: int = 1, lease: float = 15) -> list[Job]:
    """Claim jobs in the name of a worker that does nothing else."""
    return await app.app.database.run(jobs.claim, worker, slots={runs.JOB: most}, now=app.clock.now(), lease=lease)


async def play_on(app: AppInMemory, run: Run) -> Run:
    """Submit whatever the run asks for, until it has ended; the run as it is then."""
    run = await app.rest(run)
    while run.status == "requires_action" and run.required_action is not None:
        asked = run.required_action.submit_tool_outputs.tool_calls
        with suppress(InvalidRequest):  # it may have ended meanwhile
            await app.submit(run, *(f"output of {call.function.name}" for call in asked))
        run = await app.rest(run)
    return run
