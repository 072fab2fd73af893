"""Routes of domains take a domain as YAML too: with content-type application/yaml, it is read to the JSON that it means."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from zhuli.core.errors import InvalidRequest
from zhuli.server.requests.json_route import JsonRoute
from zhuli.understanding.domains.yaml.reading import parse

MEDIA_TYPE = "application/yaml"
_MEDIA_TYPES = (MEDIA_TYPE, "application/x-yaml", "text/yaml", "text/x-yaml")


class YamlRoute(JsonRoute):
    """A JsonRoute whose body is a domain's fields."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's, with YAML read to the JSON that it means."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type not in _MEDIA_TYPES:
                return await handler(request)
            return await handler(_with_body(request, await asyncio.to_thread(_as_json, await request.body())))

        return handle


def _as_json(body: bytes) -> bytes:
    """Only what the YAML says, so that modifying changes nothing else."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest("The YAML is not UTF-8. Save it as UTF-8.", code="invalid_yaml") from error
    return parse(text).model_dump_json(exclude_unset=True).encode()


def _with_body(request: Request, body: bytes) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)
