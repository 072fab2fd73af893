"""A page of objects that may be large, a hundred of some megabytes each: read and written in pieces, so that nobody waits for it.

Others have their turn between the pieces. Each is a transaction of its own: what is deleted meanwhile is not on the page.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from zhuli.store import collections
from zhuli.store.collections import Places
from zhuli.store.database import Database
from zhuli.types.page import Page

W = TypeVar("W", bound=BaseModel)

TURN = 100_000
"""Characters of JSON that are read and written without a pause: a millisecond's work."""

READ = 2_000_000
"""Characters that are taken from the database at once, about."""


async def page(
    database: Database, places: Places, kind: type[W], shown: Callable[[W], BaseModel] = lambda item: item
) -> Response:
    """The page that is at these places. shown: an object as a client sees it."""
    writing = _Writing(kind, shown)
    stored, left = places.first, places.seqs[collections.READ_AT_ONCE :]
    most = collections.READ_AT_ONCE
    while True:
        await writing.add(stored)
        if not left:
            return writing.page(has_more=places.has_more)
        most = max(1, min(100, most * READ // max(1, sum(map(len, stored)))))
        stored, left = await database.run(collections.bodies, places.table, left[:most]), left[most:]


class _Writing(Generic[W]):
    """Objects of a page as JSON, as far as they have been read."""

    def __init__(self, kind: type[W], shown: Callable[[W], BaseModel]) -> None:
        self._kind = kind
        self._shown = shown
        self._written: list[bytes] = []
        self._ids: list[str | None] = []
        self._since = 0

    async def add(self, stored: Sequence[str]) -> None:
        for body in stored:
            item = self._kind.model_validate_json(body)
            self._ids.append(getattr(item, "id", None))
            self._written.append(self._shown(item).model_dump_json().encode())
            self._since += len(body)
            if self._since > TURN:
                self._since = 0
                await asyncio.sleep(0)

    def page(self, *, has_more: bool) -> Response:
        first, last = (self._ids[0], self._ids[-1]) if self._ids else (None, None)
        empty = Page[BaseModel](data=[], first_id=first, last_id=last, has_more=has_more)
        before, data, after = empty.model_dump_json().partition('"data":[')
        separated = [piece for item in self._written for piece in (item, b",")][:-1]
        return Pieces([(before + data).encode(), *separated, after.encode()])


class Pieces(Response):
    """JSON that is sent as it was made: joined, it would be copied several times, and at once."""

    media_type = "application/json"

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = [b"".join(pieces)] if sum(map(len, pieces)) <= TURN else pieces
        super().__init__(headers={"content-length": str(sum(map(len, pieces)))})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for number, piece in enumerate(self._pieces, 1):
            await send({"type": "http.response.body", "body": piece, "more_body": number < len(self._pieces)})
