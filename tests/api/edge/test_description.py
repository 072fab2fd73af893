"""The API's description: every operation has a name, a sentence, a body as an app would send it; its pages need no network."""

import json
import re
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from tests.harness.server import Server
from zhuli.server import http
from zhuli.server.described.description import description
from zhuli.server.described.examples import BODIES

ROUTES = [route for route in http._routes() if isinstance(route, APIRoute) and route.include_in_schema]


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return description("zhuli", "1", ROUTES)


def operations(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, found) for path, methods in described["paths"].items() for method, found in methods.items()]


def test_every_operation_has_an_id_of_its_own_a_sentence_and_a_tag(described: dict[str, Any]) -> None:
    found = operations(described)
    ids = [operation["operationId"] for _, _, operation in found]
    assert len(set(ids)) == len(ids) > 100
    assert [name for name in ids if not re.fullmatch(r"[a-z][a-z_]+", name)] == []
    assert [path for path, _, operation in found if not operation.get("description", "").endswith(".")] == []
    assert [path for path, _, operation in found if len(operation.get("tags", ())) != 1] == []
    assert described["tags"][0]["name"] == "Assistants"


def test_what_takes_json_shows_a_body(described: dict[str, Any]) -> None:
    taking = [
        (path, operation["requestBody"]["content"]["application/json"])
        for path, _, operation in operations(described)
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    assert [path for path, content in taking if "example" not in content] == []
    names = {route.name for route in ROUTES}
    assert BODIES.keys() - names == set()


@pytest.mark.parametrize("route", [route for route in ROUTES if route.name in BODIES], ids=lambda route: route.path)
def test_a_body_that_is_shown_is_one_that_is_taken(route: APIRoute) -> None:
    taken = route.body_field
    if taken is not None:
        TypeAdapter(taken.field_info.annotation).validate_json(json.dumps(BODIES[route.name]))


def test_every_operation_shows_a_command_without_gaps(described: dict[str, Any]) -> None:
    for path, _, operation in operations(described):
        source = operation["x-codeSamples"][0]["source"]
        assert source.startswith("curl ") and not re.search(r"[^'\"]\{[a-z_]+\}(?!\})", source.partition(" -d ")[0]), (
            path
        )


def test_only_what_is_under_v1_asks_for_a_key(described: dict[str, Any]) -> None:
    for path, _, operation in operations(described):
        assert bool(operation["security"]) == path.startswith("/v1/")


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_pages_load_nothing_from_elsewhere(server: Server, page: str) -> None:
    base = server.url.removesuffix("/v1")
    answer = httpx.get(f"{base}{page}")
    assert answer.status_code == 200
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", answer.text)
    assert loaded and all(place.startswith("/") for place in loaded), loaded
    for place in loaded:
        assert httpx.get(f"{base}{place}").status_code == 200, place
