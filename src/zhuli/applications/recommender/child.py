"""The program that trains beside the server: `child FOLDER`. What it reads and what it makes are files of the folder.

It knows no database. One that is killed has done nothing.
"""

import resource
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from zhuli.applications.recommender.method import fitting, model, ranking
from zhuli.applications.recommender.method.impressions import Shown
from zhuli.applications.recommender.method.items import Items, category_names, logs, shares, years
from zhuli.core.errors import InvalidRequest, ZhuliError

ITEMS, USERS, ROWS, WEIGHTS, TIMES, TEXTS = "items.jsonl", "users.i8", "rows.i8", "weights.f4", "times.f8", "texts.f2"
"""What the server writes: an item a line; of each event its user, its item's row, its weight, its time; texts' vectors."""

LISTS = "lists.jsonl"
"""A list that was shown a line."""

MODEL = "model"
"""The folder of what was made."""


def main() -> None:
    """Do what the folder asks."""
    folder = Path(sys.argv[1])
    request = orjson.loads((folder / "request.json").read_bytes())
    try:
        answer: dict[str, Any] = {"result": train(folder, request)}
    except ZhuliError as error:
        answer = {"error": error.message}
    answer["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    (folder / "result.json").write_bytes(orjson.dumps(answer))


def train(folder: Path, request: dict[str, Any]) -> dict[str, float | int | str | None]:
    """The report of a training whose model lies in the folder afterwards."""
    events = _events(folder)
    if not len(events):
        raise InvalidRequest("There are no events to learn from, of items that are here. Send some first.")
    about, items = _items(folder, request)
    options = fitting.Options(seed=request["seed"])
    told = partial(_tell, folder)
    told("parts", 0.0)
    made, tower = fitting.parts(events, items, options)
    (folder / MODEL).mkdir()
    model.save(folder / MODEL, made, tower, about)
    learned = fitting.ranker(events, items, options, lists=_lists(folder), told=told)
    if learned.booster is not None:
        ranking.save(learned.booster, folder / MODEL / model.RANKER)
    return learned.report | {"items": len(items), "users": len(np.unique(events.users))}


def _tell(folder: Path, doing: str, share: float) -> None:
    """What is done now, and how much of the whole is done; what looks meanwhile finds all of a note or none."""
    note = folder / "progress.new"
    note.write_bytes(orjson.dumps({"doing": doing, "share": share}))
    note.rename(folder / "progress.json")


def _items(folder: Path, request: dict[str, Any]) -> tuple[model.About, Items]:
    with (folder / ITEMS).open("rb") as lines:
        rows = [orjson.loads(line) for line in lines]
    names = category_names([row["categories"] for row in rows])
    texts = np.fromfile(folder / TEXTS, "<f2").astype(np.float32).reshape(len(rows), -1)
    items = Items(
        texts,
        shares([row["categories"] for row in rows], names),
        logs([row["price"] for row in rows]),
        years([row["published_at"] for row in rows]),
    )
    return model.About([row["id"] for row in rows], names, request["position"]), items


def _lists(folder: Path) -> list[Shown]:
    with (folder / LISTS).open("rb") as lines:
        return [_shown(orjson.loads(line)) for line in lines]


def _shown(said: dict[str, Any]) -> Shown:
    rows, positions, taken = (np.array(said[name], np.int64) for name in ("rows", "positions", "taken"))
    return Shown(said["user"], said["at"], rows, positions, np.array(said["propensities"], np.float32), taken)


def _events(folder: Path) -> fitting.Events:
    users, rows = np.fromfile(folder / USERS, "<i8"), np.fromfile(folder / ROWS, "<i8")
    weights, at = np.fromfile(folder / WEIGHTS, "<f4"), np.fromfile(folder / TIMES, "<f8")
    order = np.lexsort((np.arange(len(users)), at, users))
    return fitting.Events(users[order], rows[order], weights[order], at[order])


if __name__ == "__main__":
    main()
