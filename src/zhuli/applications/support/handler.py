"""The handler of a desk's tasks: imports, publishing, evaluations. What computes is a child beside it.

A task may be done again from its beginning after a kill: dialogues are added once, by their ids; what is proposed and
published is written together with the task's end.
"""

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Protocol

import orjson
from sqlalchemy import Connection

from zhuli.applications.support import child_folder, vectors
from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest, LeaseLost, ServerFault, ZhuliError
from zhuli.core.ids import new_id
from zhuli.learning.datasets.beside import work, work_folder
from zhuli.models.catalog import Catalog
from zhuli.ports import BlobStore
from zhuli.store import collections
from zhuli.store.applications import support as store
from zhuli.store.applications.support import StoredDialogue
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.store.learning import conversations
from zhuli.store.schema import files
from zhuli.types.applications.support import Content, Desk, FromThreads, ImportCreate, Proposal, SupportTask
from zhuli.types.knowledge.file import File

_ROWS = 500
"""Dialogues that are added or read at once."""

_TOLD_SECONDS = 2.0
"""Between two notes of how far a task is."""

MOST_MINED = 60_000
"""Pairs of an import that are mined: the first."""

MOST_GROWN = 1_000
"""Examples of an intent, however many imports add to it."""

_KNOWN = 5
"""Examples of an intent by which it is found again."""


class Does(Protocol):
    """Publishing and evaluating: given to the handler, so that each is in its own file."""

    async def do(self, job: Job, project: str, desk: Desk, task: SupportTask) -> None:
        """Do the task and end it."""


class SupportHandler:
    """Implements worker.loop.Handler. Made once."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        blobs: BlobStore,
        clock: Clock,
        data_dir: Path,
        others: dict[str, Does],
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._blobs = blobs
        self._clock = clock
        self._data_dir = data_dir
        self._others = others

    async def handle(self, job: Job) -> None:
        """Do the task; what can't be done as asked ends it with a sentence."""
        found = await self._database.run(store.take_up, job)
        if found is None:
            return
        project, task = found
        try:
            desk = await self._database.run(store.desk, project, task.desk_id)
            if task.kind == "import":
                await self._import(job, project, desk, task)
            else:
                await self._others[task.kind].do(job, project, desk, task)
        except (LeaseLost, ServerFault):
            raise
        except ZhuliError as error:
            if error.status >= 500:
                raise
            await self._database.run(store.end, job, ended(task, self._clock, error=error.message))

    async def give_up(self, job: Job, message: str) -> None:
        """End the task that took processes down."""
        found = await self._database.run(store.take_up, job)
        if found is not None:
            await self._database.run(store.end, job, ended(found[1], self._clock, error=message))

    async def stopped(self, keys: list[str]) -> list[str]:
        """None: nobody stops a task."""
        return []

    def interrupt(self, key: str) -> None:
        """Nobody ends these before they are done."""

    async def _import(self, job: Job, project: str, desk: Desk, task: SupportTask) -> None:
        request = ImportCreate.model_validate(task.request)
        progress = Progress(self._database, job, task)
        async with work_folder(self._data_dir) as folder:
            await self._given(project, request, folder)
            language = desk.languages[0] if len(desk.languages) == 1 else None
            asked = {
                "do": "read",
                "format": request.format,
                "mask": request.mask,
                "language": language,
                "gathered": request.threads is not None,
            }
            report = await work(folder, asked, program=child_folder.PROGRAM)
            await progress.note("read", report["dialogues"], now=True)
            await self._add(desk, task, request, folder / child_folder.DIALOGUES)
            report["added"] = await self._database.run(store.imported, task.id)
            report["here_before"] = report["dialogues"] - report["added"]
            mined = await self._mined(project, desk, task, request, folder, progress)
        report |= {"clustered": mined.get("clustered", 0), "mined": mined.get("pairs", 0)}
        await self._database.run(self._keep, job, project, desk, task, mined, report)

    async def _given(self, project: str, request: ImportCreate, folder: Path) -> None:
        """What is to be imported, as a file of the folder."""
        path = folder / child_folder.TRANSCRIPTS
        if request.text is not None:
            await asyncio.to_thread(path.write_text, request.text, "utf-8")
        elif request.file is not None:
            file = await self._database.run(collections.get, files, File, project, request.file)
            try:
                with await asyncio.to_thread(path.open, "wb") as out:
                    async with aclosing(self._blobs.read(file.id)) as pieces:
                        async for piece in pieces:
                            await asyncio.to_thread(out.write, piece)
            except KeyError:
                raise InvalidRequest(f"The file {file.id} was deleted.") from None
        else:
            assert request.threads is not None
            await self._threads(project, request.threads, folder / child_folder.GATHERED)

    async def _threads(self, project: str, request: FromThreads, path: Path) -> None:
        """Our own threads, as dialogues; those that are gone, or have no two sides, are left out."""
        ids: Sequence[str] = request.ids or []
        if request.ids is None:
            ids = await self._database.run(conversations.newest_threads, project, most=request.newest)
        with await asyncio.to_thread(path.open, "wb") as out:
            for thread_id in ids:
                try:
                    user = await self._database.run(conversations.user_of, project, thread_id)
                except KeyError:
                    continue
                said = await self._database.run(conversations.turns, project, thread_id)
                turns = [{"role": "user" if one["role"] == "user" else "agent", "text": one["content"]} for one in said]
                if len({turn["role"] for turn in turns}) == 2:
                    one = {"id": thread_id, "user": user, "turns": turns}
                    out.write(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE))

    async def _add(self, desk: Desk, task: SupportTask, request: ImportCreate, path: Path) -> None:
        """Add the dialogues, each once; which are held out follows from their ids."""
        batch: list[StoredDialogue] = []
        with await asyncio.to_thread(path.open, "rb") as lines:
            for line in lines:
                one = orjson.loads(line)
                held = _share(one["id"]) < request.held_out
                batch.append(StoredDialogue(one["id"], one["user"], held, orjson.dumps(one["body"]).decode()))
                if len(batch) == _ROWS:
                    await self._database.run(store.add_dialogues, desk.id, task.id, batch)
                    batch = []
                    await asyncio.sleep(0)
        await self._database.run(store.add_dialogues, desk.id, task.id, batch)

    async def _mined(
        self, project: str, desk: Desk, task: SupportTask, request: ImportCreate, folder: Path, progress: "Progress"
    ) -> dict[str, Any]:
        """What this import's dialogues propose, beside what is proposed already."""
        found = await self._pairs(desk, task)
        if not found:
            return {}
        entry = vectors.embedder_of(self._catalog, desk)
        questions = list(dict.fromkeys(one["question"] for one in found))
        answers = list(dict.fromkeys(one["answer"] for one in found))
        places = {text: row for row, text in enumerate(questions)}, {text: row for row, text in enumerate(answers)}
        there = await self._database.run(store.proposals, desk.id)
        known = [
            (one.name, one.content.examples[:_KNOWN], one.content.labels)
            for one in there
            if one.kind == "intent" and one.content.examples
        ]
        await vectors.write(entry, questions, folder / child_folder.QUESTIONS, progress.of("questions"))
        await vectors.write(entry, answers, folder / child_folder.ANSWERS, progress.of("answers"))
        await vectors.write(
            entry, [text for _, texts, _ in known for text in texts], folder / child_folder.KNOWN, progress.of("known")
        )
        given = {
            "pairs": found,
            "asked": [places[0][one["question"]] for one in found],
            "said": [places[1][one["answer"]] for one in found],
        }
        await asyncio.to_thread((folder / child_folder.PAIRS).write_bytes, orjson.dumps(given))
        taken: dict[str, list[str]] = {}
        for one in there:
            taken.setdefault(one.kind, []).append(one.name)
        asked = {
            "do": "mine",
            "least": request.least,
            "known": [(name, len(texts), labels) for name, texts, labels in known],
            "taken": taken,
        }
        return dict(await work(folder, asked, program=child_folder.PROGRAM))

    async def _pairs(self, desk: Desk, task: SupportTask) -> list[dict[str, Any]]:
        """The pairs of what this import brought, without those that are held out."""
        after, found = 0, list[dict[str, Any]]()
        while len(found) < MOST_MINED:
            rows = await self._database.run(
                store.dialogues, desk.id, after=after, most=_ROWS, held_out=False, task_id=task.id
            )
            if not rows:
                break
            after = rows[-1][0]
            found += [pair for row in rows for pair in orjson.loads(row[3])["pairs"]]
        return found[:MOST_MINED]

    def _keep(
        self,
        connection: Connection,
        job: Job,
        project: str,
        desk: Desk,
        task: SupportTask,
        mined: dict[str, Any],
        report: dict[str, Any],
    ) -> None:
        """Proposals and the task's end, all at once. What a person touched keeps its words; what came is beside them."""
        store.lock_desk(connection, project, desk.id)
        now, counts = self._clock.now(), dict.fromkeys(("intent", "answer", "article", "slot"), 0)
        for one in mined.get("proposals", ()):
            if store.named(connection, desk.id, one["kind"], one["name"]) is not None:
                continue
            made = Proposal(
                id=new_id("prop"),
                created_at=int(now),
                desk_id=desk.id,
                kind=one["kind"],
                name=one["name"],
                support=one["support"],
                content=Content.model_validate(one["content"]),
                origin=task.id,
            )
            store.add_proposal(connection, project, made, event="mined", at=now)
            counts[one["kind"]] += 1
        more = 0
        for name, examples in mined.get("additions", {}).items():
            there = store.named(connection, desk.id, "intent", name)
            if there is not None and (grown := with_more(there, examples)) is not None:
                store.change_proposal(connection, grown, event="mined_again", at=now)
                more += 1
        report |= {"proposed": counts, "grown": more}
        report["notes"] = notes(
            report, ImportCreate.model_validate(task.request).least, largest=mined.get("largest", 0)
        )
        store.end(connection, job, ended(task, self._clock, result=report))


class Progress:
    """How far a task is, kept every few seconds."""

    def __init__(self, database: Database, job: Job, task: SupportTask) -> None:
        self._database = database
        self._job = job
        self._task = task
        self._parts: dict[str, int] = {}
        self._kept = 0.0

    def of(self, part: str) -> vectors.Told:
        """Notes how much of a part is done."""

        async def told(count: int) -> None:
            await self.note(part, count)

        return told

    async def note(self, part: str, count: int, *, now: bool = False) -> None:
        """So much of this part is done."""
        self._parts[part] = count
        if not now and time.monotonic() - self._kept < _TOLD_SECONDS:
            return
        self._kept = time.monotonic()
        changed = self._task.model_copy(update={"progress": dict(self._parts)})
        await self._database.run(store.keep_task, self._job, changed)


def with_more(there: Proposal, examples: Sequence[str]) -> Proposal | None:
    """The proposal with what a later import found for it; None where it has all of that already."""
    known = {*there.content.examples, *there.more}
    fresh = [text for text in examples if text not in known]
    if not fresh:
        return None
    support = there.support + len(examples)
    if there.edited or there.status != "proposed":
        more = [*there.more, *fresh][:MOST_GROWN]
        return there.model_copy(update={"more": more, "support": support, "version": there.version + 1})
    content = there.content.model_copy(update={"examples": [*there.content.examples, *fresh][:MOST_GROWN]})
    return there.model_copy(update={"content": content, "support": support, "version": there.version + 1})


def notes(report: Mapping[str, Any], least: int, *, largest: int) -> list[str]:
    """Why an import proposed no intent, where it did not, and what would be right. largest: matters of the largest group."""
    if report["dialogues"] == 0:
        return ["No dialogue was read. 'faults' says of the first lines why."]
    if report["added"] == 0:
        return ["All of these dialogues were here before, so that nothing was mined of them again."]
    if report["pairs"] == 0:
        return ["No matter was found: in none of these dialogues does an agent answer a question."]
    if report["mined"] == 0:
        return [
            "All matters that came are held out. Send a lower 'held_out' with the next import; these stay held out."
        ]
    if report["proposed"]["intent"] == 0 and report["grown"] == 0:
        return [
            f"No intent is proposed: {largest} matters are the most that are alike, and 'least' asks for {least}. Import more "
            "at once, or send a lower 'least'."
        ]
    return []


def ended(task: SupportTask, clock: Clock, **values: Any) -> SupportTask:
    """The task with its result or its error."""
    status = "failed" if values.get("error") is not None else "completed"
    return task.model_copy(update={"status": status, "finished_at": int(clock.now()), **values})


def _share(dialogue_id: str) -> float:
    """A number from 0 to 1 that the dialogue always has."""
    return int.from_bytes(hashlib.sha256(dialogue_id.encode()).digest()[:8], "big") / 2**64
