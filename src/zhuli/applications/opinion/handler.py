"""Reads what was pushed to a monitor, a few items at a time, then looks for surges. The handler of its jobs.

A batch, its counts and the position are one transaction: a process that dies has read a batch or not, and the next one goes on.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress

from zhuli.applications.opinion.duplicates import REMEMBERED, StoryIndex
from zhuli.applications.opinion.reading import Predict, Reader
from zhuli.applications.opinion.watching import Watch
from zhuli.core.clock import Clock
from zhuli.core.errors import LeaseLost, NotFound, Outage, Unavailable, ZhuliError
from zhuli.store import jobs
from zhuli.store.applications import opinion
from zhuli.store.applications.opinion import Signed, Stored
from zhuli.store.database import Database
from zhuli.store.jobs import Job

log = logging.getLogger(__name__)

BATCH = 256
"""Items that are read and counted in one transaction."""

_INDEXES = 8
"""Monitors whose stories are kept in memory; the least recently read goes, and is read from the store again."""

_CAUGHT_UP = 1_000
"""Signatures that are put into an index without a pause, in a thread."""


class ReadingHandler:
    """Made once for a process."""

    def __init__(self, database: Database, predict: Predict, watch: Watch, clock: Clock) -> None:
        self._database = database
        self._predict = predict
        self._watch = watch
        self._clock = clock
        self._indexes: OrderedDict[str, StoryIndex] = OrderedDict()
        self._readers: dict[str, tuple[str, Reader]] = {}
        self._going: dict[str, asyncio.Task[None]] = {}

    async def handle(self, job: Job) -> None:
        """Read until there is nothing more to read."""
        going = self._going[job.key] = asyncio.create_task(self._read(job))
        try:
            await going
        except BaseException:
            self._indexes.pop(job.key, None)  # it may know stories that were not counted
            raise
        finally:
            going.cancel()
            self._going.pop(job.key, None)

    async def give_up(self, job: Job, message: str) -> None:
        """Its handler broke; it is tried again when something comes, and now and then."""
        await self._database.run(opinion.fail, job.key, message)

    async def stopped(self, keys: list[str]) -> list[str]:
        """None: a monitor that was deleted has no job any more."""
        return []

    def interrupt(self, key: str) -> None:
        """Stop working on the monitor."""
        if (going := self._going.get(key)) is not None:
            going.cancel()

    async def _read(self, job: Job) -> None:
        with suppress(LeaseLost):  # whoever has the job now goes on
            try:
                await self._go(job)
            except NotFound as error:
                await self._stop(job, error)
            except Outage:
                raise
            except (Unavailable, ZhuliError) as error:
                if isinstance(error, LeaseLost):
                    raise
                log.warning("The monitor %s can't be read: %s", job.key, error.message)
                await self._stop(job, error)

    async def _stop(self, job: Job, error: ZhuliError) -> None:
        """A model is not there, or does not answer: the monitor says so. One that was deleted has nothing to do."""
        self._indexes.pop(job.key, None)
        if await self._database.run(opinion.stored, job.key) is None:
            await self._database.run(jobs.finish, job.kind, job.key)
            return
        await self._database.run(opinion.fail, job.key, error.message)

    async def _go(self, job: Job) -> None:
        while True:
            stored = await self._database.run(opinion.stored, job.key)
            if stored is None:
                await self._database.run(jobs.finish, job.kind, job.key)
                return
            progress = await self._database.run(opinion.progress, job.key)
            entries = await self._database.run(opinion.entries, job.key, after=progress.read, most=BATCH)
            if not entries:
                await self._watch.look(job, stored, progress)
                if await self._database.run(opinion.rest, job):
                    return
                continue
            index = await self._index(job.key, progress.read)
            folded = await self._reader(stored).read(entries, index)
            until = entries[-1].number
            progress = await self._database.run(opinion.fold, job, folded, until=until, now=self._clock.now())
            index.position = until
            await self._watch.look(job, stored, progress)

    def _reader(self, stored: Stored) -> Reader:
        """Made anew where the monitor has changed: its automaton is of its companies."""
        state = stored.monitor.model_dump_json(include={"companies", "models"})
        known = self._readers.get(stored.monitor.id)
        if known is None or known[0] != state:
            known = state, Reader(stored.project, stored.monitor, self._predict, self._clock)
            self._readers = {**dict(list(self._readers.items())[-_INDEXES:]), stored.monitor.id: known}
        return known[1]

    async def _index(self, monitor_id: str, position: int) -> StoryIndex:
        """The stories up to this entry: what another process has read meanwhile is added."""
        index = self._indexes.get(monitor_id)
        if index is None or index.position > position:
            index = self._indexes[monitor_id] = StoryIndex()
        self._indexes.move_to_end(monitor_id)
        while len(self._indexes) > _INDEXES:
            self._indexes.popitem(last=False)
        if index.position < position:
            found = await self._database.run(
                opinion.stories, monitor_id, after=index.position, until=position, most=REMEMBERED
            )
            for start in range(0, len(found), _CAUGHT_UP):
                some = found[start : start + _CAUGHT_UP]
                await asyncio.to_thread(_put, index, some)
            index.position = position
        return index


def _put(index: StoryIndex, stories: Sequence[Signed]) -> None:
    for each in stories:
        index.add(each.key, each.signature)
