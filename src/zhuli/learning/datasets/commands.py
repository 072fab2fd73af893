"""What clients do to data sets: make them, change what is in them, have work done on them, look at what came of what."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection

from zhuli import registry
from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.core.ids import new_id
from zhuli.learning.datasets.beside import work, work_folder
from zhuli.learning.datasets.examples import check, example_id
from zhuli.ports import BlobStore
from zhuli.store import collections
from zhuli.store.database import Database
from zhuli.store.learning import dataset_deletion
from zhuli.store.learning import datasets as store
from zhuli.store.learning import feedback as stored_feedback
from zhuli.store.learning.datasets import NewEntry
from zhuli.store.schema import datasets
from zhuli.types.learning.dataset import (
    DataSet,
    DataSetCreate,
    DataSetDeleted,
    DataSetDiff,
    DataSetTask,
    EntriesCreate,
    EntryCreate,
    EntryList,
    Provenance,
    TaskKind,
    VersionDeleted,
    VersionLineage,
)
from zhuli.types.learning.example import BadExample
from zhuli.types.learning.feedback import Feedback, FeedbackLineage
from zhuli.types.wire import Request


class DataSetCommands:
    """Made once. NotFound for what the project has not; InvalidRequest names the parameter that can't be."""

    def __init__(self, database: Database, blobs: BlobStore, clock: Clock, data_dir: Path) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._data_dir = data_dir

    async def create(self, project: str, body: DataSetCreate) -> DataSet:
        """An empty data set."""
        if body.task not in (known := registry.names("tasks")):
            supported = ", ".join(f"'{name}'" for name in known)
            raise InvalidRequest(
                f"Invalid value: '{body.task[:200]}'. Supported values are: {supported}.",
                param="task",
                code="invalid_value",
            )
        made = DataSet(
            id=new_id("dset"),
            created_at=int(self._clock.now()),
            name=body.name,
            task=body.task,
            language=body.language,
            metadata=body.metadata or {},
        )
        return await self._database.run(self._create, project, made)

    def _create(self, connection: Connection, project: str, made: DataSet) -> DataSet:
        collections.insert(connection, datasets, project, made)
        return made

    async def change(self, project: str, dataset_id: str, body: EntriesCreate) -> EntryList:
        """The entries that were added to the log: without examples that are there already."""
        return await self._database.run(self._change, project, dataset_id, body.data)

    def _change(
        self, connection: Connection, project: str, dataset_id: str, changes: Sequence[EntryCreate]
    ) -> EntryList:
        dataset = store.get(connection, project, dataset_id)
        made = [_record(dataset.task, change, index) for index, change in enumerate(changes)]
        ids = [example_id(record) if record is not None else "" for record in made]
        named = [change.example or id_ for change, id_ in zip(changes, ids, strict=True)]
        there = store.newest(connection, dataset_id, named)
        before, entries = store.end_of_log(connection, dataset_id), list[NewEntry]()
        for index, (change, record, example) in enumerate(zip(changes, made, named, strict=True)):
            kind, body = there.get(example, ("remove", None))
            live = kind != "remove" and body is not None
            if change.kind == "add" and live:
                continue
            if change.kind != "add" and not live:
                raise NotFound(f"No example found with id '{example}' in the data set.", param=f"data[{index}].example")
            entry = _entry(change, record, example, body if change.kind != "add" else None)
            there[example] = (entry.kind, entry.body)
            entries.append(entry)
        store.append(connection, dataset_id, entries)
        rows = store.log(connection, dataset_id, after=before, upto=None, most=len(entries)) if entries else []
        return EntryList(data=[store.entry_of(row) for row in rows], has_more=False)

    async def log(self, project: str, dataset_id: str, *, after: int, limit: int) -> EntryList:
        """A page of the log, behind a position."""
        await self._database.run(store.get, project, dataset_id)
        rows = await self._database.run(store.log, dataset_id, after=after, upto=None, most=limit + 1)
        return EntryList(data=[store.entry_of(row) for row in rows[:limit]], has_more=len(rows) > limit)

    async def begin(self, project: str, dataset_id: str, kind: TaskKind, body: Request) -> DataSetTask:
        """The task, which a worker does soon."""
        task = DataSetTask(
            id=new_id("dst"),
            created_at=int(self._clock.now()),
            dataset_id=dataset_id,
            kind=kind,
            request=body.model_dump(),
        )
        return await self._database.run(store.begin, project, task)

    async def diff(self, project: str, dataset_id: str, version_id: str, *, against: str | None) -> DataSetDiff:
        """What is otherwise in the version than in another one; without one named, than in the one before it."""
        after = await self._database.run(store.version, project, dataset_id, version_id)
        if against is None:
            found = await self._database.run(store.version_before, dataset_id, version_id)
            if found is None:
                raise InvalidRequest("This is the first version. Name another one by 'against'.", param="against")
            before = found
        else:
            with collections.named_by("against"):
                before = await self._database.run(store.version, project, dataset_id, against)
        async with work_folder(self._data_dir) as folder:
            for file, name in ((before.manifest_file, "before.jsonl"), (after.manifest_file, "after.jsonl")):
                try:
                    with (folder / name).open("wb") as out:
                        async for piece in self._blobs.read(file):
                            out.write(piece)
                except KeyError:
                    gone = after.id if name == "after.jsonl" else before.id
                    raise InvalidRequest(f"The files of the version '{gone}' were deleted.", param="against") from None
            said = await work(folder, {"do": "diff"})
        return DataSetDiff(version=after.id, against=before.id, **said)

    async def delete(self, project: str, dataset_id: str) -> DataSetDeleted:
        """The data set goes with its versions; refused while a policy, a model in service or a job needs it."""
        await self._database.run(dataset_deletion.remove, project, dataset_id, now=int(self._clock.now()))
        return DataSetDeleted(id=dataset_id)

    async def delete_version(self, project: str, dataset_id: str, version_id: str) -> VersionDeleted:
        """The version's files go; refused in the same way."""
        now = int(self._clock.now())
        await self._database.run(dataset_deletion.remove_version, project, dataset_id, version_id, now=now)
        return VersionDeleted(id=version_id)

    async def lineage(self, project: str, dataset_id: str, version_id: str) -> VersionLineage:
        """From the version to what it came of, and to what came of it."""
        return await self._database.run(self._lineage, project, dataset_id, version_id)

    def _lineage(self, connection: Connection, project: str, dataset_id: str, version_id: str) -> VersionLineage:
        version = store.version(connection, project, dataset_id, version_id)
        jobs, models = store.models_of(connection, project, [version])
        return VersionLineage(
            version=version.id, sources=store.sources_of(connection, version.id), jobs=jobs, models=models
        )

    async def feedback(self, project: str, feedback_id: str) -> Feedback:
        """A piece of feedback, with what came of it."""
        return await self._database.run(self._feedback, project, feedback_id)

    def _feedback(self, connection: Connection, project: str, feedback_id: str) -> Feedback:
        found = stored_feedback.get(connection, project, feedback_id)
        versions = store.versions_with(connection, project, "feedback", feedback_id)
        jobs, models = store.models_of(connection, project, versions) if versions else ([], [])
        lineage = FeedbackLineage(
            examples=store.examples_of(connection, project, feedback_id),
            versions=[version.id for version in versions],
            jobs=jobs,
            models=[seen.model for seen in models],
        )
        return found.model_copy(update={"lineage": lineage})


def _record(task: str, change: EntryCreate, index: int) -> dict[str, Any] | None:
    """What a change brings as a whole; InvalidRequest says what is wrong with it."""
    if change.record is None:
        return None
    try:
        check(task, change.record)
    except BadExample as error:
        raise InvalidRequest(str(error), param=f"data[{index}].record", code="invalid_value") from error
    return change.record


def _entry(change: EntryCreate, record: dict[str, Any] | None, example: str, before: str | None) -> NewEntry:
    """before: the example's body, where it is labelled anew."""
    if change.kind == "remove":
        return NewEntry("remove", example, None)
    if before is None:
        provenance = Provenance(
            kind="api", thread_id=change.thread_id, user=change.user, reviewer=change.reviewer
        ).model_dump()
    else:
        was = orjson.loads(before)
        provenance = {**was["provenance"], "reviewer": change.reviewer}
        if provenance["kind"] == "weak":  # a person's word now
            provenance["kind"] = "api"
        record = record or {**{k: v for k, v in was["record"].items() if k != "labels"}, "label": change.label}
    body = orjson.dumps({"record": record, "provenance": provenance}).decode()
    source = provenance.get("id")
    named = None if not source or source.startswith("file") else source
    return NewEntry(change.kind, example, body, named, provenance.get("user"))
