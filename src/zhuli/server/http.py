"""The HTTP app: routes, our errors as bodies, the OpenAPI description, start and stop."""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pkgutil import walk_packages
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

import zhuli.server.routes
from zhuli.app import App
from zhuli.core import full_disk
from zhuli.core.errors import InvalidRequest, ServerFault, ZhuliError
from zhuli.core.origin import origin
from zhuli.server.described.description import description
from zhuli.server.doors.actor import Doorkeeper
from zhuli.server.doors.audited import AuditTrail
from zhuli.server.doors.cors import for_pages
from zhuli.server.doors.origins import is_loopback
from zhuli.server.edge import Edge
from zhuli.server.heads import Heads
from zhuli.server.route_table import RouteTable
from zhuli.server.unserved import not_allowed, not_found
from zhuli.types.refusals import refusal


def build_server(app: App) -> ASGIApp:
    """The ASGI app around `app`, which whoever serves it starts and stops."""
    # FastAPI's pages under /docs and /redoc fetch their scripts from elsewhere; these come with the server.
    http = FastAPIOffline(title="zhuli", version=version("zhuli"), redirect_slashes=False)
    http.state.app = app
    table = RouteTable(_routes())
    http.router.routes.append(table)
    http.state.routes = table
    http.add_exception_handler(ZhuliError, _as_body)
    http.add_exception_handler(Exception, _as_fault)
    http.add_exception_handler(RequestValidationError, _as_refusal)
    http.add_exception_handler(HTTPException, _as_routing_error)
    http.openapi = lambda: _description(http, table.routes)  # type: ignore[method-assign]
    doorkeeper = Doorkeeper(app.database, app.clock, loopback=is_loopback(app.settings.host))
    trail = AuditTrail(app.database, app.clock)
    edge = Edge(Heads(http), doorkeeper, app.telemetry, app.meter, trail, app.settings)
    return for_pages(edge, app.settings.cors_origins)


def _routes() -> list[Route]:
    """The routes of every file under routes/, literal segments before parameters: /threads/runs is no thread's id.

    A route that goes on behind another one's end comes before it: a path parameter would take the rest as well.
    """
    routers: list[APIRouter] = [
        import_module(module.name).router
        for module in walk_packages(zhuli.server.routes.__path__, "zhuli.server.routes.")
        if not module.ispkg
    ]
    routes = [route for router in routers for route in router.routes if isinstance(route, Route)]
    return sorted(routes, key=lambda route: f"{route.path}{{".replace("{", "\x7f"))


async def _as_body(_: Request, error: Exception) -> Response:
    assert isinstance(error, ZhuliError)
    return Response(
        orjson.dumps(error.body()), status_code=error.status, headers=error.headers, media_type="application/json"
    )


async def _as_fault(request: Request, error: Exception) -> Response:
    """Starlette raises the exception again behind this, so that the edge writes it to the log."""
    if (full := full_disk.found_in(error)) is not None:
        return await _as_body(request, full)
    asked = origin.get()
    where = f" under {asked.request_id}" if asked else ""
    return await _as_body(request, ServerFault(f"The server had an error; its log has it{where}."))


async def _as_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return await _as_body(request, refusal(error.errors()))


async def _as_routing_error(request: Request, error: Exception) -> Response:
    """No such route or method; other statuses do not come from our routes."""
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, ZhuliError):  # raised while the body was read
        return await _as_body(request, error.__cause__)
    if (full := full_disk.found_in(error)) is not None:  # where parts of a form wait
        return await _as_body(request, full)
    method, path = request.method, request.url.path
    routes: RouteTable = request.app.state.routes
    if error.status_code == 404:
        return await _as_body(request, not_found(method, path, is_served=lambda other: bool(_methods(routes, other))))
    if error.status_code == 405:
        allowed = _methods(routes, path)
        response = await _as_body(request, not_allowed(method, path, allowed))
        response.headers["allow"] = ", ".join(allowed)
        return response
    return await _as_body(request, InvalidRequest(str(error.detail)))


def _methods(routes: RouteTable, path: str) -> list[str]:
    """By which methods a path is served; none if it is not."""
    scope = {"type": "http", "method": "", "path": path, "headers": []}
    taking = (route for route in routes.of(path) if route.matches(scope)[0] != Match.NONE)
    found = {method for route in taking for method in route.methods or ()}
    return sorted({*found, "HEAD"} if "GET" in found else found)


def _description(http: FastAPI, routes: Sequence[Route]) -> dict[str, Any]:
    """Made when it is first asked for."""
    if http.openapi_schema is None:
        http.openapi_schema = description(http.title, http.version, routes)
    return http.openapi_schema
