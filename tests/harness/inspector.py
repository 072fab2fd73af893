"""Looks at every answer that a test's client gets, and remembers what broke the contract.

It never raises inside a client, which would take it for a broken connection and try again: the test fails afterwards.
"""

import json

import httpx2

from tests.harness.contract import EVENTS, Contract, Violation
from tests.harness.response_rules import ENDS, ResponseRules
from tests.harness.sse import EventParser, ServerEvent
from tests.harness.stream_rules import StreamRules


class Inspector:
    """One per test."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.violations: list[Violation] = []

    def is_stream(self, request: httpx2.Request, response: httpx2.Response) -> bool:
        return request.method != "HEAD" and _media_type(response) == EVENTS

    def headers(self, request: httpx2.Request, response: httpx2.Response) -> None:
        """Every answer carries a request id, which a person can look for in the log."""
        if not response.headers.get("x-request-id"):
            self.violations.append(Violation(f"{request.method} {_path(request)}", "", "has no x-request-id"))

    def body(self, request: httpx2.Request, response: httpx2.Response) -> None:
        """An answer that was read to its end."""
        if request.method == "HEAD":
            return
        self.violations += self.contract.check(
            request.method, _path(request), response.status_code, _media_type(response), response.content
        )

    def stream(self, request: httpx2.Request) -> "StreamInspector":
        return StreamInspector(self, request)


class StreamInspector:
    """Follows the pieces of one stream."""

    def __init__(self, inspector: Inspector, request: httpx2.Request) -> None:
        self._inspector = inspector
        self._method, self._path = request.method, _path(request)
        self._parser = EventParser()
        self._rules: StreamRules | ResponseRules | None = None
        if self._method == "POST" and "/threads/" in self._path:
            self._rules = StreamRules()
        elif "/responses" in self._path:
            self._rules = ResponseRules(joined="starting_after=" in str(request.url))
        self._last_id = 0
        self._done = False

    def feed(self, piece: bytes) -> None:
        for event in self._parser.feed(piece):
            self._event(event)

    def end(self) -> None:
        """The server ended the stream; a client that leaves early, or a cut, does not come here."""
        empty = isinstance(self._rules, ResponseRules) and self._rules.may_be_empty
        if not self._done and not empty:
            self._report("the stream", "ended without [DONE]")

    def _event(self, event: ServerEvent) -> None:
        if self._done:
            self._report(f"event {event.name}", "comes after [DONE]")
        broken = self._inspector.contract.check_event(self._method, self._path, event.name, event.data)
        self._inspector.violations += broken
        self._check_id(event)
        if event.data == "[DONE]":
            self._done = True
        elif isinstance(self._rules, ResponseRules) and event.name in ENDS:
            self._done = True  # the last event ends it, and no [DONE]
        if event.data == "[DONE]":
            return
        if self._rules and not broken:
            for problem in self._rules.check(event.name, json.loads(event.data)):
                self._report(f"event {event.name}", problem)

    def _check_id(self, event: ServerEvent) -> None:
        if event.id is None:
            return
        if not event.id.isdigit() or int(event.id) <= self._last_id:
            self._report(f"event {event.name}", f"id {event.id!r} does not follow {self._last_id}")
        else:
            self._last_id = int(event.id)

    def _report(self, what: str, problem: str) -> None:
        self._inspector.violations.append(Violation(f"{self._method} {self._path} → {what}", "", problem))


def _path(request: httpx2.Request) -> str:
    return request.url.raw_path.decode().partition("?")[0]


def _media_type(response: httpx2.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip()
