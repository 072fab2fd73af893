"""A training's model as a folder: arrays that are mapped into memory, the trees, and which item has which row."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from zhuli.applications.recommender.method.interest import Tower
from zhuli.applications.recommender.method.item_to_item import Dense, Lists
from zhuli.applications.recommender.method.items import Items
from zhuli.applications.recommender.method.scoring import FEATURES, Parts

RANKER, ABOUT = "ranker.txt", "about.json"
"""LightGBM's trees, if there were events enough; the items' ids in the order of their rows, and the categories' names."""


@dataclass(frozen=True, slots=True)
class About:
    """ids: of the rows. categories: of the columns. position: the last change of an item that was seen."""

    ids: list[str]
    categories: list[str]
    position: int


@dataclass(frozen=True, slots=True)
class Model:
    """A folder, opened."""

    about: About
    parts: Parts
    tower: Tower


def save(folder: Path, parts: Parts, tower: Tower, about: About) -> None:
    """All but the ranker."""
    arrays: dict[str, NDArray[Any]] = {
        "texts": parts.items.texts.astype(np.float16),
        "categories": parts.items.categories,
        "prices": parts.items.prices,
        "published": parts.items.published,
        "ease_chosen": parts.ease.chosen,
        "ease_places": parts.ease.places,
        "ease_weights": parts.ease.weights,
        "tower_past": tower.past,
        "tower_next": tower.next,
        "past": parts.past,
        "coming": parts.coming,
        "popularity": parts.popularity,
        "trends": parts.trends,
        "first": parts.first,
    }
    for name, lists in (("cosine", parts.cosine), ("following", parts.following)):
        arrays |= {f"{name}_starts": lists.starts, f"{name}_columns": lists.columns, f"{name}_weights": lists.weights}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    said = {"ids": about.ids, "categories": about.categories, "position": about.position, "features": FEATURES}
    (folder / ABOUT).write_bytes(orjson.dumps(said))


def load(folder: Path) -> Model | None:
    """What save() wrote; arrays are mapped, and read as they are needed. None of one whose features are not today's."""
    said = orjson.loads((folder / ABOUT).read_bytes())
    if said.get("features") != list(FEATURES):
        return None
    about = About(said["ids"], said["categories"], said["position"])

    def array(name: str) -> NDArray[Any]:
        found: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        return found

    def lists(name: str) -> Lists:
        return Lists(array(f"{name}_starts"), array(f"{name}_columns"), array(f"{name}_weights"))

    items = Items(array("texts"), array("categories"), array("prices"), array("published"))
    parts = Parts(
        items,
        Dense(array("ease_chosen"), array("ease_places"), array("ease_weights")),
        lists("cosine"),
        lists("following"),
        array("past"),
        array("coming"),
        array("popularity"),
        array("trends"),
        array("first"),
    )
    return Model(about, parts, Tower(array("tower_past"), array("tower_next")))
