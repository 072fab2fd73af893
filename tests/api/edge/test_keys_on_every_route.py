"""Every route of the description, with every kind of key, and by every way of writing its path: a new route falls under it."""

import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.api.edge.test_doors import bearer
from tests.api.edge.test_keys import refused_soon
from tests.harness import keys
from tests.harness.clients import PATIENCE
from tests.harness.farm import Farm
from tests.harness.server import Server

ASK_ONLY = {
    "/v1/domains/check",
    "/v1/embeddings",
    "/v1/evals/{eval_id}/comparisons",
    "/v1/moderations",
    "/v1/predictions",
    "/v1/understandings",
    "/v1/vector_stores/{vector_store_id}/search",
}
"""POSTs for which docs/operating.md says that reading is enough."""

FEEDBACK = {"/v1/feedback", "/v1/feedback/batches"}
OPERATORS = ("/v1/models", "/v1/model_aliases", "/v1/moderations/thresholds")
FREE = {"/healthz", "/readyz", "/metrics"}

MAY = {
    "read": {"read"},
    "write": {"read", "write", "feedback"},
    "admin": {"read", "write", "feedback", "admin"},
    "feedback": {"feedback"},
}
"""What a key of each scope may do, by the scope that a request needs."""

BEHIND = [
    "%0A",
    "%0D",
    "%0D%0A",
    "%00",
    "%09",
    "%20",
    "%7F",
    "%C2%85",
    "%E2%80%A8",
    "/",
    "//",
    ";a",
    "%3Fa",
    "%2F",
    "/.",
]
"""What an attacker writes behind a path, so that who looks at the key and who finds the route read two different ones."""

BEFORE = ["/", "/.", "/v1/..", "/%2E", "/openai", "/%6Fpenai", "/V1/..", "%0A"]


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str

    @property
    def needs(self) -> str:
        if self.path.startswith("/v1/organization/"):
            return "admin"
        if self.method in ("GET", "HEAD"):
            return "read"
        if self.method == "POST" and self.path in FEEDBACK:
            return "feedback"
        if self.path.startswith(OPERATORS):
            return "admin"
        return "read" if self.path in ASK_ONLY else "write"

    @property
    def url(self) -> str:
        """Of an object that is not there."""
        return re.sub(r"\{[^}]+\}", "x_none", self.path)


@dataclass(frozen=True, slots=True)
class Doors:
    """A server with keys. bad: those that open nothing, by why; good: those that open something, by scope."""

    server: Server
    operations: Sequence[Operation]
    bad: dict[str, str]
    good: dict[str, str]


@pytest.fixture(scope="module")
def doors(farm: Farm) -> Doors:
    """On one database: of what is stored of keys, test_doors sees to both."""
    server = farm.shared("sqlite", name="every route")
    good = keys.make(server, "every route", MAY)
    bad = keys.make_closed(server, "every route") | {"made up": f"sk_{good['admin'][3:][::-1]}"}
    refused_soon(server, headers={})
    with httpx2.Client(verify=False, headers=bearer(good["admin"]), timeout=PATIENCE) as http:
        paths = http.get(f"{server.url}/openapi.json").json()["paths"]
    described = [Operation(method.upper(), path) for path, methods in paths.items() for method in methods]
    heads = [Operation("HEAD", each.path) for each in described if each.method == "GET"]
    assert len(described) > 100
    return Doors(server, [each for each in described + heads if each.path not in FREE], bad, good)


@pytest.fixture
def http(doors: Doors) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=doors.server.url, verify=False, timeout=PATIENCE) as http:
        yield http


def test_a_key_that_opens_nothing_opens_no_route(doors: Doors, http: httpx2.Client) -> None:
    for operation in doors.operations:
        for headers in ({}, *map(bearer, doors.bad.values())):
            _is_401(http.request(operation.method, operation.url, headers=headers), operation, doors)


def test_a_good_key_opens_nothing_from_where_no_key_belongs(doors: Doors, http: httpx2.Client) -> None:
    good = doors.good["admin"]
    headers: list[dict[str, str]] = [{"api-key": secret} for secret in doors.bad.values()]
    headers += [{"cookie": f"api-key={good}; authorization=Bearer {good}"}, {"x-api-key": good}]
    headers += [{"authorization": f"Basic {good}"}, {"authorization": good}, {"api-key": f"Bearer {good}"}]
    headers += [bearer(good[:-1]), bearer(good.upper()), bearer(f"{good} x"), {"api-key": "x", **bearer(good)}]
    named = ("api-key", "api_key", "key", "access_token", "token", "subscription-key")
    queries = [f"?{name}={good}" for name in named] + [f"?authorization=Bearer%20{good}"]
    for operation in (Operation("GET", "/v1/models"), Operation("POST", "/v1/threads"), Operation("GET", "/docs")):
        for given in headers:
            _is_401(http.request(operation.method, operation.url, headers=given), operation, doors)
        for query in queries:
            _is_401(http.request(operation.method, operation.url + query), operation, doors)
    _is_401(http.post("/v1/threads", json={"api_key": good, "key": good}), Operation("POST", "/v1/threads"), doors)
    for secret in (*doors.bad.values(), *doors.good.values()):
        assert secret[:-1] not in doors.server.log()


def _is_401(answer: httpx2.Response, operation: Operation, doors: Doors) -> None:
    assert answer.status_code == 401, (operation, answer.request.headers, answer.text)
    assert answer.headers["www-authenticate"] == "Bearer"
    for secret in (*doors.bad.values(), *doors.good.values()):
        assert secret[3:9] not in answer.text and secret[-4:] not in answer.text


def test_a_key_opens_what_its_scope_says_and_nothing_else(doors: Doors, http: httpx2.Client) -> None:
    """In Azure's form, too."""
    forms = ("/v1", "/openai", "/openai/v1", "/openai/deployments/gpt-4o")
    for number, operation in enumerate(doors.operations):
        for turn, (scope, secret) in enumerate(doors.good.items()):
            url = operation.url.replace("/v1", forms[(number + turn) % len(forms)], 1)
            headers = {"api-key": secret} if number % 2 else bearer(secret)
            answer = http.request(operation.method, url, headers=headers)
            if operation.needs in MAY[scope]:
                assert answer.status_code not in (401, 403), (operation, scope, answer.text)
                continue
            assert answer.status_code == 403, (operation, scope, answer.text)
            if operation.method != "HEAD":
                error = answer.json()["error"]
                assert error["code"] == "insufficient_permissions"
                assert f"Missing scopes: {operation.needs}." in error["message"]


def test_no_way_of_writing_a_path_gets_around_the_key(doors: Doors) -> None:
    """Sent as they are: clients tidy paths up."""
    weakest = {"read": "feedback", "write": "read", "admin": "write", "feedback": "read"}
    urls: dict[str, list[Operation]] = {}
    for operation in (each for each in doors.operations if each.method != "HEAD"):
        urls.setdefault(operation.url, []).append(operation)
    described = [Operation("GET", path) for path in ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect")]
    keyless = [*doors.operations[::12], *described]
    with _Raw(doors.server.port) as raw:
        for operation in [*(each for some in urls.values() for each in some), *described]:
            for url in _written(operation.url):
                for key in (doors.good[weakest[operation.needs]], *([None] if operation in keyless else [])):
                    status, said = raw.ask(operation.method, url, key)
                    if status == 404:  # of a path that is not served, and of no object: nobody looked for one
                        assert "Invalid URL" in said, (operation, url, said)
                    elif status == 400:  # of bytes that are no HTTP
                        assert "no HTTP request" in said, (operation, url, said)
                    else:
                        assert status in (401, 403, 405), (operation, url, key, said)


def _written(url: str) -> Iterator[str]:
    yield from (url + behind for behind in BEHIND)
    yield from (before + url for before in BEFORE)
    yield f"http://localhost{url}"
    yield url.replace("v1", "%76%31", 1)
    yield url.replace("/v1/", "/v1//", 1)
    yield url.replace("/v1/", "/v1%2F", 1)
    yield url.replace("/v1/", "/v1/x%0A/../", 1)
    yield url.upper()
    if "x_none" in url:
        yield from (url.replace("x_none", name) for name in ("%0A", "x%0Ay", "%0D%0Ax", "..", "%2E%2E", "x%2Fy", "%00"))


class _Raw:
    """A connection that sends a target as it is, again and again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: socket.socket | None = None

    def __enter__(self) -> "_Raw":
        return self

    def __exit__(self, *_: Any) -> None:
        if self._connection is not None:
            self._connection.close()

    def ask(self, method: str, target: str, key: str | None) -> tuple[int, str]:
        """The status and the body."""
        if self._connection is None:
            self._connection = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
        lines = [f"{method} {target} HTTP/1.1", "host: localhost", "content-length: 0"]
        lines += [f"authorization: Bearer {key}"] if key else []
        self._connection.sendall("\r\n".join([*lines, "", ""]).encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += (piece := self._connection.recv(65536))
            assert piece, (method, target, data)
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        assert length, head
        while len(body) < int(length[1]):
            body += self._connection.recv(65536)
        if b"connection: close" in head.lower():
            self._connection.close()
            self._connection = None
        return int(head.split()[1]), body.decode()
