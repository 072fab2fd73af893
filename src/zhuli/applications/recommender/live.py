"""A recommender's items and newest model in memory: items that came since the training have rows behind the model's.

Rows are written in place and arrays grow by copies, so that a request that is at work keeps the arrays that it began with.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from zhuli.applications.recommender.method import model as models
from zhuli.applications.recommender.method.interest import unit
from zhuli.applications.recommender.method.item_to_item import Dense, Lists
from zhuli.applications.recommender.method.items import Items, shares, years
from zhuli.applications.recommender.method.ranking import Ranker
from zhuli.applications.recommender.method.scoring import TREND_DAYS, Parts

_ROOM = 1_000
"""Rows for items that come later, at least."""


class Live:
    """Made once for a recommender and a model; apply() follows the items."""

    def __init__(self, model: models.Model | None, ranker: Ranker | None, dimensions: int) -> None:
        """dimensions: of texts' vectors. Without a model there are no rows yet."""
        self._model = model
        self.ranker = ranker
        self.position = 0
        self.ids: list[str] = list(model.about.ids) if model else []
        self.rows = {id_: row for row, id_ in enumerate(self.ids)}
        self.names = model.about.categories if model else []
        self.of_category: dict[str, set[int]] = {}
        self._categories: dict[int, list[str]] = {}
        self._arrays = _arrays(model, dimensions, len(self.ids) + max(_ROOM, len(self.ids) // 10))

    @classmethod
    def open(cls, folder: Path | None, dimensions: int) -> "Live":
        """With the model in the folder; None, and where an earlier version of zhuli made it: without one."""
        if folder is None or not folder.exists():
            return cls(None, None, dimensions)
        trees, model = folder / models.RANKER, models.load(folder)
        return cls(model, Ranker(trees) if model is not None and trees.exists() else None, dimensions)

    @property
    def trained(self) -> bool:
        """Whether there is a model at all."""
        return self._model is not None

    def apply(self, changes: Sequence[Any]) -> None:
        """Rows of items as the store gives them, in order: seq, item_id, body, vector."""
        for change in changes:
            self.position = change.seq
            row = self.rows.get(change.item_id)
            if row is None:
                row = self.rows[change.item_id] = len(self.ids)
                self.ids.append(change.item_id)
                self._grow()
            self._arrays["gone"][row] = change.body is None
            if change.body is not None:
                self._write(row, orjson.loads(change.body), change.vector)

    def _grow(self) -> None:
        if len(self.ids) <= len(self._arrays["gone"]):
            return
        for name, array in self._arrays.items():
            unknown = np.nan if name in _UNKNOWN else 0
            more = np.full((max(_ROOM, len(array) // 4), *array.shape[1:]), unknown, array.dtype)
            self._arrays[name] = np.concatenate([array, more])

    def _write(self, row: int, item: dict[str, Any], vector: bytes | None) -> None:
        arrays = self._arrays
        for name in self._categories.get(row, ()):
            self.of_category[name].discard(row)
        self._categories[row] = item["categories"]
        for name in item["categories"]:
            self.of_category.setdefault(name, set()).add(row)
        arrays["categories"][row] = shares([item["categories"]], self.names)[0]
        price = item["price"]
        arrays["prices"][row] = np.nan if price is None else np.log1p(price)
        arrays["published"][row] = years([item["published_at"]])[0]
        if vector is not None:
            text = np.frombuffer(vector, "<f2").astype(np.float32)
            arrays["texts"][row] = text
            if self._model is None:
                arrays["past"][row] = arrays["coming"][row] = unit(text)
            elif row >= self._known:
                own = Items(*(arrays[name][row : row + 1] for name in ("texts", "categories", "prices", "published")))
                arrays["past"][row] = self._model.tower.as_past(own.features)[0]
                arrays["coming"][row] = self._model.tower.as_next(own.features)[0]

    @property
    def _known(self) -> int:
        return len(self._model.about.ids) if self._model else 0

    def parts(self) -> Parts:
        """Everything of the items there are now."""
        count, arrays, model = len(self.ids), self._arrays, self._model
        items = Items(*(arrays[name][:count] for name in ("texts", "categories", "prices", "published")))
        known = [arrays[name][:count] for name in _OF_ITEMS]
        if model is None:
            return Parts(items, _NO_DENSE, _NO_LISTS, _NO_LISTS, *known)
        made = model.parts
        return Parts(items, made.ease, made.cosine, made.following, *known)

    def gone(self) -> NDArray[np.bool_]:
        """Of each row, whether its item was removed."""
        return self._arrays["gone"][: len(self.ids)]


_OF_ITEMS = ("past", "coming", "popularity", "trends", "first")
"""The arrays of Parts with a row an item, in its order."""

_UNKNOWN = ("prices", "published", "first")
"""Arrays that are nan until something is known."""

_NO_DENSE = Dense(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 0), np.float32))
_NO_LISTS = Lists(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))


def _arrays(model: models.Model | None, dimensions: int, room: int) -> dict[str, NDArray[Any]]:
    """With the model's rows at the beginning."""
    width = model.parts.coming.shape[1] if model else dimensions
    categories = len(model.about.categories) if model else 0
    arrays: dict[str, NDArray[Any]] = {
        "texts": np.zeros((room, dimensions), np.float16),
        "categories": np.zeros((room, categories), np.float32),
        "prices": np.full(room, np.nan, np.float32),
        "published": np.full(room, np.nan, np.float32),
        "past": np.zeros((room, width), np.float32),
        "coming": np.zeros((room, width), np.float32),
        "popularity": np.zeros(room, np.float32),
        "trends": np.zeros((room, len(TREND_DAYS)), np.float32),
        "first": np.full(room, np.nan, np.float32),
        "gone": np.zeros(room, bool),
    }
    if model is not None:
        made, count = model.parts, len(model.about.ids)
        items = made.items
        for name, array in (
            *((name, getattr(items, name)) for name in ("texts", "categories", "prices", "published")),
            *((name, getattr(made, name)) for name in _OF_ITEMS),
        ):
            arrays[name][:count] = array
    return arrays
