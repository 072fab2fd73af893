"""How routes are matched and how they read a body: JSON by the standard, whatever the content type says."""

from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from zhuli.core import json_limits
from zhuli.server.doors import azure
from zhuli.server.once import digest_of_body, once


class StrictJsonRequest(Request):
    """Reads JSON as the standard has it, within limits: no NaN, no lone surrogates, UTF-8 only."""

    async def json(self) -> Any:
        """The body by the standard; InvalidRequest for what is no JSON, too deep or too much."""
        value = json_limits.read(await self.body())
        if isinstance(value, dict) and azure.DEPLOYMENT in self.scope:
            value["model"] = self.scope[azure.DEPLOYMENT]
        return value


class JsonRoute(APIRoute):
    """A route whose body is read by StrictJsonRequest, and which says quickly that a path is not its own."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's, with a body that is JSON whatever its content type says."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            kept = [header for header in request.scope["headers"] if header[0] != b"content-type"]
            scope = {**request.scope, "headers": [*kept, (b"content-type", b"application/json")]}
            asked = StrictJsonRequest(scope, request.receive)
            return await once(asked, self.response_model, lambda: digest_of_body(asked), lambda: handler(asked))

        return handle

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Starlette's, with a look at the beginning and the depth first."""
        # Routes are tried one by one, each with a regular expression; most differ in what stands before the first id.
        if scope["type"] == "http":
            path, (begin, depth) = scope["path"], self._shape
            if not path.startswith(begin) or (depth is not None and path.count("/") != depth):
                return Match.NONE, {}
        return super().matches(scope)

    @cached_property
    def _shape(self) -> tuple[str, int | None]:
        """What every path of the route begins with, and its slashes, where their number is fixed."""
        return self.path.partition("{")[0], None if ":path" in self.path else self.path.count("/")
