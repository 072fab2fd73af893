"""From a finished tuning to what clients see of it: models by name, result files, the job's end, in one transaction.

How a chat model is talked to is decided here, by what lies in its folder: a GGUF file, an adapter beside its base's GGUF
file, or an adapter that the base's model server loads.
"""

import base64
import logging
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from zhuli.core.clock import Clock
from zhuli.core.ids import new_id
from zhuli.learning.jobs import folders
from zhuli.learning.training.event_log import events
from zhuli.models import bases
from zhuli.models.catalog import Catalog
from zhuli.ports import BlobStore
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.store.learning import fine_tuning
from zhuli.store.learning.fine_tuning import Ending, Stored, checkpoint_name
from zhuli.store.learning.tuned_models import TunedModel
from zhuli.types.knowledge.file import File, file_of
from zhuli.types.learning.fine_tuning import FineTuningRecord
from zhuli.types.learning.tuning import MODEL, TASK, Base, TuningEvent

log = logging.getLogger(__name__)

PURPOSE = "fine-tune-results"

_CHAT_TEMPLATE = "chat_template.jinja"
"""Which conversations were written with in the training; that in the base's GGUF file may be another."""

RESULTS = ("results.csv", "report.txt", "report.json", "curves.png", "confusion.png")
"""The original has the first one only, in base64; clients take it from the beginning of the list."""


class ResultFiles(Protocol):
    """What is needed of the service for files, which is of another wing: a blob that stays only if its row does."""

    blobs: BlobStore

    def writing(self, key: str, data: bytes | AsyncIterable[bytes]) -> AbstractAsyncContextManager[tuple[str, int]]:
        """Write a blob, and give its key and size in bytes; what happens inside must keep it."""


@dataclass(frozen=True, slots=True)
class Registering:
    """Made once, by the composition root."""

    database: Database
    files: ResultFiles
    catalog: Catalog
    clock: Clock
    data_dir: Path
    models_file: Path | None

    @property
    def blobs(self) -> BlobStore:
        """Where the bytes of files are."""
        return self.files.blobs

    async def complete(self, job: Job, stored: Stored, last: TuningEvent) -> None:
        """End the job as succeeded. Whatever fails on the way, nothing of it is there."""
        record, now = stored.record, int(self.clock.now())
        folder = folders.folder_of(self.data_dir, record.id)
        models = self._models(record, stored.project, folder, now)
        async with self._result_files(folder, now) as files:
            await self.database.run(fine_tuning.complete, job, last, Ending(models, files), now=now)
        await self.database.run(self.catalog.tuned.read)
        log.info("The fine-tuning job %s made %s", record.id, record.name)

    def _models(self, record: FineTuningRecord, project: str, folder: Path, now: int) -> list[TunedModel]:
        """The model, then its checkpoints that are models as well."""
        places = {record.name: folder / MODEL}
        for event in events(folder):
            if event.kind == "checkpoint" and (path := folder / event.data.get("path", "")) and (path / TASK).exists():
                places[checkpoint_name(record.name, event.data["step"])] = path
        return [
            TunedModel(
                name=name,
                project=project,
                base=record.root,
                task=record.task,
                folder=str(path.resolve().relative_to(self.data_dir.resolve())),
                job=record.id,
                created_at=now,
                language=language_of(path),
                chat=chat_of(
                    path,
                    record.base,
                    served_by=record.served_by,
                    data_dir=self.data_dir.resolve(),
                    models_file=self.models_file,
                ),
            )
            for name, path in places.items()
        ]

    @asynccontextmanager
    async def _result_files(self, folder: Path, now: int) -> AsyncIterator[list[File]]:
        """Blobs of the results, which are dropped again unless what happens inside keeps them."""
        async with AsyncExitStack() as stack:
            files: list[File] = []
            for name in RESULTS:
                if not (folder / name).is_file():
                    continue
                data = (folder / name).read_bytes()
                content = base64.b64encode(data) if name == RESULTS[0] else data
                key, size = await stack.enter_async_context(self.files.writing(new_id("file"), content))
                files.append(file_of(key, size, filename=name, purpose=PURPOSE, lifetime=None, now=now))
            yield files


def language_of(folder: Path) -> str | None:
    """The language that the model's task.json names."""
    path = folder / TASK
    said: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {}
    language = said.get("language")
    return language if isinstance(language, str) else None


def chat_of(
    folder: Path, base: Base, *, served_by: str | None, data_dir: Path, models_file: Path | None
) -> dict[str, Any] | None:
    """How the model in `folder` is talked to (TunedModel.chat); None if it is not."""
    if served_by is not None:
        return {"served_by": served_by} if (folder / "adapter_config.json").exists() else None
    if (folder / "model.gguf").exists():
        return {"backend": "embedded", "path": _relative(folder / "model.gguf", data_dir)}
    if (folder / "adapter.gguf").exists():
        template = bases.gguf(base, data_dir=data_dir, models_file=models_file)
        if template is not None:
            files = {"path": template, "lora_path": folder / "adapter.gguf"}
            if (folder / _CHAT_TEMPLATE).exists():
                files["chat_template_file"] = folder / _CHAT_TEMPLATE
            return {"backend": "embedded", **{key: _relative(path, data_dir) for key, path in files.items()}}
    return None


def _relative(path: Path, data_dir: Path) -> str:
    """To data_dir, where it lies in there: the folder may be moved, or be elsewhere on another machine."""
    resolved = path.resolve()
    return str(resolved.relative_to(data_dir) if resolved.is_relative_to(data_dir) else resolved)
