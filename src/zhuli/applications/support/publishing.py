"""Publishing: what was accepted becomes a knowledge base, a data set version, a domain and an assistant, by the wings' doors.

Each part that is made is noted in the task before the next is begun, so that a task that is done again goes on behind it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from zhuli.applications.support.handler import ended
from zhuli.applications.support.published import (
    HANDOFF,
    Order,
    Ordering,
    accepted,
    domain_of,
    knowledge_file,
    reply_examples,
)
from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.core.ids import new_id
from zhuli.knowledge.files.file_service import FileService
from zhuli.learning.datasets.commands import DataSetCommands
from zhuli.models.catalog import Catalog
from zhuli.store import collections
from zhuli.store.applications import support as store
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.store.knowledge import vector_store_files, vector_stores
from zhuli.store.schema import assistants
from zhuli.types.applications.support import Desk, Proposal, PublishCreate, Published, SupportTask
from zhuli.types.assistants.assistant import Assistant
from zhuli.types.assistants.tools import (
    FileSearchResources,
    FileSearchTool,
    FunctionDefinition,
    FunctionTool,
    ToolResources,
)
from zhuli.types.knowledge.vector_store import VectorStoreCreate, VectorStoreFileCreate
from zhuli.types.learning.dataset import DataSetCreate, EntriesCreate, EntryCreate, VersionCreate
from zhuli.understanding.domains.saving import Domains

INSTRUCTIONS = (
    "You answer customers of {name}. Answer only from the passages that were found, in the customer's language, briefly. "
    "If they do not say it, say that you do not know and that a colleague can help."
)
_ENTRIES = 500

HANDOFF_FUNCTION = FunctionDefinition(
    name=HANDOFF,
    description='A person goes on with this matter; the output is a JSON object with their answer: {"answer": "…"}.',
    parameters={
        "type": "object",
        "properties": {
            "handoff": {"type": "string", "description": "its id in the queue of the desk"},
            "reason": {"type": "string"},
            "why": {"type": "string"},
            "question": {"type": "string"},
            "summary": {"type": "string"},
            "state": {"type": "object"},
            "suggestions": {"type": "array", "items": {"type": "object"}},
        },
        "required": ["handoff", "reason", "question", "summary"],
    },
)


@dataclass
class Publishing:
    """Implements handler.Does."""

    database: Database
    catalog: Catalog
    clock: Clock
    files: FileService
    datasets: DataSetCommands
    domains: Domains

    async def do(self, job: Job, project: str, desk: Desk, task: SupportTask) -> None:
        """Build what was accepted, and end the task with the version."""
        request = PublishCreate.model_validate(task.request)
        if request.accept is not None:
            await self.database.run(self._accept, project, desk.id, request.accept)
        proposals = await self.database.run(store.proposals, desk.id)
        kept = [one for one in proposals if one.status == "accepted"]
        if not accepted(kept, "intent") and not accepted(kept, "article"):
            raise InvalidRequest(nothing_accepted(proposals, request.accept))
        parts: dict[str, Any] = dict(task.result or {})
        await self._knowledge(job, project, desk, task, parts, kept)
        await self._examples(job, project, desk, task, parts, kept)
        await self._domain(job, project, desk, task, parts, kept)
        made = Published(
            version=(desk.published.version if desk.published else 0) + 1,
            published_at=int(self.clock.now()),
            task=task.id,
            assistant=await self._assistant(job, project, desk, task, parts),
            domain=parts["domain"],
            domain_version=parts["domain_version"],
            vector_store=parts.get("vector_store"),
            file=parts.get("file"),
            dataset=parts["dataset"],
            proposals=len(kept),
        )
        result = {**made.model_dump(), "accepted": {kind: len(accepted(kept, kind)) for kind in _KINDS}}
        await self.database.run(store.publish, job, project, ended(task, self.clock, result=result), made)

    def _accept(self, connection: Connection, project: str, desk_id: str, least: int) -> None:
        """Accept what nobody looked at and enough dialogues have; with an intent its answer and its slots."""
        store.lock_desk(connection, project, desk_id)
        now = self.clock.now()
        for one in store.proposals(connection, desk_id):
            if one.status == "proposed" and one.support >= least:
                changed = one.model_copy(update={"status": "accepted", "version": one.version + 1})
                store.change_proposal(connection, changed, event="accepted", at=now)

    async def _note(self, job: Job, task: SupportTask, parts: dict[str, Any], **more: Any) -> None:
        parts |= more
        noted = task.model_copy(update={"result": dict(parts), "progress": {"parts": len(parts)}})
        await self.database.run(store.keep_task, job, noted)

    async def _knowledge(
        self, job: Job, project: str, desk: Desk, task: SupportTask, parts: dict[str, Any], kept: list[Proposal]
    ) -> None:
        """The vector store with one file: the newest in place of the one before."""
        text = knowledge_file(kept)
        if "vector_store" not in parts:
            before = desk.published.vector_store if desk.published else None
            await self._note(job, task, parts, vector_store=before or await self._new_store(project, desk))
        if "file" not in parts:
            number = (desk.published.version if desk.published else 0) + 1
            file = await self.files.add(
                project, text.encode(), filename=f"support-{desk.id}-{number}.md", purpose="assistants"
            )
            await self._note(job, task, parts, file=file.id)
        await self.database.run(self._attach, project, desk, parts)

    async def _new_store(self, project: str, desk: Desk) -> str:
        embedder = desk.embedder or self.catalog.default_embedder
        body = VectorStoreCreate(name=f"Support: {desk.name}"[:256])
        made = await self.database.run(
            vector_stores.create, project, body, embedder=embedder, now=int(self.clock.now())
        )
        return made.id

    def _attach(self, connection: Connection, project: str, desk: Desk, parts: dict[str, Any]) -> None:
        now = int(self.clock.now())
        given = [VectorStoreFileCreate(file_id=parts["file"])]
        vector_store_files.add_files(connection, project, parts["vector_store"], given, now=now)
        old = desk.published.file if desk.published else None
        if old is not None and old != parts["file"]:
            try:
                vector_store_files.remove(connection, project, parts["vector_store"], old)
            except NotFound:
                return  # somebody took it out

    async def _examples(
        self, job: Job, project: str, desk: Desk, task: SupportTask, parts: dict[str, Any], kept: list[Proposal]
    ) -> None:
        """Questions with their answers into the desk's data set, and a version of it begun."""
        if "dataset" not in parts:
            before = desk.published.dataset if desk.published else None
            name = f"Support: {desk.name}"[:256]
            made = before or (await self.datasets.create(project, DataSetCreate(name=name, task="dialogue"))).id
            await self._note(job, task, parts, dataset=made)
        if "dataset_task" in parts:
            return
        records = reply_examples(kept)
        for start in range(0, len(records), _ENTRIES):
            entries = [EntryCreate(kind="add", record=record) for record in records[start : start + _ENTRIES]]
            await self.datasets.change(project, parts["dataset"], EntriesCreate(data=entries))
        if records:
            begun = await self.datasets.begin(project, parts["dataset"], "version", VersionCreate(near=False))
            await self._note(job, task, parts, dataset_task=begun.id)

    async def _domain(
        self, job: Job, project: str, desk: Desk, task: SupportTask, parts: dict[str, Any], kept: list[Proposal]
    ) -> None:
        if "domain" in parts:
            return
        fields = domain_of(desk, kept, await self._order(desk, kept))
        if desk.published is not None:
            saved = await self.domains.modify(project, desk.published.domain, fields)
        else:
            saved = await self.domains.create(project, fields)
        await self._note(job, task, parts, domain=saved.id, domain_version=saved.version)

    async def _order(self, desk: Desk, kept: list[Proposal]) -> Order:
        """Which matters came behind which in the dialogues that are learned from."""
        ordering, after = Ordering(kept), 0
        while rows := await self.database.run(store.dialogues, desk.id, after=after, most=_ENTRIES, held_out=False):
            after = rows[-1][0]
            await asyncio.to_thread(_count, ordering, [row[3] for row in rows])
        return ordering.order

    async def _assistant(self, job: Job, project: str, desk: Desk, task: SupportTask, parts: dict[str, Any]) -> str:
        """The desk's assistant, with the domain, the knowledge and the function `handoff`."""
        if "assistant" not in parts:
            await self._note(job, task, parts, assistant=desk.assistant or new_id("asst"))
        await self.database.run(self._set_up, project, desk, parts)
        return str(parts["assistant"])

    def _set_up(self, connection: Connection, project: str, desk: Desk, parts: dict[str, Any]) -> None:
        try:
            there = collections.get(connection, assistants, Assistant, project, parts["assistant"])
        except NotFound:
            there = None
        base = there or Assistant(
            id=parts["assistant"],
            created_at=int(self.clock.now()),
            name=desk.name,
            model=desk.model or self.catalog.default,
            instructions=INSTRUCTIONS.format(name=desk.name),
        )
        others = [tool for tool in base.tools if not _ours(tool)]
        made = base.model_copy(
            update={
                "model": desk.model or base.model,
                "domain": parts["domain"],
                "tools": [
                    *others,
                    FileSearchTool(type="file_search"),
                    FunctionTool(type="function", function=HANDOFF_FUNCTION),
                ],
                "tool_resources": ToolResources(
                    file_search=FileSearchResources(vector_store_ids=[parts["vector_store"]])
                ),
            }
        )
        if there is None:
            collections.insert(connection, assistants, project, made)
        else:
            collections.replace(connection, assistants, made)


_KINDS = ("intent", "answer", "article", "slot")


def _count(ordering: Ordering, bodies: Sequence[str]) -> None:
    for body in bodies:
        ordering.count(orjson.loads(body)["pairs"])


def nothing_accepted(proposals: Sequence[Proposal], least: int | None) -> str:
    """Why nothing can be published, and what would be right."""
    waiting = [one for one in proposals if one.kind in ("intent", "article") and one.status in ("proposed", "edited")]
    if not waiting:
        return (
            "Nothing can be published: nothing is proposed that could be accepted. Import transcripts, with a lower 'least' "
            "where they are few, or write proposals of your own."
        )
    most = max((one.support for one in waiting if one.status == "proposed"), default=0)
    hint = (
        f"no intent or article that is proposed has {least} dialogues; the most is {most}. Send a lower 'accept', or accept "
        "some proposals yourself."
        if least is not None
        else "no intent and no article is accepted. Accept some proposals first, or send 'accept' with the number of dialogues "
        f"that are enough (of what is proposed, the most is {most})."
    )
    return f"Nothing can be published: {hint}"


def _ours(tool: Any) -> bool:
    """Whether publishing gives this tool anew."""
    return isinstance(tool, FileSearchTool) or (isinstance(tool, FunctionTool) and tool.function.name == HANDOFF)
