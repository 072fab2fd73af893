"""What an operator does with end users: have one deleted, have everything of one as JSON Lines."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Any

import orjson

from zhuli.assistants.end_users.belongings import Belongings, gather
from zhuli.assistants.end_users.forgetting import topic
from zhuli.assistants.end_users.holdings import Holdings
from zhuli.core.clock import Clock
from zhuli.core.errors import NotFound
from zhuli.core.hints import Hints
from zhuli.core.ids import new_id
from zhuli.ports import BlobStore
from zhuli.store import deletions
from zhuli.store.database import Database
from zhuli.store.end_users import learned, talk
from zhuli.store.knowledge import files
from zhuli.types.end_users import EndUserDeleted, EndUserDeletion

WAIT_SECONDS = 10.0
"""A request waits so long for the end of a deletion; then it says how far it is, and a worker goes on."""

_LOOK_SECONDS = 0.5
_LINE = 256 * 1024
"""Bytes of a file in one line of an export."""

_KINDS = {"messages": "message", "runs": "run", "run_steps": "run_step", "understandings": "understanding"}


class EndUserCommands:
    """Made once. NotFound for a user that nothing here is of, and never was. rooms: above, which are built later."""

    def __init__(
        self, database: Database, blobs: BlobStore, hints: Hints, clock: Clock, rooms: Sequence[Holdings] = ()
    ) -> None:
        self._rooms = rooms
        self._database = database
        self._blobs = blobs
        self._hints = hints
        self._clock = clock

    async def delete(
        self, project: str, user: str, *, by: str | None, wait: float | None = WAIT_SECONDS
    ) -> EndUserDeleted:
        """Have everything of the user deleted, and wait for it. wait: seconds; None: to the end."""
        asked = EndUserDeletion(
            id=new_id("eud"),
            created_at=int(self._clock.now()),
            user_digest=deletions.digest_of(project, user),
            by=by,
        )
        record = await self._database.run(deletions.begin, project, user, asked, now=self._clock.now())
        try:
            record = await self._ended(project, record, wait)
        except NotFound:
            raise NotFound(f"No end user found with id '{user}': nothing here is of them.") from None
        return EndUserDeleted(
            id=user,
            deleted=record.status == "completed",
            deletion=record.id,
            status=record.status,
            feedback=record.counts.get("feedback", 0),
            examples=record.counts.get("examples", 0),
            counts=record.counts,
            versions=record.versions,
            models=record.models,
        )

    async def _ended(self, project: str, record: EndUserDeletion, wait: float | None) -> EndUserDeletion:
        with self._hints.listen(topic(record.id)) as ends, suppress(TimeoutError):
            async with asyncio.timeout(wait):
                while True:
                    record = await self._database.run(deletions.get, project, record.id)
                    if record.status == "completed" or record.waits_for:
                        return record
                    with suppress(TimeoutError):
                        await asyncio.wait_for(ends.get(), _LOOK_SECONDS)
        return record

    async def export(self, project: str, user: str) -> AsyncGenerator[bytes, None]:
        """Lines of {"kind", "data"}; NotFound before the first one."""
        own = await gather(self._database, project, user, self._rooms)
        served = await self._database.run(learned.served, project, [user, *own.threads])
        found = False
        async with aclosing(self._lines(project, user, own, served)) as lines:
            async for line in lines:
                found = True
                yield line
        if not found:
            raise NotFound(f"No end user found with id '{user}': nothing that can be exported is of them.")

    async def _lines(
        self, project: str, user: str, own: Belongings, served: list[dict[str, Any]]
    ) -> AsyncGenerator[bytes, None]:
        run = self._database.run
        for thread_id in own.threads:
            if (thread := await run(talk.thread, thread_id)) is not None:
                yield _line("thread", thread)
            for kind, name in _KINDS.items():
                after: int | None = 0
                while after is not None:
                    bodies, after = await run(talk.bodies, thread_id, kind, after=after)
                    for body in bodies:
                        yield _line(name, body)
        for run_id in own.runs:
            for name, data in await run(talk.events, run_id):
                yield _line("run_event", f'{{"run_id":"{run_id}","event":"{name}","data":{data}}}')
        for completion_id in own.chats:
            if (chat := await run(talk.chat, completion_id)) is not None:
                yield _line("chat_completion", f'{{"completion":{chat[0]},"messages":{chat[1]}}}')
        for kind, ids in (("feedback", own.feedback), ("predictions", own.predictions)):
            for body in await run(learned.bodies, kind, ids):
                yield _line(kind.removesuffix("s"), body)
        for entry in await run(learned.entries, own.examples):
            yield _line("dataset_entry", orjson.dumps(entry).decode())
        for one in served:
            yield _line("served_prediction", orjson.dumps(one).decode())
        for room in self._rooms:
            place: Any = None
            while True:
                held, place = await run(room.held, project, user, own.threads, after=place)
                for found in held:
                    yield _line(found.kind, found.body)
                if place is None:
                    break
        for file_id in own.files:
            async for line in self._file(project, file_id):
                yield line

    async def _file(self, project: str, file_id: str) -> AsyncGenerator[bytes, None]:
        """A line for the file, and its bytes in base64 over as many lines as it takes."""
        file = await self._database.run(files.file_of, project, file_id)
        if file is None:
            return
        yield _line("file", file.model_dump_json())
        part, rest = 0, b""
        with suppress(KeyError):
            async for piece in self._blobs.read(file_id):
                rest += piece
                while len(rest) >= _LINE:
                    yield _content(file_id, part, rest[:_LINE])
                    part, rest = part + 1, rest[_LINE:]
        if rest:
            yield _content(file_id, part, rest)


def _content(file_id: str, part: int, data: bytes) -> bytes:
    said = {"file_id": file_id, "part": part, "base64": base64.b64encode(data).decode()}
    return _line("file_content", orjson.dumps(said).decode())


def _line(kind: str, body: str) -> bytes:
    """body: JSON."""
    return f'{{"kind":"{kind}","data":{body}}}\n'.encode()
