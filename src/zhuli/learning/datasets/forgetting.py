"""An end user's examples leave versions of data sets: files are rewritten by a child, with the copies that tunings have.

The manifest is written last, for it says which examples are whose: one that dies before begins anew.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from zhuli.core.clock import Clock
from zhuli.learning.datasets.beside import MANIFEST, TRAIN, VALIDATION, work, work_folder
from zhuli.learning.jobs.folders import folder_of
from zhuli.ports import BlobStore
from zhuli.store.database import Database
from zhuli.store.end_users import learned
from zhuli.types.learning.dataset import DataSetVersion

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Redacted:
    """What came of a version. examples: how many left it. waits_for: jobs that read it just now."""

    examples: int
    waits_for: Sequence[str] = ()


class VersionForgetting:
    """Made once, by the composition root."""

    def __init__(self, database: Database, blobs: BlobStore, clock: Clock, data_dir: Path) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._data_dir = data_dir

    async def redact(self, project: str, version: DataSetVersion, user: str, own: Sequence[str]) -> Redacted:
        """Rewrite the version without the user; of one that a fine-tuning job is reading, nothing, but the job is named."""
        if not await self._database.run(learned.has_seen, project, version.id, user, frozenset(own)):
            return Redacted(0)
        jobs = await self._database.run(learned.readers_of, project, version)
        if reading := [job.id for job in jobs if job.status not in learned.SETTLED]:
            return Redacted(0, waits_for=reading)
        files = {
            name: file_id
            for name, file_id in (
                (TRAIN, version.training_file),
                (VALIDATION, version.validation_file),
                (MANIFEST, version.manifest_file),
            )
            if file_id is not None
        }
        async with work_folder(self._data_dir) as folder:
            there = [name for name, file_id in files.items() if await self._copy(file_id, folder / name)]
            asked = {
                "do": "redact",
                "task": version.task,
                "user": user,
                "own": list(own),
                "folders": [str(place) for job in jobs if (place := folder_of(self._data_dir, job.id)).is_dir()],
            }
            said = await work(folder, asked)
            if said["removed"]:  # while the manifest still tells whose they are
                await self._database.run(learned.forget_items, project, said["items"])
            sizes: dict[str, int] = {}
            for name in there if said["removed"] else ():
                sizes[files[name]] = await self._blobs.write(files[name], _pieces(folder / name))
        lost = {*said["ids"]}
        told = [one for one in version.report.get("contradicting", ()) if not lost & {one["kept"], one["left_out"]}]
        report = {**version.report, **said["report"], "contradicting": told}
        changed = version.model_copy(
            update={
                "redacted_at": int(self._clock.now()),
                "redacted_digest": said["digest"],
                "redacted_examples": version.redacted_examples + said["removed"],
                "examples": said["examples"],
                "report": report,
            }
            if said["removed"]
            else {}
        )
        await self._database.run(
            learned.redacted, project, changed, user, frozenset(own), sizes=sizes, now=self._clock.now()
        )
        return Redacted(said["removed"])

    async def _copy(self, file_id: str, path: Path) -> bool:
        """Whether the file is still there."""
        try:
            with await asyncio.to_thread(path.open, "wb") as out:
                async with aclosing(self._blobs.read(file_id)) as pieces:
                    async for piece in pieces:
                        out.write(piece)
        except KeyError:
            await asyncio.to_thread(path.unlink)
            return False
        return True


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
