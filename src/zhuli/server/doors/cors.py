"""CORS: what a browser is told, so that pages of the origins that the operator named may call the API. Streams and errors too."""

from collections.abc import Sequence

import orjson
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from zhuli.core.errors import InvalidRequest

_READ_BY_SDKS = (
    "x-request-id",
    "openai-processing-ms",
    "openai-version",
    "openai-poll-after-ms",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "idempotent-replayed",
    "content-disposition",
    "www-authenticate",
)
"""What a page may read of an answer, by name: to a page that sends credentials, `*` is the name of a header."""


def for_pages(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """With CORS for pages of these origins: before all else, for a preflight has no key, and a page must see errors too."""
    if not origins:
        return app
    return _Cors(
        app,
        allow_origins=origins,
        allow_methods=["*"],
        allow_headers=["*"],
        allow_private_network=True,
        expose_headers=["*", *_READ_BY_SDKS],
        max_age=600,
    )


class _Cors(CORSMiddleware):
    """Starlette's, which refuses in the API's words."""

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        origin, method = request_headers["origin"], request_headers["access-control-request-method"]
        error = InvalidRequest(
            f"Web pages of '{origin[:100]}' may not send {method[:20]} here. The server's operator names the origins of "
            "pages in the setting cors_origins.",
            code="origin_not_allowed",
        )
        headers = {"vary": response.headers["vary"]}
        return Response(orjson.dumps(error.body()), error.status, headers, media_type="application/json")
