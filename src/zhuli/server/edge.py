"""The outermost layer, plain ASGI: request ids, size limits, authentication, logs, metrics, and errors of ours as bodies.

Nothing here knows a route. `except Exception` stands here, so that no stack trace reaches a client.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zhuli.core import full_disk
from zhuli.core.errors import InvalidRequest, NotFound, ServerFault, Unavailable, ZhuliError
from zhuli.core.ids import new_id
from zhuli.core.origin import Origin, origin
from zhuli.core.outages import Outages
from zhuli.core.telemetry import Telemetry
from zhuli.metering.meter import Meter, patient
from zhuli.server.doors import azure, origins
from zhuli.server.doors.actor import Actor, Doorkeeper
from zhuli.server.doors.audited import AuditTrail
from zhuli.server.doors.going_on import GoingOn, KeyClosed
from zhuli.server.doors.limited import headers_of, is_limited
from zhuli.server.doors.scopes import scope_of
from zhuli.server.leaving import ClientLeft, unless_client_leaves
from zhuli.server.requests.request_body import RequestBody, too_large
from zhuli.settings import Settings
from zhuli.store.projects import Scope as Needed
from zhuli.types.knowledge.upload import PART_BYTES

log = logging.getLogger(__name__)

BETA = "assistants=v2"
_BETA_PATHS = ("/v1/assistants", "/v1/threads", "/v1/vector_stores")

_ANYBODYS = ("/healthz", "/readyz")
"""Whoever watches a server may call it by any name; they say nothing."""

_WITHOUT_KEY = (*_ANYBODYS, "/metrics")
"""What a key is not asked for. Anything else is, whether it is served or not."""

_DESCRIPTIONS = re.compile(r"/(?:docs|docs/oauth2-redirect|redoc|openapi\.json|static-offline-docs/[\w.-]+)", re.ASCII)
"""The pages, and what they load."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

CLIENT_LEFT = 499
"""nginx's status, which nobody is sent, for a client that left before its answer was complete."""

_FORM_BYTES = 64 * 1024
"""What a form may have beside its file: the other fields, and what stands between them."""


class Edge:
    """Wraps the app. Sets scope["actor"] for what is under /v1."""

    def __init__(
        self,
        app: ASGIApp,
        doorkeeper: Doorkeeper,
        telemetry: Telemetry,
        meter: Meter,
        trail: AuditTrail,
        settings: Settings,
    ) -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        self._telemetry = telemetry
        self._meter = meter
        self._trail = trail
        self._settings = settings
        self._disks = Outages("Room on a disk")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith("/openai/"):
            scope = azure.as_ours(scope)
        exchange = _Exchange(scope, send, self._telemetry)
        token, waits = origin.set(exchange.origin), patient.set(True)
        body = RequestBody(receive, self._limit(scope["path"]), seconds=self._settings.body_seconds)
        try:
            await self._check(scope)
            receive, send = body, exchange.send
            if "actor" in scope:
                await self._take_request(scope, exchange)
                exchange.done = partial(self._trail.note, scope, exchange.id)
                going_on = GoingOn(self._admission(scope), body, exchange.send)
                receive, send = going_on.receive, going_on.send
            await unless_client_leaves(self._app, scope, receive, send)
        except ZhuliError as error:
            await exchange.fail(error, body)
        except (ClientLeft, KeyClosed):
            exchange.nobody_waits()
        except asyncio.CancelledError:  # by the end of a server's grace, and by nobody else
            await exchange.fail(Unavailable("The server is stopping. Send the request again."), body)
        except Exception as error:
            if (full := full_disk.found_in(error)) is not None:
                self._disks.note(str(error))
                await exchange.fail(full, body)
                return
            log.exception("%s %s broke", scope["method"], scope["path"])
            await exchange.fail(ServerFault(f"The server had an error; its log has it under {exchange.id}."), body)
        finally:
            exchange.finish()
            origin.reset(token)
            patient.reset(waits)

    async def _take_request(self, scope: Scope, exchange: "_Exchange") -> None:
        """What is done for the request is done for who asks, within their limits."""
        actor: Actor = scope["actor"]
        asked = replace(exchange.origin, project=actor.project, key=actor.key)
        origin.set(asked)
        if is_limited(scope["method"], scope["path"]):
            patient.set(False)
            exchange.limits = partial(self._limits, asked)
            await self._meter.take(asked, "requests", 1)

    async def _limits(self, asked: Origin) -> list[tuple[bytes, bytes]]:
        return headers_of(await self._meter.standings(asked))

    async def _check(self, scope: Scope) -> None:
        """Let the request in, or raise."""
        path: str = scope["path"]
        if _CONTROL.search(path):  # one at its end is none to Starlette's routes, and PostgreSQL takes no NUL
            raise NotFound(
                f"Invalid URL ({scope['method']} {ascii(path)[1:-1]}). A path can't have control characters."
            )
        if b"%00" in scope["query_string"]:
            raise InvalidRequest("A query can't have a NUL character.", code="invalid_value")
        headers = dict(scope["headers"])
        if path not in _ANYBODYS and await self._doorkeeper.is_open():
            origins.check(
                _texts(scope, b"host"),
                _texts(scope, b"origin"),
                part_of=origins.outer_page(headers),
                allowed_hosts=self._settings.allowed_hosts,
                cors=self._settings.cors_origins,
            )
        if not path.startswith("/v1/"):
            if path not in _WITHOUT_KEY and not (self._settings.docs_without_key and _DESCRIPTIONS.fullmatch(path)):
                await self._admit(headers, "read")
            return
        length = headers.get(b"content-length", b"0")
        limit = self._limit(path)
        if length.isdigit() and int(length) > limit:
            raise too_large(limit)
        scope["actor"] = await self._admission(scope)()
        if self._settings.strict.beta_header and path.startswith(_BETA_PATHS):
            _check_beta(headers.get(b"openai-beta", b"").decode("latin-1"))

    def _admission(self, scope: Scope) -> Callable[[], Awaitable[Actor]]:
        """What lets this request in, if it still does."""
        return partial(self._admit, dict(scope["headers"]), scope_of(scope["method"], scope["path"]))

    async def _admit(self, headers: Mapping[bytes, bytes], needed: Needed) -> Actor:
        given = (headers.get(name) for name in (b"authorization", b"api-key"))
        authorization, azure_key = (value.decode("latin-1") if value else None for value in given)
        return await self._doorkeeper.admit(authorization, azure_key, needed)

    def _limit(self, path: str) -> int:
        """The most bytes that a body sent there may have."""
        if path == "/v1/files":
            return self._settings.max_upload_bytes + _FORM_BYTES
        if path.startswith("/v1/uploads/") and path.endswith("/parts"):
            return PART_BYTES + _FORM_BYTES
        return self._settings.max_body_bytes


def _texts(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)


def _check_beta(header: str) -> None:
    given = [part.strip() for part in header.split(",")]
    if BETA in given:
        return
    again = "Please try again by setting the header 'OpenAI-Beta: assistants=v2'."
    if "assistants=v1" in given:
        raise InvalidRequest(f"The v1 Assistants API has been deprecated. {again}", code="invalid_beta")
    raise InvalidRequest(
        f"You must provide the 'OpenAI-Beta' header to access the Assistants API. {again}", code="invalid_beta"
    )


class _Exchange:
    """One request and its response."""

    def __init__(self, scope: Scope, send: Send, telemetry: Telemetry) -> None:
        self.id = new_id("req")
        self.origin = Origin.of(self.id, _header(scope, b"traceparent"))
        self._scope = scope
        self._send = send
        self._telemetry = telemetry
        self._began = time.perf_counter()
        self._status = 0
        self.done: Callable[[], Awaitable[None]] | None = None
        self.limits: Callable[[], Awaitable[list[tuple[bytes, bytes]]]] | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            took = time.perf_counter() - self._began
            self._telemetry.request_seconds.labels(self._route).observe(took)
            if self.done is not None and self._status < 300:
                await self.done()
            limits = [] if self.limits is None else await self.limits()
            message["headers"] = [
                *message["headers"],
                *limits,
                (b"x-request-id", self.id.encode()),
                (b"openai-processing-ms", b"%d" % (took * 1000)),
                (b"openai-version", b"2020-10-01"),
            ]
        await self._send(message)

    async def fail(self, error: ZhuliError, asked: RequestBody) -> None:
        """Send the error, unless the response has begun; then the connection just ends.

        The answer ends behind the request's own end: a proxy that is still sending would take a closed connection for a fault.
        """
        if self._status:
            return
        body = orjson.dumps(error.body())
        headers: list[tuple[bytes, bytes]] = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            *((name.encode(), value.encode()) for name, value in error.headers.items()),
        ]
        await self.send({"type": "http.response.start", "status": error.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": True})
        await asked.drain()
        await self._send({"type": "http.response.body", "body": b""})

    def nobody_waits(self) -> None:
        """For log and metrics: the client left."""
        self._status = CLIENT_LEFT

    def finish(self) -> None:
        method, path = self._scope["method"], self._scope["path"]
        self._telemetry.requests.labels(method, self._route, str(self._status)).inc()
        if log.isEnabledFor(logging.INFO):
            took = (time.perf_counter() - self._began) * 1000
            fields: dict[str, Any] = {"method": method, "path": path, "status": self._status, "ms": round(took, 1)}
            log.info("%s %s → %d in %.1f ms", method, path, self._status, took, extra={"fields": fields})

    @property
    def _route(self) -> str:
        """The route's template, so that ids do not become labels."""
        route = self._scope.get("route")
        return getattr(route, "path", "other")
