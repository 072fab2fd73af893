"""The handler of tasks on data sets: imports, versions, wrong labels, weak labels. What computes is a child beside it.

Nothing of a task is there before its end, but for the entries of an import: those are added in pieces, each example once,
so that a task that is done a second time adds what is missing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest, LeaseLost, NotFound, ServerFault, ZhuliError
from zhuli.core.ids import new_id
from zhuli.learning.datasets.beside import (
    EARLIER,
    ENTRIES,
    GATHERED,
    MANIFEST,
    ORIGINAL,
    PREPARED,
    TRAIN,
    VALIDATION,
    work,
    work_folder,
)
from zhuli.learning.datasets.gathering import Gathering
from zhuli.learning.datasets.labelling import Labelling
from zhuli.learning.jobs.registering import ResultFiles
from zhuli.store import collections
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.store.knowledge import files as stored_files
from zhuli.store.learning import datasets as store
from zhuli.store.learning.datasets import NewEntry
from zhuli.store.schema import files
from zhuli.types.knowledge.file import File, file_of
from zhuli.types.learning.dataset import (
    DataSet,
    DataSetTask,
    DataSetVersion,
    ImportCreate,
    LabelNoiseCreate,
    VersionCreate,
    WeakLabelsCreate,
)

log = logging.getLogger(__name__)

_ROWS = 1_000
"""Of a log, that are read or added at once: some milliseconds on SQLite."""

_PIECE = 1024 * 1024
_PURPOSES = {TRAIN: "fine-tune", VALIDATION: "fine-tune", MANIFEST: "fine-tune-results"}


class DataSetHandler:
    """Made once."""

    def __init__(
        self, database: Database, result_files: ResultFiles, clock: Clock, data_dir: Path, labelling: Labelling
    ) -> None:
        self._database = database
        self._files = result_files
        self._clock = clock
        self._data_dir = data_dir
        self._labelling = labelling

    async def handle(self, job: Job) -> None:
        found = await self._database.run(store.take_up, job)
        if found is None:
            return
        project, task = found
        began = self._clock.now()
        try:
            dataset = await self._database.run(store.get, project, task.dataset_id)
            async with work_folder(self._data_dir) as folder:
                await self._do(job, project, dataset, task, folder, began)
        except (LeaseLost, ServerFault):
            raise
        except ZhuliError as error:
            if error.status >= 500:
                raise
            await self._end(job, task, error=error.message)

    async def give_up(self, job: Job, message: str) -> None:
        found = await self._database.run(store.take_up, job)
        if found is not None:
            await self._end(job, found[1], error=message)

    async def stopped(self, keys: list[str]) -> list[str]:
        return []

    def interrupt(self, key: str) -> None:
        """Nobody ends these before they are done."""

    async def _do(
        self, job: Job, project: str, dataset: DataSet, task: DataSetTask, folder: Path, began: float
    ) -> None:
        match task.kind:
            case "import":
                result = await self._import(project, dataset, ImportCreate.model_validate(task.request), folder, began)
                await self._end(job, task, result=result)
            case "version":
                await self._version(job, project, dataset, task, folder)
            case "label_noise":
                request = LabelNoiseCreate.model_validate(task.request)
                end = await self._database.run(store.end_of_log, dataset.id)
                version = await self._database.run(store.version, project, dataset.id, request.version)
                await self._copy(version.training_file, folder / "examples.jsonl")
                await self._copy(version.manifest_file, folder / "manifest.jsonl")
                found = await self._labelling.noise(dataset, request, folder)
                if await self._database.run(store.lost_users_since, dataset.id, end):
                    raise NotFound("An end user was deleted while labels were looked at. Look again.")
                await self._end(job, task, result=found)
            case "weak_labels":
                weak = WeakLabelsCreate.model_validate(task.request)
                if weak.file is not None:
                    await self._of_project(project, weak.file)
                    await self._copy(weak.file, folder / "texts.txt")
                result = await self._labelling.weak(project, dataset, weak, folder, task_id=task.id)
                if weak.add:
                    result["added"] = await self._add(project, dataset, folder / PREPARED, began)
                await self._end(job, task, result=result)

    async def _end(
        self, job: Job, task: DataSetTask, *, result: dict[str, Any] | None = None, error: str | None = None
    ) -> None:
        await self._database.run(store.end, job, self._ended(task, result=result, error=error))

    def _ended(self, task: DataSetTask, **values: Any) -> DataSetTask:
        status = "failed" if values.get("error") is not None else "completed"
        return task.model_copy(update={"status": status, "finished_at": int(self._clock.now()), **values})

    async def _import(
        self, project: str, dataset: DataSet, request: ImportCreate, folder: Path, began: float
    ) -> dict[str, Any]:
        asked: dict[str, Any] = {"do": "prepare", "task": dataset.task, "language": dataset.language}
        left = 0
        if request.file is not None:
            file = await self._of_project(project, request.file)
            path = folder / f"file{Path(file.filename).suffix.lower()}"
            await self._copy(file.id, path)
            asked |= {"path": str(path), "file": file.id, "format": request.format, "columns": request.columns}
        else:
            left = await Gathering(self._database, project, dataset.task).write(request, folder / GATHERED)
        asked["mask"] = request.file is None if request.mask is None else request.mask
        report = await work(folder, asked)
        added = await self._add(project, dataset, folder / PREPARED, began)
        report["here_before"] = report.pop("prepared") - added
        return {"added": added, "nothing_to_learn": left, **report}

    async def _add(self, project: str, dataset: DataSet, path: Path, began: float) -> int:
        """Add what was prepared to the log, each example once."""
        added, batch = 0, list[NewEntry]()
        with await asyncio.to_thread(path.open, "rb") as lines:
            for line in lines:
                id_, source, user, body = line.rstrip(b"\n").decode().split("\t", 3)
                # Those of a file are found by the data set, not by the file.
                named = None if not source or source.startswith("file") else source
                batch.append(NewEntry("add", id_, body, named, user or None))
                if len(batch) == _ROWS:
                    added += await self._database.run(store.append_new, project, dataset.id, batch, began=began)
                    batch = []
                    await asyncio.sleep(0)
        return added + await self._database.run(store.append_new, project, dataset.id, batch, began=began)

    async def _version(self, job: Job, project: str, dataset: DataSet, task: DataSetTask, folder: Path) -> None:
        request = VersionCreate.model_validate(task.request)
        end = await self._database.run(store.end_of_log, dataset.id)
        upto = end if request.position is None else min(end, request.position)
        await self._export(dataset, folder / ENTRIES, upto=upto)
        before = await self._database.run(store.latest_version, dataset.id)
        if before is not None:
            await self._copy(before.manifest_file, folder / EARLIER)
        if request.replay is not None:
            original = await self._database.run(store.version, project, dataset.id, request.replay.version)
            await self._copy(original.manifest_file, folder / ORIGINAL)
        asked = {"do": "build", "task": dataset.task, "language": dataset.language, **request.model_dump()}
        built = await work(folder, asked)
        if built["examples"] == 0:
            raise InvalidRequest(f"The data set '{dataset.id}' has no examples at position {upto}. Add some first.")
        same = await self._database.run(store.version_of_digest, dataset.id, built["digest"])
        if same is not None:
            await self._end_with(job, task, same)
            return
        async with AsyncExitStack() as stack:
            made: dict[str, File] = {}
            now = int(self._clock.now())
            for name, purpose in _PURPOSES.items():
                if name == VALIDATION and not built["report"]["validation"]:
                    continue
                key, size = await stack.enter_async_context(self._files.writing(new_id("file"), _pieces(folder / name)))
                filename = f"{dataset.name}-{name}"
                made[name] = file_of(key, size, filename=filename, purpose=purpose, lifetime=None, now=now)
            version = DataSetVersion(
                id=new_id("dsv"),
                created_at=now,
                dataset_id=dataset.id,
                digest=built["digest"],
                position=upto,
                task=dataset.task,
                training_file=made[TRAIN].id,
                validation_file=made[VALIDATION].id if VALIDATION in made else None,
                manifest_file=made[MANIFEST].id,
                examples=built["examples"],
                request=request,
                report=built["report"],
            )
            ended = self._ended(task, version=version.id)
            await self._database.run(
                self._keep, job, project, ended, version, list(made.values()), built["sources"], end
            )

    def _keep(
        self,
        connection: Connection,
        job: Job,
        project: str,
        task: DataSetTask,
        version: DataSetVersion,
        made: Sequence[File],
        sources: Sequence[tuple[str, str]],
        read_upto: int,
    ) -> None:
        """The version with its files and sources, all at once; nothing of it if a user was deleted while it was made."""
        if store.lost_users_since(connection, version.dataset_id, read_upto):
            raise NotFound("An end user was deleted while the version was made. Make it again.")
        for file in made:
            stored_files.insert(connection, project, file)
        store.add_version(connection, project, version, [(kind, id_) for kind, id_ in sources])
        store.end(connection, job, task)

    async def _end_with(self, job: Job, task: DataSetTask, version: DataSetVersion) -> None:
        await self._database.run(store.end, job, self._ended(task, version=version.id, result={"made_before": True}))

    async def _export(self, dataset: DataSet, path: Path, *, upto: int) -> None:
        """The log as the child reads it."""
        after = 0
        with await asyncio.to_thread(path.open, "w", encoding="utf-8") as out:
            while rows := await self._database.run(store.log, dataset.id, after=after, upto=upto, most=_ROWS):
                out.writelines(f"{row.kind}\t{row.example_id}\t{row.body or ''}\n" for row in rows)
                after = rows[-1].seq
                await asyncio.sleep(0)

    async def _of_project(self, project: str, file_id: str) -> File:
        return await self._database.run(collections.get, files, File, project, file_id)

    async def _copy(self, file_id: str, path: Path) -> None:
        """The file's bytes; InvalidRequest if they are gone."""
        try:
            with await asyncio.to_thread(path.open, "wb") as out:
                async with aclosing(self._files.blobs.read(file_id)) as pieces:
                    async for piece in pieces:
                        out.write(piece)
        except KeyError:
            raise InvalidRequest(f"The file {file_id} was deleted.") from None


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := file.read(_PIECE):
            yield piece
