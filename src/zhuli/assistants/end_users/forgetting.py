"""The handler of jobs that delete an end user: everywhere, in small transactions, until a look finds nothing any more.

What copies are found by goes last: decisions, in which are only words, first, data sets before feedback, feedback before the
threads. So whoever dies leaves what is needed to go on, and the next attempt begins with a new look.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from zhuli.assistants.end_users.belongings import Belongings, gather
from zhuli.core.clock import Clock
from zhuli.learning.datasets.forgetting import VersionForgetting
from zhuli.learning.retuning import forgetting as decisions
from zhuli.store import deletions
from zhuli.store.database import Database, hint
from zhuli.store.end_users import learned, talk
from zhuli.store.jobs import Job, finish
from zhuli.store.learning import datasets, retuning
from zhuli.types.end_users import EndUserDeletion

LATER_SECONDS = 30.0
"""After which it is looked again whether fine-tuning jobs that read the user's examples have ended."""

_AT_ONCE = 100
"""Things that are deleted in one transaction."""


def topic(deletion_id: str) -> str:
    """Where it is hinted that a deletion has ended."""
    return f"end_user:{deletion_id}"


Also = Callable[[str, str, Sequence[str]], Awaitable[Counter[str]]]
"""Deletes what a room above has of a project's user, whose threads these are; how many of what. Found again, it is 0 of all."""


class EndUserForgetting:
    """Made once. also: of applications, which are built later."""

    def __init__(self, database: Database, clock: Clock, versions: VersionForgetting) -> None:
        self.also: list[Also] = []
        self._database = database
        self._clock = clock
        self._versions = versions

    async def handle(self, job: Job) -> None:
        """Delete until a look finds nothing; put off where a fine-tuning job must end first."""
        found = await self._database.run(deletions.take_up, job)
        if found is None:
            return
        project, user, record = found
        while True:
            own = await gather(self._database, project, user)
            record = await self._database.run(self._seen, project, user, record, own)
            counts, waits_for = await self._forget(project, user, record, own)
            total = Counter(record.counts) + counts
            there = record.found or bool(counts)
            seen = {"counts": dict(total), "waits_for": sorted(waits_for) or None, "found": there}
            record = record.model_copy(update=seen)
            if waits_for:
                await self._database.run(self._put_off, job, record)
                return
            if not own and not counts:
                break
            await self._database.run(deletions.keep, record)
        await self._database.run(self._end, job, project, record)

    async def give_up(self, job: Job, message: str) -> None:
        """The lease runs out, and another attempt is made: a deletion is never given up."""

    async def stopped(self, keys: list[str]) -> list[str]:
        """None: nobody ends a deletion."""
        return []

    def interrupt(self, key: str) -> None:
        """Another worker has the job by now; two that delete the same do no harm."""

    def _seen(
        self, connection: Connection, project: str, user: str, record: EndUserDeletion, own: Belongings
    ) -> EndUserDeletion:
        """The record with the versions and models that have learned from the user, kept before what tells of it is gone."""
        versions = learned.versions_of(connection, project, user, own.sources)
        models = datasets.models_of(connection, project, versions)[1] if versions else []
        named = {*record.versions, *(version.id for version in versions)}
        learners = {*record.models, *(seen.model for seen in models)}
        changed = record.model_copy(
            update={"versions": sorted(named), "models": sorted(learners), "found": record.found or bool(own)}
        )
        if changed != record:
            deletions.keep(connection, changed)
        return changed

    def _put_off(self, connection: Connection, job: Job, record: EndUserDeletion) -> None:
        deletions.keep(connection, record)
        deletions.put_off(connection, job, self._clock.now() + LATER_SECONDS)
        hint(connection, topic(record.id))

    def _end(self, connection: Connection, job: Job, project: str, record: EndUserDeletion) -> None:
        """Of somebody whom nothing was ever here of, no record stays."""
        unknown = not (record.found or record.counts or record.versions)
        if unknown and not deletions.earlier(connection, project, record.user_digest, record.id):
            deletions.remove(connection, record)
            finish(connection, job.kind, job.key)
            hint(connection, topic(record.id))
            return
        ended = record.model_copy(update={"status": "completed", "finished_at": int(self._clock.now())})
        deletions.complete(connection, job, ended)
        hint(connection, topic(record.id))

    async def _forget(
        self, project: str, user: str, record: EndUserDeletion, own: Belongings
    ) -> tuple[Counter[str], set[str]]:
        """What went, by kind, and the fine-tuning jobs that must end first."""
        gone: Counter[str] = Counter()
        run = self._database.run
        gone["decisions"] += await self._from_decisions(project, user, own)
        for part in _parts(sorted(own.examples)):
            gone["examples"] += await run(learned.forget_examples, part)
            await asyncio.sleep(0)
        versions = await run(learned.versions_of, project, user, own.sources)
        for dataset in {one.dataset for one in own.examples} | {version.dataset_id for version in versions}:
            await run(learned.forget_doubts, dataset)
        waits_for: set[str] = set()
        for version in versions:
            redacted = await self._versions.redact(project, version, user, own.sources)
            gone["examples_of_versions"] += redacted.examples
            waits_for.update(redacted.waits_for)
        if waits_for:
            return +gone, waits_for
        gone["eval_items"] += await _through(lambda at: run(learned.forget_items_with, project, own.ids, after=at), 0)
        gone["kept_answers"] += await _through(lambda at: run(learned.forget_answers_with, user, own.ids, after=at), "")
        gone["predictions"] += await run(learned.forget_predictions, project, own.predictions, [user, *own.threads])
        for part in _parts(own.feedback):
            gone["feedback"] += await run(learned.forget_feedback, part)
        for part in _parts(own.chats):
            gone["chat_completions"] += await run(talk.forget_chats, part)
        for forget in self.also:
            gone += await forget(project, user, own.threads)
        gone += await self._threads(project, own)
        return +gone, waits_for

    async def _from_decisions(self, project: str, user: str, own: Belongings) -> int:
        """What was decided stays decided; how many decisions have lost words of the user."""
        askers = [user, *own.threads]
        texts = await self._database.run(learned.texts_of, project, askers, own.predictions, own.examples)
        if not texts:
            return 0
        without = partial(decisions.without, said=decisions.as_kept(texts))
        return await _through(lambda at: self._database.run(retuning.redact, project, without, after=at), 0)

    async def _threads(self, project: str, own: Belongings) -> Counter[str]:
        gone: Counter[str] = Counter()
        for store in own.stores:
            await self._database.run(talk.forget_store, project, store)
        gone["vector_stores"] = len(own.stores)
        for file_id in own.files:
            gone["files"] += await self._database.run(talk.forget_file, project, file_id)
        for thread_id in own.threads:
            for key in await self._database.run(talk.forget_thread, project, thread_id):
                while not await self._database.run(talk.clean, key):
                    await asyncio.sleep(0)
        names = ("threads", "messages", "runs", "understandings")
        return gone + Counter({name: len(getattr(own, name)) for name in names})


async def _through(forget: Callable[[Any], Awaitable[tuple[int, Any]]], begin: int | str) -> int:
    """Go through a table from its beginning; how many rows went."""
    total, after = 0, begin
    while after is not None:
        gone, after = await forget(after)
        total += gone
        await asyncio.sleep(0)
    return total


def _parts(items: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _AT_ONCE):
        yield list(items[start : start + _AT_ONCE])
