"""The worker: claim jobs with a lease, heartbeat, handle them, and put back what can't be finished.

It knows nothing of what a job does: a handler does, one for each kind. Each kind has slots of its own, so that many jobs
of one kind keep none of another waiting. Beside the jobs it sweeps: runs past their
expires_at are ended, and streamed pieces past their retention dropped.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from zhuli.core import full_disk, logs
from zhuli.core.cancelling import being_cancelled
from zhuli.core.clock import Clock
from zhuli.core.errors import Outage
from zhuli.core.hints import Hints
from zhuli.core.ids import new_id
from zhuli.core.origin import Origin, origin
from zhuli.settings import Settings
from zhuli.store import jobs, suspects
from zhuli.store.database import Database
from zhuli.store.jobs import Job

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
"""How often the queue is looked at, should a hint be lost or come from another process."""

_AGAIN_SECONDS = 1.0
"""Before a job is put back that met an outage."""

_BEAT_SECONDS = 0.5
"""How often leases are prolonged and cancellations noticed."""


class Handler(Protocol):
    """Does a kind of job. Its job is deleted in the transaction that makes it unnecessary."""

    async def handle(self, job: Job) -> None:
        """Do what the job asks. CancelledError puts the job back; after any other exception give_up() is called."""

    async def give_up(self, job: Job, message: str) -> None:
        """handle() broke: end honestly what the job was for."""

    async def stopped(self, keys: list[str]) -> list[str]:
        """Which of these jobs must stop, because a command ended what they are for."""

    def interrupt(self, key: str) -> None:
        """Stop working on it."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """Who handles jobs of a kind, and how many of them at once in a process."""

    handler: Handler
    slots: int
    apart: bool = False
    """Whether processes of its own do the work, so that no process dies of it (store.suspects)."""


@dataclass(frozen=True, slots=True)
class Chore:
    """Something done every so often, in each worker process; it must bear being done by several at once."""

    every: float
    do: Callable[[], Awaitable[None]]


class Worker:
    """Handles as many jobs of each kind at once as `slots` says."""

    def __init__(
        self,
        database: Database,
        hints: Hints,
        handlers: dict[str, Handler],
        slots: Mapping[str, int],
        chores: list[Chore],
        clock: Clock,
        settings: Settings,
        apart: Collection[str] = (),
    ) -> None:
        """apart: kinds of jobs that no process dies of."""
        self._database = database
        self._hints = hints
        self._handlers = handlers
        self._slots = slots
        self._chores = chores
        self._clock = clock
        self._settings = settings
        self._apart = frozenset(apart)
        self._name = new_id("worker")
        self._active: dict[asyncio.Task[None], Job] = {}
        self._wake = asyncio.Event()
        self._busy: Counter[str] = Counter()
        self._due = set(slots)
        self._more: set[str] = set()
        self._look_at = 0.0
        self._stopping = False

    async def run(self) -> None:
        """Work until stop(); then finish what is running, or put it back."""
        background = [
            asyncio.create_task(self._heartbeat()),
            *map(asyncio.create_task, map(self._repeat, self._chores)),
        ]
        with ExitStack() as listening:
            for kind in self._slots:
                listening.enter_context(self._hints.call(jobs.topic(kind), partial(self._look_for, kind)))
            try:
                while not self._stopping:
                    await self._claim()
                    await self._wait()
                await self._drain()
            finally:
                for task in background:
                    task.cancel()
                await asyncio.gather(*background, return_exceptions=True)

    def stop(self) -> None:
        """Claim nothing more, and let run() end."""
        self._stopping = True
        self._wake.set()

    def _look_for(self, kind: str, _: object = None) -> None:
        """Claim jobs of this kind at once."""
        self._due.add(kind)
        self._wake.set()

    async def _claim(self) -> None:
        self._wake.clear()
        slots = {kind: free for kind in self._due if (free := self._free(kind)) > 0}
        self._more.update(self._due - slots.keys())
        self._due.clear()
        if not slots:
            return
        try:
            claimed = await self._database.run(
                jobs.claim,
                self._name,
                slots=slots,
                now=self._clock.now(),
                lease=self._settings.lease_seconds,
                room=self._room(),
                apart=self._apart,
            )
        except Exception:
            log.exception("The queue can't be read; trying again")
            return
        for job in claimed:
            task = asyncio.create_task(self._handle(job))
            self._active[task] = job
            self._busy[job.kind] += 1
            task.add_done_callback(self._done)
        self._note_more(slots, Counter(job.kind for job in claimed))

    def _note_more(self, slots: Mapping[str, int], claimed: Mapping[str, int]) -> None:
        """Of which kinds there may be more: those that had no room, and those that filled the room they had.

        What ended while the database answered has left room that this claim did not know of.
        """
        for kind, free in slots.items():
            if claimed[kind] < free:
                self._more.discard(kind)
            else:
                self._more.add(kind)
                if self._free(kind) > 0:
                    self._look_for(kind)

    def _free(self, kind: str) -> int:
        quiet = kind not in self._apart and any(map(self._needs_quiet, self._active.values()))
        return 0 if quiet else self._slots[kind] - self._busy[kind]

    def _room(self) -> float | None:
        """For suspects; None in between, for each look costs a statement, and suspects are rare."""
        died = [job.attempt - 1 for job in self._active.values() if job.kind not in self._apart]
        if not any(died) and time.monotonic() < self._look_at:
            return None
        self._look_at = time.monotonic() + _LOOK_SECONDS
        return suspects.room(died)

    def _needs_quiet(self, job: Job) -> bool:
        return job.kind not in self._apart and suspects.needs_quiet(job.attempt - 1)

    async def _until_quiet(self, job: Job) -> None:
        """Wait for the end of what else could take this process down; meanwhile nothing is claimed."""
        others = [task for task, other in self._active.items() if other is not job and other.kind not in self._apart]
        if others:
            log.info("The %s job for %s waits until it is alone: processes died with it", job.kind, job.key)
            await asyncio.wait(others)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            self._due.update(self._slots)

    def _done(self, task: asyncio.Task[None]) -> None:
        job = self._active.pop(task)
        self._busy[job.kind] -= 1
        if self._needs_quiet(job):
            self._due.update(self._slots)
        if job.kind in self._more or job.attempt > 1:
            self._look_for(job.kind)

    async def _handle(self, job: Job) -> None:
        origin.set(Origin.parse(job.origin) if job.origin else None)
        logs.subject.set((job.kind, job.key))
        handler = self._handlers[job.kind]
        try:
            if self._needs_quiet(job):
                await self._until_quiet(job)
            await handler.handle(job)
        except asyncio.CancelledError:
            with suppress(Exception):
                await self._database.run(jobs.release, job)
            raise
        except Exception as error:
            if isinstance(error, Outage) or full_disk.found_in(error):
                await self._put_back(job)
                return
            log.exception("The %s job for %s broke", job.kind, job.key)
            await self._give_up(handler, job)

    async def _put_back(self, job: Job) -> None:
        """What everybody needs is away: nothing of the job's is at fault, so it is anybody's as soon as that can be written.

        A task that was told to end meets the outage in its last words; then there is no waiting, and the lease runs out.
        """
        while not being_cancelled():
            await asyncio.sleep(_AGAIN_SECONDS)
            with suppress(Outage):
                await self._database.run(jobs.release, job)
                return

    async def _give_up(self, handler: Handler, job: Job) -> None:
        """If even that fails, the lease runs out and another attempt is made."""
        try:
            await handler.give_up(job, "The server had an internal error; its log says more.")
        except Outage:
            await self._put_back(job)
        except Exception:
            log.exception("The %s job for %s can't be given up; its lease runs out", job.kind, job.key)

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            if self._active:
                try:
                    await self._beat()
                except Exception:
                    log.exception("Leases can't be prolonged; trying again")

    async def _beat(self) -> None:
        now, lease = self._clock.now(), self._settings.lease_seconds
        asked = set(self._active.values())  # what is claimed while the database answers is not in the answer
        seqs = [job.seq for job in asked]
        kept = await self._database.run(jobs.heartbeat, self._name, seqs, now=now, lease=lease)
        for kind, handler in self._handlers.items():
            mine = [job for job in self._active.values() if job.kind == kind and job in asked]
            held = [job.key for job in mine if job.seq in kept]
            stopped = await handler.stopped(held) if held else []
            for key in [*stopped, *(job.key for job in mine if job.seq not in kept)]:
                handler.interrupt(key)

    async def _repeat(self, chore: Chore) -> None:
        while True:
            try:
                await chore.do()
            except Exception:
                log.exception("A chore failed; it will be done again")
            await self._clock.sleep(chore.every)

    async def _drain(self) -> None:
        """Give running jobs their grace; then put them back."""
        if self._active:
            log.info("Waiting for %d jobs", len(self._active))
            await asyncio.wait(list(self._active), timeout=self._settings.grace_seconds)
        left = list(self._active)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
