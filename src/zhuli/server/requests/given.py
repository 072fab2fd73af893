"""Parameters of a route that are the server's own, not the client's: the route gives them.

As dependencies of FastAPI's two of them cost a third of a small request.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, get_args

from fastapi.routing import APIRoute
from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Given:
    """Stands in the annotation of such a parameter. of: what it is, by the request; it may refuse the request."""

    of: Callable[[Request], Any]


class GivenRoute(APIRoute):
    """A route that fills what is marked as given; FastAPI sees the other parameters only."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, _filled(endpoint), **options)


_REQUEST = inspect.Parameter("given_request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)


def _filled(endpoint: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The endpoint as FastAPI is to see it."""
    signature = inspect.signature(endpoint)
    given = {name: found for name, parameter in signature.parameters.items() if (found := _given(parameter.annotation))}
    if not given:
        return endpoint

    @wraps(endpoint)
    async def call(*, given_request: Request, **asked: Any) -> Any:
        return await endpoint(**{name: of(given_request) for name, of in given.items()}, **asked)

    asked = [parameter for name, parameter in signature.parameters.items() if name not in given]
    call.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in asked), _REQUEST]
    )
    return call


def _given(annotation: Any) -> Callable[[Request], Any] | None:
    """FastAPI gives the request itself under one name only, so that is given here as well."""
    if annotation is Request:
        return lambda request: request
    return next((part.of for part in get_args(annotation) if isinstance(part, Given)), None)
