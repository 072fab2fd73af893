"""/healthz, /readyz and /metrics: for whoever runs the server."""

import asyncio
from contextlib import suppress

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import PlainTextResponse, Response

from zhuli.core import full_disk
from zhuli.core.errors import Outage, Unavailable
from zhuli.server.requests.given import GivenRoute
from zhuli.server.requests.parameters import TheApp
from zhuli.store import jobs, migrate

router = APIRouter(tags=["Operating"], route_class=GivenRoute)


@router.get("/healthz", response_class=PlainTextResponse)
async def healthz() -> str:
    """The process is up."""
    return "ok\n"


@router.get("/readyz", response_class=PlainTextResponse)
async def readyz(app: TheApp) -> str:
    """The database answers and has the schema of this version, there is room on the disks, and the process is not stopping."""
    if not app.ready or await app.database.run(migrate.current) != migrate.newest():
        raise Unavailable("Not ready: starting, stopping, or the database lacks migrations (zhuli migrate).")
    await asyncio.to_thread(full_disk.check, app.settings.folders)
    return "ok\n"


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(app: TheApp) -> Response:
    """Prometheus metrics."""
    with suppress(Outage):  # the rest is wanted then most of all
        waiting = await app.database.run(jobs.waiting, now=app.clock.now())
        app.telemetry.jobs_waiting.clear()
        for kind, count in waiting.items():
            app.telemetry.jobs_waiting.labels(kind).set(count)
    text = await app.telemetry.text()
    app.telemetry.jobs_waiting.clear()  # the queue is everybody's: of processes that serve together, one says it
    return Response(text, media_type=CONTENT_TYPE_LATEST)
