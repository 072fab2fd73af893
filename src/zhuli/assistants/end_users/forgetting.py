"""The handler of jobs that delete an end user: everywhere, in small transactions, until a look finds nothing any more.

What copies are found by goes last: decisions, in which are only words, first, data sets before feedback, feedback before the
threads. So whoever dies leaves what is needed to go on, and the next attempt begins with a new look. What goes is counted in
the record in the same transaction.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from zhuli.assistants.end_users.belongings import Belongings, gather
from zhuli.assistants.end_users.holdings import Holdings
from zhuli.core.clock import Clock
from zhuli.learning.datasets.forgetting import VersionForgetting
from zhuli.learning.retuning.forgetting import Redaction
from zhuli.store import deletions
from zhuli.store.database import Database, hint
from zhuli.store.end_users import learned, talk
from zhuli.store.jobs import Job, finish
from zhuli.store.learning import datasets, retuning

LATER_SECONDS = 30.0
"""After which it is looked again whether fine-tuning jobs that read the user's examples have ended."""

_AT_ONCE = 100
"""Things that are deleted in one transaction."""


def topic(deletion_id: str) -> str:
    """Where it is hinted that a deletion has ended."""
    return f"end_user:{deletion_id}"


class EndUserForgetting:
    """Made once. rooms: above, which are built later."""

    def __init__(
        self, database: Database, clock: Clock, versions: VersionForgetting, rooms: Sequence[Holdings] = ()
    ) -> None:
        self._rooms = rooms
        self._database = database
        self._clock = clock
        self._versions = versions

    async def handle(self, job: Job) -> None:
        """Delete until a look finds nothing; put off where a fine-tuning job must end first."""
        found = await self._database.run(deletions.take_up, job)
        if found is None:
            return
        project, user, _ = found
        while True:
            own = await gather(self._database, project, user, self._rooms)
            await self._database.run(self._seen, job, project, user, own)
            tally = Tally(self._database, job)
            waits_for = await self._forget(project, user, own, tally)
            if waits_for:
                await self._database.run(self._put_off, job, waits_for)
                return
            if not own and not tally.any:
                break
        await self._database.run(self._end, job, project)

    async def give_up(self, job: Job, message: str) -> None:
        """The lease runs out, and another attempt is made: a deletion is never given up."""

    async def stopped(self, keys: list[str]) -> list[str]:
        """None: nobody ends a deletion."""
        return []

    def interrupt(self, key: str) -> None:
        """Another worker has the job by now; two that delete the same do no harm."""

    def _seen(self, connection: Connection, job: Job, project: str, user: str, own: Belongings) -> None:
        """The record has the versions and models that have learned from the user before what tells of it is gone."""
        record = deletions.lock(connection, job)
        versions = learned.versions_of(connection, project, user, own.sources)
        models = datasets.models_of(connection, project, versions)[1] if versions else []
        named = {*record.versions, *(version.id for version in versions)}
        learners = {*record.models, *(seen.model for seen in models)}
        changed = {"versions": sorted(named), "models": sorted(learners), "found": record.found or bool(own)}
        deletions.keep(connection, record.model_copy(update={**changed, "waits_for": None}))

    def _put_off(self, connection: Connection, job: Job, waits_for: set[str]) -> None:
        record = deletions.lock(connection, job)
        deletions.keep(connection, record.model_copy(update={"waits_for": sorted(waits_for)}))
        deletions.put_off(connection, job, self._clock.now() + LATER_SECONDS)
        hint(connection, topic(record.id))

    def _end(self, connection: Connection, job: Job, project: str) -> None:
        """Of somebody whom nothing was ever here of, no record stays."""
        record = deletions.lock(connection, job)
        unknown = not (record.found or record.counts or record.versions)
        if unknown and not deletions.earlier(connection, project, record.user_digest, record.id):
            deletions.remove(connection, record)
            finish(connection, job.kind, job.key)
            hint(connection, topic(record.id))
            return
        ended = record.model_copy(update={"status": "completed", "finished_at": int(self._clock.now())})
        deletions.complete(connection, job, ended)
        hint(connection, topic(record.id))

    async def _forget(self, project: str, user: str, own: Belongings, tally: "Tally") -> set[str]:
        """The fine-tuning jobs that must end first; where there are any, what is found by examples stays."""
        run = self._database.run
        await self._from_decisions(project, user, own, tally)
        for part in _parts(sorted(own.examples)):
            await tally.of("examples", learned.forget_examples, part)
        versions = await run(learned.versions_of, project, user, own.sources)
        for dataset in {one.dataset for one in own.examples} | {version.dataset_id for version in versions}:
            await run(learned.forget_doubts, dataset)
        waits_for: set[str] = set()
        for version in versions:
            redacted = await self._versions.redact(project, version, user, own.sources)
            await tally.of("examples_of_versions", _so_many, redacted.examples)
            waits_for.update(redacted.waits_for)
        if waits_for:
            return waits_for
        await tally.through("eval_items", learned.forget_items_with, project, own.ids, begin=0)
        await tally.through("kept_answers", learned.forget_answers_with, user, own.ids, begin="")
        askers = [user, *own.threads]
        await tally.of("predictions", learned.forget_predictions, project, own.predictions, askers)
        for part in _parts(own.feedback):
            await tally.of("feedback", learned.forget_feedback, part)
        for part in _parts(own.chats):
            await tally.of("chat_completions", talk.forget_chats, part)
        for room in self._rooms:
            while await tally.of("", room.forget, project, user, own.threads):
                pass
        await self._threads(project, own, tally)
        return waits_for

    async def _from_decisions(self, project: str, user: str, own: Belongings, tally: "Tally") -> None:
        """What was decided stays decided, without the user's words."""
        askers = [user, *own.threads]
        texts = await self._database.run(learned.texts_of, project, askers, own.predictions, own.examples)
        if texts:
            await tally.through("decisions", retuning.redact, project, Redaction(texts), begin=0)

    async def _threads(self, project: str, own: Belongings, tally: "Tally") -> None:
        for store in own.stores:
            await tally.of("vector_stores", talk.forget_store, project, store)
        for file_id in own.files:
            await tally.of("files", talk.forget_file, project, file_id)
        for thread_id in own.threads:
            left: list[str] = []
            await tally.of("", _forget_thread, project, thread_id, left)
            for key in left:
                while not await self._database.run(talk.clean, key):
                    await asyncio.sleep(0)


class Tally:
    """What goes is counted in the record of the job's deletion, in the transaction in which it goes. any: did anything?"""

    def __init__(self, database: Database, job: Job) -> None:
        self.any = False
        self._database = database
        self._job = job

    async def of(self, kind: str, forget: Callable[..., int | Mapping[str, int]], *args: Any) -> Counter[str]:
        """What the function deletes: things of this kind, or of the kinds that it says."""
        return await self._run(lambda connection: _by_kind(kind, forget(connection, *args)))

    async def through(self, kind: str, forget: Callable[..., tuple[int, Any]], *args: Any, begin: Any) -> None:
        """What the function deletes, which goes through a table from place to place."""
        place = [begin]

        def step(connection: Connection) -> Counter[str]:
            number, place[0] = forget(connection, *args, after=place[0])
            return _by_kind(kind, number)

        while place[0] is not None:
            await self._run(step)

    async def _run(self, forget: Callable[[Connection], Counter[str]]) -> Counter[str]:
        gone = await self._database.run(self._counted, forget)
        self.any = self.any or bool(gone)
        await asyncio.sleep(0)
        return gone

    def _counted(self, connection: Connection, forget: Callable[[Connection], Counter[str]]) -> Counter[str]:
        record = deletions.lock(connection, self._job)
        gone = forget(connection)
        if gone:
            counts = dict(Counter(record.counts) + gone)
            deletions.keep(connection, record.model_copy(update={"counts": counts, "found": True}))
        return gone


def _by_kind(kind: str, gone: int | Mapping[str, int]) -> Counter[str]:
    return +Counter(gone if isinstance(gone, Mapping) else {kind: int(gone)})


def _so_many(_: Connection, number: int) -> int:
    """What went already: files are rewritten outside of a transaction."""
    return number


def _forget_thread(connection: Connection, project: str, thread_id: str, left: list[str]) -> dict[str, int]:
    """Delete a thread; left: keys of what of it is to be cleaned."""
    if talk.thread(connection, thread_id) is None:
        return {}
    on = talk.on_thread(connection, thread_id)
    left += talk.forget_thread(connection, project, thread_id)
    sizes = {name: len(getattr(on, name)) for name in ("messages", "runs", "understandings")}
    return {"threads": 1, **sizes}


def _parts(items: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _AT_ONCE):
        yield list(items[start : start + _AT_ONCE])
