"""Fine-tuning jobs: a child reads the data, later another one trains, and what they say is recorded. The handler of both.

A process may die at any line. The child ends with it; the next one goes on from the checkpoint in the folder, and entries
of events.jsonl are recorded once by their numbers. What comes of it all is one last transaction (tuning.registering).
"""

import asyncio
import errno
import logging
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zhuli.core.clock import Clock
from zhuli.core.errors import LeaseLost, NotFound
from zhuli.learning.jobs import folders
from zhuli.learning.jobs.child_process import ChildProcess, FolderLock, Tail
from zhuli.learning.jobs.folders import FileGone
from zhuli.learning.jobs.progress import Progress
from zhuli.learning.jobs.registering import Registering
from zhuli.learning.jobs.telling import places, told
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.store.learning import fine_tuning
from zhuli.store.learning.fine_tuning import CHECK, Stored
from zhuli.types.learning.fine_tuning import JobError
from zhuli.types.learning.tuning import TuningEvent

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.25
"""How often the child's events are looked at."""

_STOP_SECONDS = 60.0
"""A child that was asked to stop and has not by then is killed; a step of training is much shorter."""

_LEAVING_SECONDS = 5.0
"""The same for one whose server ends without grace."""

_AGAIN_SECONDS = 1.0
"""Before a child that was killed is started again: whatever took the memory may be gone by then."""

_LITTLE_SPACE = 1024 * 1024
"""Bytes. With less a child may have died for that without being able to write it down."""

_ENDS = ("succeeded", "failed", "cancelled", "paused")


@dataclass(frozen=True, slots=True)
class Tunings:
    """What every job needs. Made once, by the composition root. program: the child's, up to its arguments."""

    database: Database
    registering: Registering
    clock: Clock
    data_dir: Path
    models_file: Path | None
    max_attempts: int
    program: Sequence[str]


class TuningHandler:
    """Knows which jobs of one kind are worked on in this process."""

    def __init__(self, tunings: Tunings) -> None:
        self._with = tunings
        self._going: set[_Attempt] = set()
        self._stopping = False

    async def handle(self, job: Job) -> None:
        """Work on it until it has ended or is not wanted any more; CancelledError puts it back, at a server's end."""
        if self._stopping:
            raise asyncio.CancelledError
        attempt = _Attempt(self._with, job)
        self._going.add(attempt)
        try:
            with suppress(LeaseLost, NotFound):  # whoever has the job now goes on
                await attempt.go()
        finally:
            self._going.discard(attempt)

    async def give_up(self, job: Job, message: str) -> None:
        """Its handler broke, perhaps for a database that was away: hours of training are worth another attempt or two."""
        if job.attempt < self._with.max_attempts:
            return  # the lease runs out, and whoever claims the job goes on behind the checkpoint
        with suppress(LeaseLost, NotFound):
            await _Attempt(self._with, job).fail(JobError(code="server_error", message=message, param=None))

    async def stopped(self, keys: list[str]) -> list[str]:
        """Which of these jobs were cancelled or paused; their queue's rows are gone, so this is rarely asked in time."""
        found = await self._with.database.run(fine_tuning.statuses, keys)
        return [key for key in keys if found.get(key) in (None, "cancelled", "paused", "failed", "succeeded")]

    def interrupt(self, key: str) -> None:
        """Stop working on it, unless it was taken up anew meanwhile; that and why is looked up."""
        for attempt in self._going:
            if attempt.key == key:
                attempt.doubted = True

    def begin_to_stop(self) -> None:
        """The server ends: let every child leave a checkpoint, and put the jobs back."""
        self._stopping = True
        for attempt in self._going:
            attempt.leaving = True


class _Attempt:
    """One claim of one job."""

    def __init__(self, tunings: Tunings, job: Job) -> None:
        self._with = tunings
        self._job = job
        self._folder = folders.folder_of(tunings.data_dir, job.key)
        self._places = [self._folder, *places(tunings.data_dir, tunings.models_file)]
        self._progress = Progress()
        self._last: TuningEvent | None = None
        self._lost = False
        self._deaths = 0
        self.doubted = False
        self.leaving = False

    @property
    def key(self) -> str:
        """The fine-tuning job's."""
        return self._job.key

    async def go(self) -> None:
        stored = await self._with.database.run(fine_tuning.take_up, self._job, now=self._now())
        if stored is None:
            return
        try:
            stood = await folders.prepare(
                self._folder,
                stored.record,
                self._with.registering.blobs,
                data_dir=self._with.data_dir,
                models_file=self._with.models_file,
            )
        except FileGone as gone:
            await self.fail(_gone(gone))
            return
        except OSError as error:
            await self.fail(_no_folder(error))
            return
        if not stood:
            await self._begin_anew()
        lock = await FolderLock.take(self._folder)
        try:
            await self._work(stored, lock, behind=stored.last_event if stood else 0)
        finally:
            lock.release()

    async def _begin_anew(self) -> None:
        try:
            await self._with.database.run(fine_tuning.begin_anew, self._job, now=self._now())
        except (LeaseLost, NotFound):
            if await self._is_cancelled():  # what was to delete the folder came before there was one
                await folders.remove(self._folder)
            raise

    async def _work(self, stored: Stored, lock: FolderLock, *, behind: int) -> None:
        """Start children until one of them tells an end; an end that nobody could record before is told already."""
        tail = Tail(self._folder)
        self._deaths, code = fine_tuning.losses(stored, self._job), None
        while events := tail.read():
            await self._record(stored, [event for event in events if event.number > behind])
        if self._lost:
            return
        while (last := self._last) is None or last.kind not in ("succeeded", "failed"):
            if self._deaths >= self._with.max_attempts:
                await self.fail(_killed(self._folder, self._deaths, code))
                return
            code = await self._run_child(stored, lock, tail)
            if self._lost:
                return
            if self.leaving:
                raise asyncio.CancelledError
            if self._last is None or self._last.kind in ("cancelled", "paused"):
                self._deaths += 1
                log.warning("The child of %s ended with status %s; another one goes on", self._job.key, code)
                await asyncio.sleep(_AGAIN_SECONDS)
        await self._end(stored, last)

    async def _run_child(self, stored: Stored, lock: FolderLock, tail: Tail) -> int | None:
        """Follow a child to its end; its exit status. `_last` is how it says that it ended."""
        self._last = None
        child = await ChildProcess.start(self._with.program, self._job.kind, self._folder, lock)
        try:
            while True:
                ended = await child.wait(_LOOK_SECONDS)
                while events := tail.read():
                    await self._record(stored, events)
                if ended:
                    return child.code
                if self.leaving or await self._is_lost():
                    await self._stop(child)
        except BaseException:
            child.ask("pause")
            if not await child.wait(_LEAVING_SECONDS):
                await child.kill()
            raise

    async def _is_lost(self) -> bool:
        """Whether this claim has come to its end, or the job was cancelled or paused."""
        if self.doubted and not self._lost:
            self.doubted = False
            self._lost = not await self._with.database.run(fine_tuning.wanted, self._job)
        return self._lost

    async def _stop(self, child: ChildProcess) -> None:
        """Ask it to end as what became of the job wants it, and wait for that."""
        child.ask("pause" if self.leaving or not await self._is_cancelled() else "cancel")
        if not await child.wait(_STOP_SECONDS):
            log.warning("The child of %s did not stop in time; it is killed", self._job.key)
            await child.kill()

    async def _is_cancelled(self) -> bool:
        found = await self._with.database.run(fine_tuning.statuses, [self._job.key])
        return found.get(self._job.key) in (None, "cancelled")

    async def _record(self, stored: Stored, events: Sequence[TuningEvent]) -> None:
        """The end of the child is recorded with what follows from it."""
        events = [told(event, self._places) for event in events]
        for event in events:
            self._last = event if event.kind in _ENDS else None
        if self._last is not None:
            events = events[:-1]
        if not events:
            return
        values = self._progress.values(stored.record, events)
        try:
            if await self._with.database.run(fine_tuning.record, self._job, events, values=values):
                self._deaths = 0  # it gets on between them: not in vain
        except LeaseLost:
            self._lost = True

    async def _end(self, stored: Stored, last: TuningEvent) -> None:
        database, now = self._with.database, self._now()
        if last.kind == "failed":
            code, param = last.data.get("code") or "server_error", last.data.get("param")
            await self.fail(JobError(code=str(code), message=last.message, param=param), last)
        elif self._job.kind == CHECK:
            await database.run(fine_tuning.checked, self._job, last, now=now)
        else:
            try:
                await self._with.registering.complete(self._job, stored, last)
            except OSError as error:
                await self.fail(_no_folder(error))

    async def fail(self, error: JobError, last: TuningEvent | None = None) -> None:
        """Nothing comes of the job. last: the child's word for it."""
        now = self._now()
        await self._with.database.run(fine_tuning.fail, self._job, error=error, last=last, now=now)
        log.warning("The fine-tuning job %s failed: %s", self._job.key, error.message)

    def _now(self) -> int:
        return int(self._with.clock.now())


def _gone(gone: FileGone) -> JobError:
    param = "tuning.test_file" if gone.part == "test" else f"{gone.part}_file"
    text = f"The {gone.part} file {gone.file_id} was deleted before the job could read it."
    return JobError(code=f"invalid_{gone.part}_file", message=text, param=param)


def _no_folder(error: OSError) -> JobError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        text = "No space is left on the disk for the files of the job. Free some, and create the job again."
        return JobError(code="no_space", message=text, param=None)
    return JobError(
        code="server_error", message=f"The folder of the job can't be written: {error.strerror}.", param=None
    )


def _killed(folder: Path, deaths: int, code: int | None) -> JobError:
    """code: the last child's; None when it was the server that died."""
    if shutil.disk_usage(folder).free < _LITTLE_SPACE:
        return _no_folder(OSError(errno.ENOSPC, ""))
    if code is not None and code >= 0:
        why = "What it printed is in child.log in the job's folder."
        text = f"The training process ended {deaths} times without a word, last with status {code}. {why}"
        return JobError(code="server_error", message=text, param=None)
    text = f"The training process, or its server, was killed {deaths} times, most likely for lack of memory."
    right = (
        "Try a smaller batch_size with more accumulation, a smaller max_length, or fewer parameters: trainable = lora."
    )
    return JobError(code="out_of_memory", message=f"{text} {right}", param="hyperparameters")
