"""A page of large objects is read and written in pieces: others have their turn, and it is the same page."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest_asyncio
from sqlalchemy import Connection, delete
from starlette.types import Message as Sent

from tests.harness.waiting import turns_of_others
from zhuli.server.answers import pages
from zhuli.store import collections, migrate, projects
from zhuli.store.database import Database
from zhuli.store.schema import assistants as table
from zhuli.types.assistants.assistant import Assistant
from zhuli.types.page import PageParams

PROJECT = projects.DEFAULT_PROJECT
MANY = 60


class Watched:
    """A database that notes how many characters each transaction brings; `before` is done in front of each."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.read: list[int] = []
        self.before: Callable[[], Any] | None = None

    async def run(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        if self.before is not None:
            await self.before()
        found = await self._database.run(function, *args, **kwargs)
        self.read.append(sum(map(len, found)))
        return found


@pytest_asyncio.fixture
async def large(database: Database) -> AsyncIterator[Watched]:
    """With MANY assistants of 200,000 characters."""
    await database.run(migrate.upgrade)
    await database.run(projects.ensure_default, now=1)
    await database.run(_add)
    yield Watched(database)


def _add(connection: Connection) -> None:
    for number in range(MANY):
        one = Assistant.model_validate(
            {"id": f"asst_{number:02}", "created_at": number, "model": "m", "instructions": "word " * 40_000}
        )
        collections.insert(connection, table, PROJECT, one)


async def page(large: Watched, **params: Any) -> list[bytes]:
    """The page in the pieces in which it is sent."""
    places = await large._database.run(collections.places, table, PROJECT, PageParams(**params))
    response = await pages.page(large, places, Assistant)  # type: ignore[arg-type]
    sent: list[Sent] = []

    async def send(message: Sent) -> None:
        sent.append(message)

    await response({"type": "http"}, None, send)  # type: ignore[arg-type]
    start, *bodies = sent
    length = dict(start["headers"])[b"content-length"]
    assert int(length) == sum(len(message["body"]) for message in bodies)
    assert [message["more_body"] for message in bodies] == [True] * (len(bodies) - 1) + [False]
    return [message["body"] for message in bodies]


def ids(body: bytes) -> list[str]:
    return [item["id"] for item in orjson.loads(body)["data"]]


async def test_others_have_their_turn_between_the_objects(large: Watched) -> None:
    with turns_of_others() as turns:
        await page(large, limit=100)
        assert turns() >= MANY


async def test_no_transaction_brings_much_more_than_it_may(large: Watched) -> None:
    await page(large, limit=100)
    assert len(large.read) > 3
    assert max(large.read) <= pages.READ


async def test_it_is_one_page_of_all_of_them(large: Watched) -> None:
    body = b"".join(await page(large, limit=100, order="asc"))
    whole = orjson.loads(body)
    found = [item.pop("instructions") for item in whole["data"]]
    assert found == ["word " * 40_000] * MANY
    assert ids(body) == [f"asst_{number:02}" for number in range(MANY)]
    assert {name: whole[name] for name in ("object", "first_id", "last_id", "has_more")} == {
        "object": "list",
        "first_id": "asst_00",
        "last_id": f"asst_{MANY - 1}",
        "has_more": False,
    }


async def test_a_page_that_ends_at_an_object_keeps_its_order(large: Watched) -> None:
    body = b"".join(await page(large, limit=30, order="asc", before="asst_50"))
    assert ids(body) == [f"asst_{number:02}" for number in range(20, 50)]
    assert orjson.loads(body)["has_more"] is True


async def test_it_is_sent_in_the_pieces_in_which_it_was_made(large: Watched) -> None:
    pieces = await page(large, limit=100)
    assert len(pieces) > MANY and max(map(len, pieces)) < 300_000


async def test_what_is_deleted_meanwhile_is_not_on_it(large: Watched) -> None:
    async def remove() -> None:
        await large._database.run(_remove, "asst_59")

    large.before = remove
    body = b"".join(await page(large, limit=100, order="asc"))
    assert ids(body) == [f"asst_{number:02}" for number in range(MANY - 1)]


async def test_an_empty_page_is_one_too(large: Watched) -> None:
    (body,) = await page(large, order="asc", after=f"asst_{MANY - 1}")
    assert orjson.loads(body) == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


def _remove(connection: Connection, id_: str) -> None:
    connection.execute(delete(table).where(table.c.id == id_))
