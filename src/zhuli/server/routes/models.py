"""/v1/models: what the models file offers, models and embedders."""

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.models.catalog import Catalog
from zhuli.server.json_route import JsonRoute
from zhuli.server.parameters import Json, TheApp
from zhuli.types.model import Model, ModelList

router = APIRouter(prefix="/v1/models", tags=["Models"], route_class=JsonRoute, strict_content_type=False)


@router.get("", response_model=ModelList)
async def list_models(app: TheApp) -> Response:
    names = [*app.catalog.names(), *app.catalog.embedder_names()]
    return Json(ModelList(data=[_model(app.catalog, name) for name in names]))


@router.get("/{model:path}", response_model=Model)
async def get_model(model: str, app: TheApp) -> Response:
    return Json(_model(app.catalog, model))


def _model(catalog: Catalog, name: str) -> Model:
    entry = catalog.resolve(name) or catalog.resolve_embedder(name)
    if entry is None:
        raise catalog.not_found(name)
    return Model(id=name, created=entry.created, owned_by=entry.owned_by)
