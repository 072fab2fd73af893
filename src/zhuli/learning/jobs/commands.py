"""What a client can do to fine-tuning jobs: create, cancel, pause, resume. Each is one transaction; no child is touched."""

from contextlib import aclosing, suppress
from pathlib import Path

from sqlalchemy import Connection

from zhuli.core.clock import Clock
from zhuli.core.errors import ConfigurationError, InvalidRequest
from zhuli.core.ids import new_id
from zhuli.learning.jobs import asking
from zhuli.learning.jobs.guessing import PEEKED, guess
from zhuli.models import bases
from zhuli.models.bases import Kind
from zhuli.models.catalog import Catalog
from zhuli.ports import BlobStore
from zhuli.store import collections, projects
from zhuli.store.database import Database
from zhuli.store.knowledge import files
from zhuli.store.learning import datasets, fine_tuning
from zhuli.types.knowledge.file import File
from zhuli.types.learning.fine_tuning import FineTuningJob, FineTuningJobCreate, FineTuningRecord, Method
from zhuli.types.learning.hyperparameters import TaskName
from zhuli.types.learning.tuning import Base

PURPOSE = "fine-tune"

LONGEST_NAME = 220
"""Of a tuned model; its checkpoints' names are longer, and 255 characters are kept."""

_FILES = {"training_file": "training", "validation_file": "validation", "tuning.test_file": "test"}


class TuningCommands:
    """Each method gives the job as it is after the command."""

    def __init__(
        self, database: Database, blobs: BlobStore, catalog: Catalog, clock: Clock, models_file: Path | None
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._catalog = catalog
        self._clock = clock
        self._models_file = models_file

    async def create(self, project: str, body: FineTuningJobCreate) -> FineTuningJob:
        """A new job, whose files are checked soon. InvalidRequest names the parameter that can't be."""
        body = await self._database.run(_with_files, project, body)
        assert body.training_file is not None
        method = asking.method_of(body)
        asking.check_workers(body.tuning.workers)
        await self._database.run(self._catalog.tuned.read)
        base, root = asking.base_of(self._catalog, project, body.model, models_file=self._models_file)
        given = await self._database.run(self._files, project, body)
        task = await self._task(project, body, method, base, given["training_file"])
        served_by = bases.served_by(root, models_file=self._models_file)
        job_id, now = new_id("ftjob"), int(self._clock.now())
        record = FineTuningRecord(
            id=job_id,
            created_at=now,
            hyperparameters=asking.shown_knobs(method),
            model=base.name,
            organization_id=project,
            status="validating_files",
            training_file=body.training_file,
            validation_file=body.validation_file,
            integrations=body.integrations,
            seed=asking.new_seed() if body.seed is None else body.seed,
            method=method,
            metadata=body.metadata,
            task=task,
            tuning=body.tuning,
            name="",
            base=base,
            root=root,
            knobs=asking.knobs_of(body, method, served=served_by is not None),
            filenames={_FILES[param]: file.filename for param, file in given.items()},
            served_by=served_by,
        )
        return await self._database.run(self._create, project, record, body.suffix, now=now)

    async def cancel(self, project: str, job_id: str) -> FineTuningJob:
        """End the job; its child stops within a step. NotFound, or InvalidRequest when it has ended."""
        return await self._database.run(fine_tuning.cancel, project, job_id, now=self._now())

    async def pause(self, project: str, job_id: str) -> FineTuningJob:
        """Keep the job's place: its child leaves a checkpoint. NotFound, or InvalidRequest when it does not run."""
        return await self._database.run(fine_tuning.pause, project, job_id, now=self._now())

    async def resume(self, project: str, job_id: str) -> FineTuningJob:
        """Queue a paused job again. NotFound, or InvalidRequest when it is not paused."""
        return await self._database.run(fine_tuning.resume, project, job_id, now=self._now())

    def _now(self) -> int:
        return int(self._clock.now())

    def _files(self, connection: Connection, project: str, body: FineTuningJobCreate) -> dict[str, File]:
        """The files by the parameters that name them."""
        asked = {
            "training_file": body.training_file,
            "validation_file": body.validation_file,
            "tuning.test_file": body.tuning.test_file,
        }
        return {
            param: _checked(
                files.file_of(connection, project, file_id) if "\0" not in file_id else None, file_id, param
            )
            for param, file_id in asked.items()
            if file_id is not None
        }

    async def _task(
        self, project: str, body: FineTuningJobCreate, method: Method, base: Base, training: File
    ) -> TaskName:
        kind: Kind | None = None
        with suppress(ConfigurationError):  # the check of the data says what is wrong with the base
            kind = bases.known_kind(base, models_file=self._models_file)
        task = body.task
        if task == "auto":
            task = await self._guessed(project, body, method, base, training, chats=kind != "encoder")
        asking.check_task(task, method, kind, base=base.name)
        return task

    async def _guessed(
        self, project: str, body: FineTuningJobCreate, method: Method, base: Base, training: File, *, chats: bool
    ) -> TaskName:
        if method.type == "dpo":
            return "preference"
        tuned = self._catalog.tuned.model(base.name, project)
        if tuned is not None and tuned.task not in (None, "preference"):
            return tuned.task
        beginning = await self._beginning(training.id)
        tuning = body.tuning
        found = guess(beginning, training.filename, format=tuning.format, columns=tuning.columns, chats=chats)
        if found is None:
            raise asking.unclear_task(training.filename)
        return found

    async def _beginning(self, file_id: str) -> bytes:
        found = b""
        try:
            async with aclosing(self._blobs.read(file_id)) as pieces:
                async for piece in pieces:
                    found += piece
                    if len(found) >= PEEKED:
                        break
        except KeyError:
            raise _no_file(file_id, "training_file") from None
        return found

    def _create(
        self, connection: Connection, project: str, record: FineTuningRecord, suffix: str | None, *, now: int
    ) -> FineTuningJob:
        owner = asking.slug(projects.name_of(connection, project))
        name = f"ft:{record.root}:{owner}:{asking.slug(suffix or '')}:{record.id[-8:]}"
        if len(name) > LONGEST_NAME:
            raise InvalidRequest(
                f"The tuned model's name would have {len(name)} characters, of which {LONGEST_NAME} are allowed: choose a "
                "shorter suffix, or a base with a shorter name.",
                param="suffix",
                code="string_above_max_length",
            )
        named = record.model_copy(update={"name": name})
        fine_tuning.create(connection, project, named, now=now)
        return named.shown()


def _with_files(connection: Connection, project: str, body: FineTuningJobCreate) -> FineTuningJobCreate:
    """The request with the files of the data set's version that it names; InvalidRequest where they are not its own."""
    if body.dataset_version is None:
        if body.training_file is None:
            text = "Missing required parameter: 'training_file'."
            raise InvalidRequest(text, param="training_file", code="missing_required_parameter")
        return body
    with collections.named_by("dataset_version"):
        version = datasets.version_named(connection, project, body.dataset_version)
    files = {"training_file": version.training_file, "validation_file": version.validation_file}
    for param, file in files.items():
        if getattr(body, param) not in (None, file):
            raise InvalidRequest(f"'{param}' is not that of the version {version.id}. Leave it out.", param=param)
    return body.model_copy(update={**files, "task": version.task if body.task == "auto" else body.task})


def _checked(file: File | None, file_id: str, param: str) -> File:
    if file is None:
        raise _no_file(file_id, param)
    if file.purpose != PURPOSE:
        raise InvalidRequest(
            f"The file '{file_id}' has the purpose '{file.purpose}'. Upload it with purpose '{PURPOSE}'.",
            param=param,
            code="invalid_file_purpose",
        )
    return file


def _no_file(file_id: str, param: str) -> InvalidRequest:
    return InvalidRequest(f"No such File object: {file_id}", param=param, code="file_not_found")
