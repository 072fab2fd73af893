"""Lists for users: what is in memory follows the items, a history is read with each request, and what was shown is kept."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from zhuli.applications.recommender import folders
from zhuli.applications.recommender.history import weight_of
from zhuli.core.clock import Clock
from zhuli.core.errors import NotFound, ServerFault
from zhuli.core.ids import new_id
from zhuli.models.catalog import Catalog
from zhuli.ports import Embedder
from zhuli.store.applications import recommender as store
from zhuli.store.database import Database
from zhuli.types.applications.recommender import (
    Because,
    Item,
    Recommendation,
    Recommendations,
    RecommendationsCreate,
    Recommender,
    Similar,
    SimilarCreate,
    SimilarItem,
)

if TYPE_CHECKING:
    from zhuli.applications.recommender.live import Live
    from zhuli.applications.recommender.method.lists import Placed
    from zhuli.applications.recommender.recommending import Made

_SEEN = 1_000
"""Newest events of a user that are read: what they know, and the newest of them their history."""

_ROWS = 200
"""Changed items that are taken in without a pause."""

_OPEN = 8
"""Recommenders that are kept in memory."""

_DID = {"view": "looked at", "click": "clicked on", "buy": "bought", "rate": "rated", "share": "shared"}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request finds in the database. events: newest first."""

    recommender: Recommender
    last_change: int
    events: list[Any]


class Serving:
    """Made once."""

    def __init__(self, database: Database, catalog: Catalog, clock: Clock, data_dir: Path) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock
        self._data_dir = data_dir
        self._live: OrderedDict[tuple[str, str | None], Live] = OrderedDict()
        self._locks: dict[str, asyncio.Lock] = {}

    async def recommend(self, project: str, recommender: str, body: RecommendationsCreate) -> Recommendations:
        """The list, which is kept. NotFound."""
        asked = await self._database.run(self._look, project, recommender, body)
        live = await self._up_to_date(asked.recommender, asked.last_change)
        id_ = new_id("rlist")
        moment = self._clock.now() if body.at is None else body.at
        made = await asyncio.to_thread(_made, live, asked, body, id_, moment)
        return await self._database.run(self._keep, project, asked, live, body, id_, made)

    def _look(self, connection: Connection, project: str, recommender: str, body: RecommendationsCreate) -> _Asked:
        found = store.get(connection, project, recommender)
        events = store.history(connection, recommender, body.user, most=_SEEN, until=body.at)
        return _Asked(found, store.last_change(connection, recommender), events)

    def _keep(
        self,
        connection: Connection,
        project: str,
        asked: _Asked,
        live: "Live",
        body: RecommendationsCreate,
        id_: str,
        made: "Made",
    ) -> Recommendations:
        named = {live.ids[one.row] for one in made.placed} | {live.ids[one.row] for one in made.reasons.values()}
        items = store.items_named(connection, asked.recommender.id, named)
        kinds = {event.item_id: event.kind for event in reversed(asked.events)}
        known = sum(_weight(asked.recommender, event) > 0 for event in asked.events)
        shown = Recommendations(
            id=id_,
            created_at=int(self._clock.now()),
            recommender_id=asked.recommender.id,
            model=asked.recommender.model,
            user=body.user,
            known=known,
            data=[
                _shown(live, place, one, made, items, kinds, explain=body.explain)
                for place, one in enumerate(made.placed)
                if live.ids[one.row] in items
            ],
        )
        ways = None if body.compare is None else (body.compare.a, body.compare.b)
        store.keep_list(connection, project, shown, ways=ways)
        return shown

    async def similar(self, project: str, recommender: str, body: SimilarCreate) -> Similar:
        """Items like an item, or like a text. NotFound."""
        found = await self._database.run(store.get, project, recommender)
        live = await self._up_to_date(found, await self._database.run(store.last_change, recommender))
        if body.item is not None:
            await self._database.run(store.item, project, recommender, body.item)
        vector = None if body.text is None else await self._embedder(found).embed([body.text], "query")
        by, rows = await asyncio.to_thread(_similar, live, body, None if vector is None else vector.data)
        items = await self._database.run(store.items_named, recommender, [live.ids[row] for row, _ in rows])
        data = [
            SimilarItem(item=live.ids[row], text=items[live.ids[row]].text, score=score)
            for row, score in rows
            if live.ids[row] in items
        ]
        return Similar.model_validate({"by": by, "data": data})

    def _embedder(self, recommender: Recommender) -> Embedder:
        entry = self._catalog.resolve_embedder(recommender.embedder)
        if entry is None:
            raise ServerFault(f"The embedder '{recommender.embedder}' is not in the models file any more.")
        return entry.embedder

    async def _up_to_date(self, recommender: Recommender, last_change: int) -> "Live":
        """With all items up to this change, and the recommender's newest model."""
        lock = self._locks.setdefault(recommender.id, asyncio.Lock())
        async with lock:
            key = (recommender.id, recommender.model)
            live = self._live.get(key)
            if live is None:
                live = await self._opened(recommender)
            while live.position < last_change:
                changes = await self._database.run(store.changed_items, recommender.id, after=live.position, most=_ROWS)
                if not changes:
                    break
                live.apply(changes)
                await asyncio.sleep(0)
            self._remember(key, live)
            return live

    async def _opened(self, recommender: Recommender) -> "Live":
        folder = None
        if recommender.model is not None:
            folder = folders.of_training(self._data_dir, recommender.id, recommender.model)
        dimensions = self._embedder(recommender).dimensions
        return await asyncio.to_thread(_open, folder, dimensions)

    def _remember(self, key: tuple[str, str | None], live: "Live") -> None:
        """The newest model of the recommender, and only so many recommenders."""
        for old in [old for old in self._live if old[0] == key[0] and old != key]:
            del self._live[old]
        self._live[key] = live
        self._live.move_to_end(key)
        while len(self._live) > _OPEN:
            self._live.popitem(last=False)


def _open(folder: Path | None, dimensions: int) -> "Live":
    from threadpoolctl import threadpool_limits

    from zhuli.applications.recommender.live import Live

    # From now on in this process: a list is many small products, on which the threads of BLAS only wait for each other.
    threadpool_limits(1, user_api="blas")
    return Live.open(folder, dimensions)


def _weight(recommender: Recommender, event: Any) -> float:
    return weight_of(event.kind, event.value, recommender.weights, recommender.liked_from)


def _made(live: "Live", asked: _Asked, body: RecommendationsCreate, seed: str, moment: float) -> "Made":
    import numpy as np

    from zhuli.applications.recommender.method.scoring import MOST_HISTORY, History
    from zhuli.applications.recommender.recommending import recommend

    known = [(live.rows[event.item_id], event) for event in reversed(asked.events) if event.item_id in live.rows]
    liked = [(row, weight) for row, event in known if (weight := _weight(asked.recommender, event)) > 0]
    newest = liked[-MOST_HISTORY:]
    history = History(
        np.array([row for row, _ in newest], np.int64),
        np.array([weight for _, weight in newest], np.float32),
        moment,
        asked.events[0].at if asked.events else float("nan"),
    )
    seen = np.array(sorted({row for row, _ in known}), np.int64)
    return recommend(live, history, seen, body, seed=int.from_bytes(seed.encode()[-8:]))


def _similar(live: "Live", body: SimilarCreate, vector: bytes | None) -> tuple[str, list[tuple[int, float]]]:
    import numpy as np

    from zhuli.applications.recommender.recommending import similar

    if vector is not None:
        return similar(live, None, np.frombuffer(vector, "<f4"), most=body.limit)
    row = live.rows.get(body.item or "")
    if row is None:
        raise NotFound(f"No item found with id '{body.item}' in the recommender.")
    return similar(live, row, live.parts().items.texts[row], most=body.limit)


def _shown(
    live: "Live",
    place: int,
    one: "Placed",
    made: "Made",
    items: dict[str, Item],
    kinds: dict[str, Any],
    *,
    explain: bool,
) -> Recommendation:
    id_, reason, because = live.ids[one.row], made.reasons.get(one.row), None
    if reason is not None:
        cause = live.ids[reason.row]
        text = items[cause].text if cause in items else ""
        because = Because(item=cause, kind=kinds.get(cause, "view"), text=text, change=reason.change)
    return Recommendation.model_validate(
        {
            "item": id_,
            "text": items[id_].text,
            "score": one.score,
            "position": place,
            "propensity": one.propensity,
            "source": one.source,
            "because": because,
            "why": _why(because) if explain else None,
        }
    )


def _why(because: Because | None) -> str:
    """In words; where nothing of the history speaks for it, that is said."""
    if because is None:
        return "Others have liked it lately; nothing of your history speaks for it."
    return f"Because you {_DID[because.kind]} “{because.text[:80]}”."
