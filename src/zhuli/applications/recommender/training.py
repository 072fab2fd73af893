"""The handler of trainings: items and events go into a folder, a child makes a model of it, which then serves.

Nothing of a training is there before its end, but for the vectors of items, which are made first.
"""

import asyncio
import shutil
from array import array
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from zhuli.applications.recommender import folders
from zhuli.applications.recommender.history import weight_of
from zhuli.applications.recommender.vectors import ItemVectors
from zhuli.core.clock import Clock
from zhuli.core.errors import LeaseLost, ServerFault, ZhuliError
from zhuli.learning.datasets.beside import work, work_folder
from zhuli.store.applications import recommender as store
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.types.applications.recommender import Recommender, Training

_PROGRAM = "zhuli.applications.recommender.child"
_ROWS = 1_000
"""Of items or events, that are read at once."""


class TrainingHandler:
    """Made once."""

    def __init__(self, database: Database, vectors: ItemVectors, clock: Clock, data_dir: Path) -> None:
        self._database = database
        self._vectors = vectors
        self._clock = clock
        self._data_dir = data_dir

    async def handle(self, job: Job) -> None:
        found = await self._database.run(store.take_up, job)
        if found is None:
            return
        project, training = found
        try:
            recommender = await self._database.run(store.get, project, training.recommender_id)
            report = await self._train(recommender, training)
            await self._end(job, training, status="completed", report=report)
        except (LeaseLost, ServerFault):
            raise
        except ZhuliError as error:
            if error.status >= 500:
                raise
            await self._end(job, training, status="failed", error=error.message)

    async def give_up(self, job: Job, message: str) -> None:
        found = await self._database.run(store.take_up, job)
        if found is not None:
            await self._end(job, found[1], status="failed", error=message)

    async def stopped(self, keys: list[str]) -> list[str]:
        return []

    def interrupt(self, key: str) -> None:
        """Nobody ends these before they are done."""

    async def _end(self, job: Job, training: Training, **values: Any) -> None:
        ended = training.model_copy(update={"finished_at": int(self._clock.now()), **values})
        await self._database.run(store.end_training, job, ended)
        if ended.status == "completed":
            await asyncio.to_thread(self._keep_only, training)

    def _keep_only(self, training: Training) -> None:
        """The models before the one that serves go; a process that has one open keeps its files until it closes them."""
        for folder in folders.of_recommender(self._data_dir, training.recommender_id).iterdir():
            if folder.name != training.id:
                shutil.rmtree(folder, ignore_errors=True)

    async def _train(self, recommender: Recommender, training: Training) -> dict[str, float | int | str | None]:
        await self._vectors.make(recommender.id, recommender.embedder)
        async with work_folder(self._data_dir, "recommender-work") as folder:
            rows, position = await self._write_items(recommender, folder)
            await self._write_events(recommender, rows, folder)
            request = {"seed": training.request.seed, "position": position}
            report: dict[str, float | int | str | None] = await work(folder, request, program=_PROGRAM)
            place = folders.of_training(self._data_dir, recommender.id, training.id)
            await asyncio.to_thread(_move, folder / "model", place)
        return report

    async def _write_items(self, recommender: Recommender, folder: Path) -> tuple[dict[str, int], int]:
        """Which row each item has, and the last change that is in it."""
        rows, position = dict[str, int](), 0
        with (folder / "items.jsonl").open("wb") as lines, (folder / "texts.f2").open("wb") as texts:
            while changes := await self._database.run(store.changed_items, recommender.id, after=position, most=_ROWS):
                for change in changes:
                    position = change.seq
                    if change.body is None or change.vector is None:
                        continue
                    item = orjson.loads(change.body)
                    rows[change.item_id] = len(rows)
                    kept = {name: item[name] for name in ("id", "categories", "price", "published_at")}
                    lines.write(orjson.dumps(kept) + b"\n")
                    texts.write(change.vector)
                await asyncio.sleep(0)
        return rows, position

    async def _write_events(self, recommender: Recommender, rows: dict[str, int], folder: Path) -> None:
        users, position = dict[str, int](), 0
        names = {"users.i8": "q", "rows.i8": "q", "weights.f4": "f", "times.f8": "d"}
        for name in names:
            (folder / name).touch()
        while events := await self._database.run(store.event_rows, recommender.id, after=position, most=_ROWS):
            columns: dict[str, array[Any]] = {name: array(code) for name, code in names.items()}
            for event in events:
                position = event.seq
                row = rows.get(event.item_id)
                if row is None:
                    continue
                weight = weight_of(event.kind, event.value, recommender.weights, recommender.liked_from)
                user = users.setdefault(event.end_user, len(users))
                for name, value in zip(names, (user, row, weight, event.at), strict=True):
                    columns[name].append(value)
            for name, column in columns.items():
                with (folder / name).open("ab") as out:
                    out.write(column.tobytes())
            await asyncio.sleep(0)


def _move(made: Path, place: Path) -> None:
    """An earlier attempt that died may have left a whole model there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        shutil.rmtree(place)
    made.rename(place)


class Discarding:
    """The handler of jobs that delete what a deleted recommender leaves: rows in pieces, and the folder on this machine."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        self._database = database
        self._data_dir = data_dir

    async def handle(self, job: Job) -> None:
        while await self._database.run(store.sweep, job.key):
            await asyncio.sleep(0)
        await asyncio.to_thread(shutil.rmtree, folders.of_recommender(self._data_dir, job.key), ignore_errors=True)
        await self._database.run(store.end_discarding, job)

    async def give_up(self, job: Job, message: str) -> None:
        """The lease runs out, and another attempt is made."""

    async def stopped(self, keys: list[str]) -> list[str]:
        return []

    def interrupt(self, key: str) -> None:
        """Another worker deletes it by now."""
