"""The table of routes takes every path where trying all routes in their order would have taken it."""

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from zhuli.server import http
from zhuli.server.route_table import RouteTable

ROUTES = http._routes()
PATHS = sorted(
    {
        path.format_map(dict.fromkeys(route.param_convertors, value))
        for route in ROUTES
        for path in [route.path.replace(":path}", "}")]
        for value in ("a_1", "runs", "a/b")
    }
    | {
        "/",
        "",
        "/v1",
        "/v1/",
        "/v1/threads/",
        "//v1/threads",
        "/v1/threads/" + "a/" * 40,
        "/v1/models/" + "a/" * 40 + "b",
    }
)


def scope(method: str, path: str) -> dict[str, object]:
    return {"type": "http", "method": method, "path": path, "headers": []}


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
def test_every_path_has_the_route_that_comes_first_in_order(method: str) -> None:
    table, taken = RouteTable(ROUTES), 0
    for path in PATHS:
        found = [(match, route) for route in ROUTES if (match := route.matches(scope(method, path))[0]) != Match.NONE]
        full = [(match, route) for match, route in found if match is Match.FULL]
        expected, route = (full or found or [(Match.NONE, None)])[0]
        match, child = table.matches(scope(method, path))
        assert (match, child.get("route")) == (expected, route), path
        taken += match is Match.FULL
    assert taken or method == "PATCH"


def test_a_route_with_an_open_end_takes_paths_of_any_depth() -> None:
    async def answer(request: Request) -> Response:
        raise AssertionError

    table = RouteTable([Route("/v1/models/{model:path}", answer)])
    assert table.matches(scope("GET", "/v1/models/" + "/".join("a" * 100)))[0] is Match.FULL
    assert table.matches(scope("GET", "/v1/other/a"))[0] is Match.NONE
