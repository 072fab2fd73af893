"""What an import finds in the database: records with their provenance, written into a file for the child."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson

from zhuli.core.errors import InvalidRequest
from zhuli.learning.datasets.conversions import Turn, of_feedback, of_thread, of_understanding
from zhuli.store.database import Database
from zhuli.store.learning import conversations, feedback
from zhuli.types.learning.dataset import FromFeedback, FromThreads, FromUnderstandings, ImportCreate, Provenance
from zhuli.types.learning.feedback import Feedback

_READ_AT_ONCE = 100


class Gathering:
    """Reads a project's feedback, threads and understandings, a few at a time."""

    def __init__(self, database: Database, project: str, task: str) -> None:
        self._database = database
        self._project = project
        self._task = task
        self._users: dict[str, str | None] = {}

    async def write(self, request: ImportCreate, path: Path) -> int:
        """Write what is found, a JSON object a line; how many said nothing to be learned."""
        left = 0
        with await asyncio.to_thread(path.open, "wb") as out:
            async for record, provenance in self._found(request):
                if record is None:
                    left += 1
                else:
                    said = {"record": record, "provenance": provenance.model_dump()}
                    out.write(orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE))
        return left

    def _found(self, request: ImportCreate) -> AsyncIterator[tuple[dict[str, Any] | None, Provenance]]:
        if request.feedback is not None:
            return self._of_feedback(request.feedback)
        if request.threads is not None:
            return self._of_threads(request.threads)
        assert request.understandings is not None
        return self._of_understandings(request.understandings)

    async def _of_feedback(self, request: FromFeedback) -> AsyncIterator[tuple[dict[str, Any] | None, Provenance]]:
        after: int | None = 0
        while after is not None:
            items, after = await self._database.run(feedback.reviewed, self._project, after=after, most=_READ_AT_ONCE)
            for item in items:
                if request.target_types is None or item.target.type in request.target_types:
                    yield of_feedback(self._task, item, await self._before(item)), await self._said_by(item)

    async def _before(self, item: Feedback) -> list[Turn]:
        """The conversation before the message that was judged, where the task is about conversations."""
        context = item.context
        if self._task not in ("dialogue", "preference") or context is None or context.thread_id is None:
            return []
        return await self._database.run(
            conversations.turns, self._project, context.thread_id, before=context.message_id
        )

    async def _said_by(self, item: Feedback) -> Provenance:
        """user: whose words the example has, which is the thread's where there is one; else who gave the feedback."""
        thread = item.context.thread_id if item.context is not None else None
        user = (await self._user_of(thread) if thread else None) or item.user
        reviewer = item.reviews[-1].reviewer if item.reviews else None
        return Provenance(kind="feedback", id=item.id, thread_id=thread, user=user, reviewer=reviewer)

    async def _of_threads(self, request: FromThreads) -> AsyncIterator[tuple[dict[str, Any] | None, Provenance]]:
        if self._task != "dialogue":
            raise InvalidRequest(f"Threads become examples of the task dialogue; this data set is of {self._task}.")
        ids = (
            request.ids
            if request.ids is not None
            else await self._database.run(conversations.newest_threads, self._project, most=request.newest)
        )
        for thread in ids:
            turns = await self._database.run(conversations.turns, self._project, thread)
            user = await self._user_of(thread)
            yield of_thread(turns), Provenance(kind="thread", id=thread, thread_id=thread, user=user)

    async def _of_understandings(
        self, request: FromUnderstandings
    ) -> AsyncIterator[tuple[dict[str, Any] | None, Provenance]]:
        if self._task not in ("text_classification", "token_classification"):
            raise InvalidRequest(
                "Understandings become examples of the tasks text_classification (intents) and token_classification "
                f"(entities); this data set is of {self._task}."
            )
        before, left = None, request.newest
        while left > 0:
            items, before = await self._database.run(
                conversations.understood, self._project, before=before, most=min(left, _READ_AT_ONCE)
            )
            left -= len(items)
            for item in items:
                sure = item.intent is not None and item.intent.confidence >= request.min_confidence
                user = await self._user_of(item.thread_id) if item.thread_id else None
                provenance = Provenance(kind="understanding", id=item.id, thread_id=item.thread_id, user=user)
                yield (of_understanding(self._task, item) if sure else None), provenance
            if before is None:
                return

    async def _user_of(self, thread: str) -> str | None:
        if thread not in self._users:
            try:
                self._users[thread] = await self._database.run(conversations.user_of, self._project, thread)
            except KeyError:
                self._users[thread] = None
        return self._users[thread]
