"""A process that only works: it executes the runs of a database that servers share with it. PostgreSQL only."""

import asyncio
import logging
import signal

import uvloop
from prometheus_client import start_http_server

from zhuli.app import App, build_app
from zhuli.core import logs
from zhuli.core.errors import ConfigurationError
from zhuli.settings import Settings

log = logging.getLogger(__name__)


def work(settings: Settings, *, metrics_port: int | None) -> None:
    """Work until SIGINT or SIGTERM; then finish what is running, or put it back."""
    _check(settings)
    logs.configure(settings.log_format, settings.log_level)
    app = build_app(settings)
    app.catalog.check()
    if metrics_port is not None:
        start_http_server(metrics_port, settings.host, app.telemetry.registry)
    uvloop.run(_work(app))


def _check(settings: Settings) -> None:
    if not settings.database.startswith("postgres"):
        raise ConfigurationError(
            "Workers of their own need a database that processes can share: set database_url to postgresql://…. "
            "On SQLite `zhuli serve` does the work itself."
        )
    if settings.worker_slots == 0:
        raise ConfigurationError("worker_slots is 0, so there is nothing to do; say how many runs at once: --slots 64.")


async def _work(app: App) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, app.begin_to_stop)
    try:
        await app.start(work=True)
        log.info("The worker takes up to %d runs at once", app.settings.worker_slots)
        await app.work_until_stopped()
    finally:
        await app.stop()
    log.info("The worker has stopped")
