"""The folder of a fine-tuning job below data_dir: spec.json and copies of its files. It is there whole or not at all.

Removing one waits until no child works in it.
"""

import asyncio
import shutil
from contextlib import aclosing
from pathlib import Path, PurePath

from zhuli.core import whole_file
from zhuli.learning.jobs.child_process import FolderLock
from zhuli.ports import BlobStore
from zhuli.store.learning.tuned_models import FOLDER
from zhuli.types.learning.fine_tuning import FineTuningRecord
from zhuli.types.learning.tuning import SPEC, Source, Spec

_PIECES = {"training": "train", "validation": "validation", "test": "test"}


class FileGone(Exception):
    """A file of the job was deleted; `part` is training, validation or test."""

    def __init__(self, part: str, file_id: str) -> None:
        super().__init__(file_id)
        self.part = part
        self.file_id = file_id


def folder_of(data_dir: Path, job_id: str) -> Path:
    """Where the job's tuning lies, whether it is there or not."""
    return data_dir.resolve() / FOLDER / job_id


async def prepare(
    folder: Path, record: FineTuningRecord, blobs: BlobStore, *, data_dir: Path, models_file: Path | None
) -> bool:
    """Make the folder; whether it was there already. FileGone if a file is not there any more."""
    if not _begun(folder):
        return True
    ids = {
        "training": record.training_file,
        "validation": record.validation_file,
        "test": record.tuning.test_file,
    }
    sources: dict[str, Source] = {}
    for part, file_id in ids.items():
        if file_id is not None:
            name = f"{_PIECES[part]}{PurePath(record.filenames[part]).suffix.lower()[:16]}"
            await _copy(blobs, part, file_id, folder / name)
            sources[part] = Source(path=name, format=record.tuning.format, columns=record.tuning.columns)
    spec = _spec(record, sources, data_dir=data_dir, models_file=models_file)
    whole_file.replace(folder / SPEC, spec.model_dump_json(indent=2, exclude_none=True).encode())
    return False


def _begun(folder: Path) -> bool:
    """Begin with the folder, unless it is there with all that belongs in it."""
    if (folder / SPEC).exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    return True


def _spec(record: FineTuningRecord, sources: dict[str, Source], *, data_dir: Path, models_file: Path | None) -> Spec:
    tuning = record.tuning
    return Spec(
        task=record.task,
        base=record.base,
        train=sources["training"],
        validation=sources.get("validation"),
        test=sources.get("test"),
        validation_share=tuning.validation_share,
        test_share=tuning.test_share,
        hyperparameters=record.knobs,
        search=tuning.search,
        workers=tuning.workers,
        language=tuning.language,
        seed=record.seed,
        data_dir=str(data_dir.resolve()),
        models_file=None if models_file is None else str(models_file.resolve()),
        name=record.name,
    )


async def _copy(blobs: BlobStore, part: str, file_id: str, path: Path) -> None:
    try:
        with path.open("wb") as file:
            async with aclosing(blobs.read(file_id)) as pieces:
                async for piece in pieces:
                    file.write(piece)
    except KeyError:
        raise FileGone(part, file_id) from None


async def remove(folder: Path) -> None:
    """Delete it with all that is in it, once nobody works there."""
    try:
        lock = await FolderLock.take(folder)
    except FileNotFoundError:
        return
    try:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    finally:
        lock.release()
