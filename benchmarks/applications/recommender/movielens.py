"""MovieLens' small data set from a folder of the reader's own (licence: research; not copied here), as a recommender sees it."""

import asyncio
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from zhuli.applications.recommender.method.fitting import Events
from zhuli.applications.recommender.method.items import Items, category_names, logs, shares, years
from zhuli.models.catalog import Catalog

_YEAR = re.compile(r"\((\d{4})\)\s*$")


@dataclass(frozen=True, slots=True)
class Movies:
    """rows: as POST …/items takes them, in the order of the items; events: by user, in the order of time."""

    rows: list[dict[str, Any]]
    events: Events


def read(folder: Path) -> Movies:
    """movies.csv and ratings.csv, with the column names of either release."""
    rows = [_item(row) for row in _csv(folder / "movies.csv")]
    places = {row["id"]: place for place, row in enumerate(rows)}
    ratings = list(_csv(folder / "ratings.csv"))
    users = np.array([int(row["userid"]) for row in ratings], np.int64)
    items = np.array([places[row["movieid"]] for row in ratings], np.int64)
    at = np.array([float(row["timestamp"]) for row in ratings])
    order = np.lexsort((np.arange(len(users)), at, users))
    users = np.unique(users, return_inverse=True)[1]
    return Movies(rows, Events(users[order], items[order], np.ones(len(users), np.float32), at[order]))


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return [{name.lower(): value for name, value in row.items()} for row in csv.DictReader(lines)]


def _item(row: dict[str, str]) -> dict[str, Any]:
    genres = [genre for genre in row["genres"].split("|") if genre != "(no genres listed)"]
    year = _YEAR.search(row["title"])
    published = datetime(int(year.group(1)), 7, 1, tzinfo=UTC).timestamp() if year else None
    text = f"{row['title']}. {', '.join(genres)}"
    return {"id": row["movieid"], "text": text, "categories": genres, "published_at": published}


def items_of(rows: Sequence[dict[str, Any]], embedder: str, kept: Path) -> Items:
    """With vectors by a packaged embedder, kept in a folder for the next time."""
    path = kept / f"vectors-{embedder}-{len(rows)}.npy"
    if not path.exists():
        kept.mkdir(parents=True, exist_ok=True)
        np.save(path, asyncio.run(_embedded([row["text"] for row in rows], embedder, kept)))
    names = category_names([row["categories"] for row in rows])
    return Items(
        np.load(path).astype(np.float32),
        shares([row["categories"] for row in rows], names),
        logs([row.get("price") for row in rows]),
        years([row["published_at"] for row in rows]),
    )


async def _embedded(texts: Sequence[str], name: str, data_dir: Path) -> "np.typing.NDArray[np.float32]":
    catalog = Catalog.load(None, data_dir)
    entry = catalog.resolve_embedder(name)
    assert entry is not None
    pieces = []
    for start in range(0, len(texts), 64):
        vectors = await entry.embedder.embed(texts[start : start + 64], "passage")
        pieces.append(np.frombuffer(vectors.data, "<f4").reshape(-1, vectors.dimensions))
    await catalog.aclose()
    return np.concatenate(pieces)
