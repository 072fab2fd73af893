"""The handler of trainings: items and events go into a folder, a child makes a model of it, which then serves.

Nothing of a training is there before its end, but for the vectors of items, which are made first, and how far it is.
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


_LISTS = 200
"""The same of lists."""

MOST_LISTS = 100_000
"""Lists that were shown, of which a training learns: the newest."""

_LOOK_SECONDS = 1.0
"""After which it is looked again how far the child is."""

_READ, _MADE = 0.1, 0.2
"""The shares of a training that vectors of texts, and these with the reading, are taken to be."""


class TrainingHandler:
    """Made once."""

    def __init__(self, database: Database, vectors: ItemVectors, clock: Clock, data_dir: Path) -> None:
        self._database = database
        self._vectors = vectors
        self._clock = clock
        self._data_dir = data_dir

    async def handle(self, job: Job) -> None:
        found = await self._database.run(store.take_up, job, now=int(self._clock.now()))
        if found is None:
            return
        project, training = found
        try:
            recommender = await self._database.run(store.get, project, training.recommender_id)
            report = await self._train(recommender, training, job)
            await self._end(job, training, status="completed", report=report)
        except (LeaseLost, ServerFault):
            raise
        except ZhuliError as error:
            if error.status >= 500:
                raise
            await self._end(job, training, status="failed", error=error.message)

    async def give_up(self, job: Job, message: str) -> None:
        found = await self._database.run(store.take_up, job, now=int(self._clock.now()))
        if found is not None:
            await self._end(job, found[1], status="failed", error=message)

    async def stopped(self, keys: list[str]) -> list[str]:
        return []

    def interrupt(self, key: str) -> None:
        """Nobody ends these before they are done."""

    async def _end(self, job: Job, training: Training, **values: Any) -> None:
        now = {"finished_at": int(self._clock.now()), "doing": None}
        ended = training.model_copy(update=now | {"progress": 1.0 if values["status"] == "completed" else 0.0} | values)
        await self._database.run(store.end_training, job, ended)
        if ended.status == "completed":
            await asyncio.to_thread(self._keep_only, training)

    def _keep_only(self, training: Training) -> None:
        """The models before the one that serves go; a process that has one open keeps its files until it closes them."""
        for folder in folders.of_recommender(self._data_dir, training.recommender_id).iterdir():
            if folder.name != training.id:
                shutil.rmtree(folder, ignore_errors=True)

    async def _train(
        self, recommender: Recommender, training: Training, job: Job
    ) -> dict[str, float | int | str | None]:
        await self._note(job, training, "texts", 0.0)
        await self._vectors.make(recommender.id, recommender.embedder)
        async with work_folder(self._data_dir, "recommender-work") as folder:
            await self._note(job, training, "reading", _READ)
            rows, position = await self._write_items(recommender, folder)
            users = await self._write_events(recommender, rows, folder)
            await self._write_lists(recommender, rows, users, folder)
            request = {"seed": training.request.seed, "position": position}
            report = await self._made(folder, request, job, training)
            place = folders.of_training(self._data_dir, recommender.id, training.id)
            await asyncio.to_thread(_move, folder / "model", place)
        return report

    async def _made(
        self, folder: Path, request: dict[str, Any], job: Job, training: Training
    ) -> dict[str, float | int | str | None]:
        """The child's report; while it works, how far it is is kept."""
        child, told = asyncio.ensure_future(work(folder, request, program=_PROGRAM)), None
        try:
            while not (await asyncio.wait([child], timeout=_LOOK_SECONDS))[0]:
                before, told = told, await asyncio.to_thread(_told, folder)
                if told is not None and told != before:
                    await self._note(job, training, told["doing"], _MADE + (1 - _MADE) * told["share"])
        finally:
            if not child.done():
                child.cancel()
                await asyncio.wait([child])
        report: dict[str, float | int | str | None] = child.result()
        return report

    async def _note(self, job: Job, training: Training, doing: str, progress: float) -> None:
        changed = training.model_copy(update={"doing": doing, "progress": round(progress, 3)})
        await self._database.run(store.keep_training, job, changed)

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

    async def _write_events(self, recommender: Recommender, rows: dict[str, int], folder: Path) -> dict[str, int]:
        """The number that each user has in the files."""
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
        return users

    async def _write_lists(
        self, recommender: Recommender, rows: dict[str, int], users: dict[str, int], folder: Path
    ) -> None:
        """What was shown, and what was taken of it: by events that name the list, or by feedback that people accepted."""
        newest = await self._database.run(store.before_newest, recommender.id, most=MOST_LISTS)
        position: int | None = newest
        with (folder / "lists.jsonl").open("wb") as lines:
            while position is not None:
                said = await self._database.run(store.shown, recommender.id, after=position, most=_LISTS)
                position, shown = said
                for one in shown:
                    user = users.setdefault(one.user, len(users))
                    lines.write(orjson.dumps(_impressions(one, user, recommender, rows)) + b"\n")
                await asyncio.sleep(0)


def _impressions(one: store.ShownList, user: int, recommender: Recommender, rows: dict[str, int]) -> dict[str, Any]:
    """The list as the child reads it: places of items that are not there any more are left out."""
    weights, liked_from = recommender.weights, recommender.liked_from
    taken = {item for item, kind, value in one.events if weight_of(kind, value, weights, liked_from) > 0}
    taken |= one.praised
    places = [place for place in one.places if place.item in rows]
    return {
        "user": user,
        "at": one.at,
        "rows": [rows[place.item] for place in places],
        "positions": [place.position for place in places],
        "propensities": [place.propensity for place in places],
        "taken": [int(place.item in taken) for place in places],
    }


def _told(folder: Path) -> dict[str, Any] | None:
    """What the child says it is at."""
    with suppress(FileNotFoundError):
        told: dict[str, Any] = orjson.loads((folder / "progress.json").read_bytes())
        return told
    return None


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
