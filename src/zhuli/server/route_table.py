"""Which route a path has, in one look: by what stands behind /v1 and by its depth, where Starlette would try all, one by one."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

_DEEPEST = 16
"""Segments of a path; only routes whose depth is open have more."""


class RouteTable(BaseRoute):
    """All routes as one. The first of theirs that takes path and method answers, else the first that takes the path."""

    def __init__(self, routes: Sequence[Route]) -> None:
        """routes: in the order in which they are tried."""
        self.routes = list(routes)
        self._at: dict[tuple[str, int], list[Route]] = {}
        for room in {_room(route.path) for route in routes}:
            here = [route for route in routes if _room(route.path) == room]
            for depth in range(1, _DEEPEST + 1):
                self._at[room, depth] = [route for route in here if _is_open(route) or route.path.count("/") == depth]

    def of(self, path: str) -> Sequence[Route]:
        """The routes that may take a path, in their order."""
        return self._at.get((_room(path), min(path.count("/"), _DEEPEST)), ())

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Starlette's, of the route that was found; `handle` is told which by scope["route"]."""
        partial: tuple[Match, Scope] = Match.NONE, {}
        if scope["type"] != "http":
            return partial
        for route in self.of(scope["path"]):
            match, found = route.matches(scope)
            if match is Match.FULL:
                return match, {**found, "route": route}
            if match is Match.PARTIAL and partial[0] is Match.NONE:
                partial = match, {**found, "route": route}
        return partial

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """By the route that `matches` found."""
        await scope["route"].handle(scope, receive, send)


def _room(path: str) -> str:
    """assistants of /v1/assistants/{assistant_id}, healthz of /healthz."""
    segments = path.split("/", 3)
    return segments[2 if len(segments) > 2 else -1]


def _is_open(route: Route) -> bool:
    return ":path}" in route.path
