"""/v1/model_aliases, our addition: names of the project's own that lead to models, and can be moved and moved back."""

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.app import App
from zhuli.learning.jobs.aliases import Aliases
from zhuli.server.json_route import JsonRoute
from zhuli.server.parameters import Json, TheActor, TheApp
from zhuli.store.learning import tuned_models
from zhuli.types.learning.model_alias import Alias, AliasList, AliasMoveTo
from zhuli.types.page import Deleted

router = APIRouter(prefix="/v1/model_aliases", tags=["Model aliases"], route_class=JsonRoute, strict_content_type=False)


@router.get("", response_model=AliasList)
async def list_aliases(app: TheApp, actor: TheActor) -> Response:
    return Json(AliasList(data=await app.database.run(tuned_models.aliases_of, actor.project)))


@router.get("/{alias}", response_model=Alias)
async def get_alias(alias: str, app: TheApp, actor: TheActor) -> Response:
    return Json(await app.database.run(tuned_models.alias, actor.project, alias))


@router.put("/{alias}", response_model=Alias)
async def move_alias(alias: str, body: AliasMoveTo, app: TheApp, actor: TheActor) -> Response:
    return Json(await _aliases(app).move(actor.project, alias, body.model))


@router.post("/{alias}/rollback", response_model=Alias)
async def roll_alias_back(alias: str, app: TheApp, actor: TheActor) -> Response:
    return Json(await _aliases(app).roll_back(actor.project, alias))


@router.delete("/{alias}", response_model=Deleted)
async def delete_alias(alias: str, app: TheApp, actor: TheActor) -> Response:
    await _aliases(app).give_up(actor.project, alias)
    return Json(Deleted(id=alias, object="model_alias.deleted"))


def _aliases(app: App) -> Aliases:
    return Aliases(app.database, app.catalog, app.clock)
