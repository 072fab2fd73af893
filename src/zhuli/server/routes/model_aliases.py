"""/v1/model_aliases, our addition: names of the project's own that lead to models, and can be moved and moved back."""

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from zhuli.app import App
from zhuli.core.errors import InvalidRequest
from zhuli.server.json_route import JsonRoute
from zhuli.server.parameters import Json, TheActor, TheApp
from zhuli.store import tuned_models
from zhuli.types.model_alias import Alias, AliasList, AliasMoveTo
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
    _check_alias(app, actor.project, alias)
    await app.database.run(app.catalog.tuned.read)
    return await _moved(app, actor.project, alias, body.model)


@router.post("/{alias}/rollback", response_model=Alias)
async def roll_alias_back(alias: str, app: TheApp, actor: TheActor) -> Response:
    found = await app.database.run(tuned_models.alias, actor.project, alias)
    before = next((move.model for move in found.moves if move.model != found.model), None)
    if before is None:
        raise InvalidRequest(
            f"The alias '{alias}' has led to '{found.model}' only. Move it: PUT /v1/model_aliases/{alias}.",
            param="alias",
        )
    return await _moved(app, actor.project, alias, before)


@router.delete("/{alias}", response_model=Deleted)
async def delete_alias(alias: str, app: TheApp, actor: TheActor) -> Response:
    await app.database.run(tuned_models.alias, actor.project, alias)
    await app.database.run(_move, actor.project, alias, None, now=app.clock.now())
    await app.database.run(app.catalog.tuned.read)
    return Json(Deleted(id=alias, object="model_alias.deleted"))


async def _moved(app: App, project: str, alias: str, model: str) -> Response:
    known = app.catalog.tuned.model(model, project) or app.catalog.entries.get(model)
    if known is None or (project, model) in app.catalog.tuned.aliases:
        raise InvalidRequest(
            f"An alias must lead to a model under its own name, and '{model}' is none. Models here: "
            f"{', '.join([*app.catalog.entries, *app.catalog.tuned.models_of(project)])}.",
            param="model",
            code="model_not_found",
        )
    await app.database.run(_move, project, alias, model, now=app.clock.now())
    await app.database.run(app.catalog.tuned.read)
    return Json(await app.database.run(tuned_models.alias, project, alias))


def _move(connection: Connection, project: str, alias: str, model: str | None, *, now: float) -> None:
    tuned_models.move_alias(connection, project, alias, model, now=now)


def _check_alias(app: App, project: str, alias: str) -> None:
    """A model's own name stays its own."""
    if alias in app.catalog.entries or alias in app.catalog.embedders or alias.startswith("ft:"):
        raise InvalidRequest(f"'{alias}' is the name of a model; choose another alias.", param="alias")
