"""/v1/recommenders, our addition: items, what users do with them, and lists that say what they stand on."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store import collections
from zhuli.store.applications import recommender as store
from zhuli.store.schema import recommender_trainings, recommenders
from zhuli.types.applications.recommender import (
    ComparisonReport,
    EventList,
    EventsCreate,
    Item,
    ItemList,
    ItemsCreate,
    Recommendations,
    RecommendationsCreate,
    Recommender,
    RecommenderCreate,
    Similar,
    SimilarCreate,
    Taken,
    Training,
    TrainingCreate,
    Way,
)
from zhuli.types.page import Deleted, Page

router = APIRouter(prefix="/v1/recommenders", tags=["Recommenders"], route_class=JsonRoute, strict_content_type=False)

After = Annotated[int, Query(ge=0, le=2**62)]
Limit = Annotated[int, Query(ge=1, le=100)]


@router.post("", response_model=Recommender)
async def create_recommender(body: RecommenderCreate, app: TheApp, actor: TheActor) -> Response:
    """A recommender without items."""
    return Json(await app.applications.recommender.commands.create(actor.project, body))


@router.get("", response_model=Page[Recommender])
async def list_recommenders(page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The project's recommenders."""
    return Json(await app.database.run(collections.page, recommenders, Recommender, actor.project, page))


@router.get("/{recommender_id}", response_model=Recommender)
async def get_recommender(recommender_id: str, app: TheApp, actor: TheActor) -> Response:
    """One recommender."""
    return Json(await app.database.run(store.get, actor.project, recommender_id))


@router.delete("/{recommender_id}", response_model=Deleted)
async def delete_recommender(recommender_id: str, app: TheApp, actor: TheActor) -> Response:
    """It is gone with its items, events, lists and models."""
    await app.database.run(store.remove, actor.project, recommender_id)
    return Json(Deleted(id=recommender_id, object="recommender.deleted"))


@router.post("/{recommender_id}/items", response_model=Taken)
async def put_items(recommender_id: str, body: ItemsCreate, app: TheApp, actor: TheActor) -> Response:
    """Items that are new, or that replace those of the same ids."""
    return Json(await app.applications.recommender.commands.put_items(actor.project, recommender_id, body))


@router.get("/{recommender_id}/items", response_model=ItemList)
async def list_recommender_items(
    recommender_id: str,
    app: TheApp,
    actor: TheActor,
    after: Annotated[str, Query(max_length=128)] = "",
    limit: Limit = 20,
) -> Response:
    """The items, in the order of their ids, behind one."""
    commands = app.applications.recommender.commands
    return Json(await commands.items(actor.project, recommender_id, after=after, limit=limit))


@router.get("/{recommender_id}/items/{item_id}", response_model=Item)
async def get_recommender_item(recommender_id: str, item_id: str, app: TheApp, actor: TheActor) -> Response:
    """One item."""
    return Json(await app.database.run(store.item, actor.project, recommender_id, item_id))


@router.delete("/{recommender_id}/items/{item_id}", response_model=Deleted)
async def delete_item(recommender_id: str, item_id: str, app: TheApp, actor: TheActor) -> Response:
    """The item is in no list any more; events that name it stay in the log."""
    await app.database.run(store.remove_item, actor.project, recommender_id, item_id)
    return Json(Deleted(id=item_id, object="recommender.item.deleted"))


@router.post("/{recommender_id}/events", response_model=Taken)
async def add_events(recommender_id: str, body: EventsCreate, app: TheApp, actor: TheActor) -> Response:
    """What users did; each counts once, and in the next list."""
    return Json(await app.applications.recommender.commands.add_events(actor.project, recommender_id, body))


@router.get("/{recommender_id}/events", response_model=EventList)
async def list_recommender_events(
    recommender_id: str,
    app: TheApp,
    actor: TheActor,
    after: After = 0,
    limit: Limit = 20,
    user: Annotated[str | None, Query(max_length=256)] = None,
) -> Response:
    """The log, oldest first, behind a place; of one user, or of all."""
    commands = app.applications.recommender.commands
    return Json(await commands.events(actor.project, recommender_id, after=after, limit=limit, user=user))


@router.post("/{recommender_id}/recommendations", response_model=Recommendations)
async def recommend(recommender_id: str, body: RecommendationsCreate, app: TheApp, actor: TheActor) -> Response:
    """A list for a user, which is kept, so that events may say that they came of it."""
    return Json(await app.applications.recommender.serving.recommend(actor.project, recommender_id, body))


@router.post("/{recommender_id}/similar", response_model=Similar)
async def find_similar(recommender_id: str, body: SimilarCreate, app: TheApp, actor: TheActor) -> Response:
    """Items like an item, or like a text."""
    return Json(await app.applications.recommender.serving.similar(actor.project, recommender_id, body))


@router.get("/{recommender_id}/comparisons", response_model=ComparisonReport)
async def get_comparison(
    recommender_id: str, app: TheApp, actor: TheActor, a: Way = "ranked", b: Way = "popular"
) -> Response:
    """Which of two ways won more of the lists in which they were interleaved."""
    return Json(await app.applications.recommender.commands.compared(actor.project, recommender_id, a, b))


@router.post("/{recommender_id}/trainings", response_model=Training)
async def create_training(recommender_id: str, body: TrainingCreate, app: TheApp, actor: TheActor) -> Response:
    """Learn of all events up to now; what is made serves when it is there."""
    return Json(await app.applications.recommender.commands.train(actor.project, recommender_id, body))


@router.get("/{recommender_id}/trainings", response_model=Page[Training])
async def list_recommender_trainings(recommender_id: str, page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The trainings."""
    await app.database.run(store.get, actor.project, recommender_id)
    where = {"recommender_id": recommender_id}
    return Json(await app.database.run(collections.page, recommender_trainings, Training, actor.project, page, where))


@router.get("/{recommender_id}/trainings/{training_id}", response_model=Training)
async def get_training(recommender_id: str, training_id: str, app: TheApp, actor: TheActor) -> Response:
    """How a training is, and what was measured."""
    await app.database.run(store.get, actor.project, recommender_id)
    where = {"recommender_id": recommender_id}
    table = recommender_trainings
    return Json(await app.database.run(collections.get, table, Training, actor.project, training_id, where))
