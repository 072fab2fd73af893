"""Run the HTTP server until a signal: bind, say where, serve, stop gracefully."""

import errno
import gc
import logging
import math
import signal
import socket
import sys
import time
from types import FrameType

import uvicorn

from zhuli.app import App, build_app
from zhuli.core import logs
from zhuli.core.errors import ConfigurationError
from zhuli.models.available import FIRST
from zhuli.server import processes
from zhuli.server.doors.origins import is_loopback
from zhuli.server.garbage import Garbage, only_new_objects
from zhuli.server.greeting import greeting
from zhuli.server.http import build_server
from zhuli.server.process_metrics import ProcessMetrics
from zhuli.server.processes import Place
from zhuli.server.protocol import limited
from zhuli.settings import Settings
from zhuli.store import migrate, projects

log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.001


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, which is no failure."""
    logs.configure(settings.log_format, settings.log_level)
    place: Place | None = None
    if settings.processes > 1:
        processes.check(settings)
        only_new_objects()  # so that children share their memory
        place = processes.place_in(settings, _bound(settings.host, settings.port))
    app = build_app(settings)
    config = uvicorn.Config(
        build_server(app),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=int(settings.grace_seconds) + 2,
        timeout_keep_alive=75,
        loop="uvloop",
        http=limited(settings.header_seconds),
        ws="none",
        lifespan="off",  # Server starts the app, so that what is wrong is said once, and in a sentence
    )
    # So soon a thread that computes gives Python's lock to the loop, which needs it several times for an answer; 5 ms are usual.
    sys.setswitchinterval(SWITCH_SECONDS)
    # What is loaded by now stays, so the garbage collector need not look at it.
    only_new_objects()
    gc.enable()
    # uvicorn raises the signals that ended it again, to whoever had them before.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    Server(config, app, place).run(list(place.sockets) if place else None)


def _bound(host: str, port: int) -> list[socket.socket]:
    """A socket for each address of the host, all with one port. ConfigurationError says what would be right."""
    found: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            found.append(one := socket.socket(family, kind, protocol))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((address[0], port or found[0].getsockname()[1] if len(found) > 1 else port, *address[2:]))
        return found
    except OSError as error:
        for one in found:
            one.close()
        why = "another program listens there" if error.errno == errno.EADDRINUSE else error.strerror
        raise ConfigurationError(
            f"The server can't listen on {host}:{port}: {why}. Choose another port, like --port {port + 1}, or host."
        ) from error


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


class Server(uvicorn.Server):
    """uvicorn, which tells the app as soon as a signal asks for the end, so that runs stop being claimed."""

    def __init__(self, config: uvicorn.Config, app: App, place: Place | None = None) -> None:
        """place: among processes that serve together."""
        super().__init__(config)
        self._place = place
        self._metrics: ProcessMetrics | None = None
        self._app = app
        self._leave_at = math.inf
        self._garbage = Garbage()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Look at models file and keys, start the app and bind; then say where. ConfigurationError says what is wrong."""
        self._app.catalog.check()
        keyed = await self._check_keys()
        if not sockets:
            for one in _bound(self.config.host, self.config.port):
                one.close()
        await self._app.start(work=True)
        if self._place is not None:
            await self._join(self._place)
        await super().startup(sockets)
        if self.should_exit or (self._place is not None and self._place.ready is None):
            return
        if self._place is not None:
            self._place.started()
        port = self.servers[0].sockets[0].getsockname()[1]
        log.info("zhuli answers at http://%s:%d/v1", self.config.host, port)
        if self._app.settings.log_format == "text":
            catalog = self._app.catalog
            models = [catalog.default, *(name for name in catalog.names() if name != catalog.default)]
            better = FIRST if catalog.is_stand_in else None
            print(greeting(self.config.host, port, models=models, keyed=keyed, better=better), flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answers that are under way first, then what they are made by."""
        await super().shutdown(sockets)
        if self._metrics is not None:
            await self._metrics.aclose()
        if not self.force_exit:
            await self._app.stop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A first signal: claim nothing more, let running turns finish. A second one: leave."""
        if sig == signal.SIGINT and self._place is not None:
            return  # a terminal's, which the parent has had too: it says when to end
        self._app.begin_to_stop()
        again = self.should_exit or self._leave_at < math.inf
        super().handle_exit(sig, frame)
        if not again and sig == signal.SIGTERM and self._app.settings.drain_seconds:
            self._leave_at = time.monotonic() + self._app.settings.drain_seconds
            self.should_exit = False

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        if self._place is not None and self._place.orphaned and not self.should_exit and self._leave_at == math.inf:
            self.handle_exit(signal.SIGTERM, None)
        if time.monotonic() >= self._leave_at:
            self.should_exit = True
        self._garbage.look(quiet=not self.server_state.tasks)
        return await super().on_tick(counter)

    async def _join(self, place: Place) -> None:
        """Show the metrics of all processes."""
        registry = self._app.telemetry.registry
        self._metrics = ProcessMetrics(place.folder, place.number, place.count, registry)
        await self._metrics.start()
        self._app.telemetry.text = self._metrics.text

    async def _check_keys(self) -> bool:
        """Whether there are or were keys. Without, whoever reaches the port may do everything, so only this machine may."""
        await self._app.database.run(migrate.upgrade)
        if await self._app.database.run(projects.had_keys):
            return True
        if not is_loopback(self.config.host):
            raise ConfigurationError(
                f"There are no API keys, so the server listens only on loopback, not on {self.config.host}. "
                "Make a key first: zhuli keys create --project NAME."
            )
        return False
