"""What clients do to recommenders: make them, send items and events, have them trained."""

from collections.abc import Sequence

from sqlalchemy import Connection

from zhuli.applications.recommender.crediting import credited
from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest
from zhuli.core.ids import new_id
from zhuli.models.catalog import Catalog
from zhuli.store.applications import recommender as store
from zhuli.store.database import Database
from zhuli.types.applications.recommender import (
    ComparisonReport,
    EventCreate,
    EventList,
    EventsCreate,
    EventWeights,
    Fault,
    ItemList,
    ItemsCreate,
    Recommender,
    RecommenderCreate,
    Taken,
    Training,
    TrainingCreate,
    Way,
)


class RecommenderCommands:
    """Made once. NotFound for what the project has not; InvalidRequest names the parameter that can't be."""

    def __init__(self, database: Database, catalog: Catalog, clock: Clock) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock

    async def create(self, project: str, body: RecommenderCreate) -> Recommender:
        """A recommender without items."""
        name = body.embedder or self._catalog.default_embedder
        entry = self._catalog.resolve_embedder(name)
        if entry is None:
            known = ", ".join(self._catalog.embedder_names())
            raise InvalidRequest(
                f"There is no embedder '{name}'. Embedders here: {known}.", param="embedder", code="invalid_value"
            )
        made = Recommender(
            id=new_id("rec"),
            created_at=int(self._clock.now()),
            name=body.name,
            embedder=entry.name,
            weights=EventWeights.model_validate(body.weights),
            liked_from=body.liked_from,
            metadata=body.metadata or {},
        )
        return await self._database.run(store.create, project, made)

    async def put_items(self, project: str, recommender: str, body: ItemsCreate) -> Taken:
        """Items are there, or are as the request says now."""
        changed, same = await self._database.run(store.put_items, project, recommender, body.data)
        return Taken(added=changed, known=same)

    async def items(self, project: str, recommender: str, *, after: str, limit: int) -> ItemList:
        """A page of the items, in the order of their ids, behind one."""
        await self._database.run(store.get, project, recommender)
        found = await self._database.run(store.items_page, recommender, after=after, most=limit + 1)
        return ItemList(data=found[:limit], has_more=len(found) > limit)

    async def add_events(self, project: str, recommender: str, body: EventsCreate) -> Taken:
        """Events whose ids are new are in the log; what can't be taken is said, and the rest goes on."""
        return await self._database.run(self._add_events, project, recommender, body.data)

    def _add_events(
        self, connection: Connection, project: str, recommender: str, given: Sequence[EventCreate]
    ) -> Taken:
        store.get(connection, project, recommender)
        items = store.items_known(connection, recommender, {one.item for one in given})
        lists = store.lists_known(connection, recommender, {one.list for one in given if one.list is not None})
        good, faults = list[EventCreate](), list[Fault]()
        for index, one in enumerate(given):
            if one.item not in items:
                message = f"No item found with id '{one.item}'. Send the item first."
                faults.append(Fault(index=index, id=one.id, message=message))
            elif one.list is not None and one.list not in lists:
                message = f"No recommendations found with id '{one.list}'."
                faults.append(Fault(index=index, id=one.id, message=message))
            else:
                good.append(one)
        added = store.add_events(connection, recommender, good, now=self._clock.now())
        return Taken(added=added, known=len(good) - added, faults=faults)

    async def events(
        self, project: str, recommender: str, *, after: int, limit: int, user: str | None = None
    ) -> EventList:
        """A page of the log, behind a place; of one user, or of all."""
        await self._database.run(store.get, project, recommender)
        found = await self._database.run(store.log, recommender, after=after, most=limit + 1, user=user)
        return EventList(data=found[:limit], has_more=len(found) > limit)

    async def train(self, project: str, recommender: str, body: TrainingCreate) -> Training:
        """The training, which a worker does soon."""
        training = Training(
            id=new_id("rtr"), created_at=int(self._clock.now()), recommender_id=recommender, request=body
        )
        return await self._database.run(store.begin_training, project, training)

    async def compared(self, project: str, recommender: str, a: Way, b: Way) -> ComparisonReport:
        """How interleaved lists of these two ways fared."""
        await self._database.run(store.get, project, recommender)
        return credited(a, b, await self._database.run(store.compared, recommender, a, b))
