"""What is known here of an end user, looked for everywhere: the same for deleting it and for exporting it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from zhuli.assistants.end_users.holdings import Holdings
from zhuli.store.database import Database
from zhuli.store.end_users import learned, talk
from zhuli.store.end_users.learned import Example

Look = talk.LookForFiles


@dataclass(slots=True)
class Belongings:
    """Ids of what is the user's. on_threads: of messages, runs and understandings. files, stores: that nobody else uses.

    feedback: theirs, and what others said of what is theirs. held: what rooms above name.
    """

    threads: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    understandings: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    stores: list[str] = field(default_factory=list)
    chats: list[str] = field(default_factory=list)
    feedback: list[str] = field(default_factory=list)
    predictions: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    examples: set[Example] = field(default_factory=set)

    @property
    def sources(self) -> list[str]:
        """What examples and versions name as where they come from."""
        return [*self.threads, *self.understandings, *self.feedback]

    @property
    def ids(self) -> frozenset[str]:
        """By which copies are found elsewhere."""
        return frozenset((*self.sources, *self.messages, *self.runs, *self.chats, *self.predictions, *self.held))

    def __bool__(self) -> bool:
        return bool(self.ids or self.examples)


async def gather(database: Database, project: str, user: str, rooms: Sequence[Holdings]) -> Belongings:
    """Everything of the user that is there now; of what rooms above have, what they name."""
    found = Belongings()
    await _each(lambda at: database.run(talk.threads_of, project, user, after=at), found.threads.extend)
    files: set[str] = set()
    for thread_id in found.threads:
        on = await database.run(talk.on_thread, thread_id)
        found.messages += on.messages
        found.runs += on.runs
        found.understandings += on.understandings
        files |= on.files
        await asyncio.sleep(0)
    await _each(lambda at: database.run(talk.chats_of, project, user, after=at), found.chats.extend)
    found.predictions += await database.run(learned.predictions_of, project, user)
    for room in rooms:
        found.held += await database.run(room.named, project, user)
    targets = [*found.messages, *found.runs, *found.understandings, *found.predictions, *found.held]
    given = await database.run(learned.feedback_of, project, user, targets)
    found.feedback += given
    named = {id_ for kind, id_ in given.values() if kind == "prediction"}
    found.predictions += sorted(named - set(found.predictions))
    found.examples |= await database.run(learned.examples_of, project, user, found.sources)
    if found.threads:
        own = frozenset(found.threads)
        await _each(lambda at: database.run(learned.examples_on_threads, project, own, after=at), found.examples.update)
        await _files(database, project, found, files)
    return found


async def _files(database: Database, project: str, found: Belongings, files: set[str]) -> None:
    """Files and vector stores of the user's threads that nobody else uses."""
    found.stores += await database.run(talk.stores_of, project, found.threads)
    files |= await database.run(talk.files_in, found.stores) if found.stores else set()
    used: set[str] = set()
    if files:
        used |= await database.run(talk.used_in_stores, project, files, but=found.stores)
        wanted, own = frozenset(files), frozenset(found.threads)
        for look in (talk.used_in_threads, talk.used_in_messages):
            used |= await _used(database, look, project, wanted, own)
    found.files += sorted(files - used)


async def _used(database: Database, look: Look, project: str, wanted: frozenset[str], own: frozenset[str]) -> set[str]:
    used: set[str] = set()
    await _each(lambda at: database.run(look, project, wanted, own, after=at), used.update)
    return used


async def _each(look: Callable[[int], Awaitable[tuple[Any, int | None]]], keep: Callable[[Any], Any]) -> None:
    """Look on from place to place until nothing is behind."""
    after: int | None = 0
    while after is not None:
        some, after = await look(after)
        keep(some)
        await asyncio.sleep(0)
