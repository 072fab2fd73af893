"""More workers than the one that an app has anyway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from zhuli.app import make_worker
from zhuli.store import jobs
from zhuli.store.jobs import Job
from zhuli.testing.app import AppInMemory
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


async def claim(app: AppInMemory, worker: str = "somebody", *, most: int = 1, lease: float = 15) -> list[Job]:
    """Claim jobs in the name of a worker that does nothing else."""
    return await app.app.database.run(jobs.claim, worker, most=most, now=app.clock.now(), lease=lease)
