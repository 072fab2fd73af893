"""How routes read a body: JSON by the standard, whatever the content type says."""

from collections.abc import Callable, Coroutine
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zhuli.core import json_limits
from zhuli.server.doors import azure
from zhuli.server.requests.given import GivenRoute
from zhuli.server.requests.once import digest_of_body, once


class StrictJsonRequest(Request):
    """Reads JSON as the standard has it, within limits: no NaN, no lone surrogates, UTF-8 only."""

    async def json(self) -> Any:
        """The body by the standard; InvalidRequest for what is no JSON, too deep or too much."""
        value = json_limits.read(await self.body())
        if isinstance(value, dict) and azure.DEPLOYMENT in self.scope:
            value["model"] = self.scope[azure.DEPLOYMENT]
        return value


class JsonRoute(GivenRoute):
    """A route whose body is read by StrictJsonRequest."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's, with a body that is JSON whatever its content type says."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            kept = [header for header in request.scope["headers"] if header[0] != b"content-type"]
            scope = {**request.scope, "headers": [*kept, (b"content-type", b"application/json")]}
            asked = StrictJsonRequest(scope, request.receive)
            return await once(asked, self.response_model, lambda: digest_of_body(asked), lambda: handler(asked))

        return handle
