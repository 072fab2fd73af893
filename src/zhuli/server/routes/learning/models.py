"""/v1/models: what the models file offers, models and embedders, and what the project has tuned; ours: exporting them."""

from typing import Literal

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from zhuli.app import App
from zhuli.core.errors import InvalidRequest
from zhuli.learning.jobs import exporting
from zhuli.learning.jobs.telling import places
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp
from zhuli.store.learning import tuned_models
from zhuli.store.learning.tuned_models import TunedModel
from zhuli.types.models.model import Model, ModelList
from zhuli.types.page import Deleted

router = APIRouter(prefix="/v1/models", tags=["Models"], route_class=JsonRoute, strict_content_type=False)


@router.get("", response_model=ModelList)
async def list_models(app: TheApp, actor: TheActor) -> Response:
    """The models and aliases that may be asked for."""
    catalog, project = app.catalog, actor.project
    await app.database.run(catalog.tuned.read)
    names = dict.fromkeys([*catalog.names(), *catalog.embedder_names(), *catalog.tuned.names(project)])
    return Json(ModelList(data=[_model(app, project, name) for name in names]))


@router.get("/{model:path}/export", response_class=Response)
async def export_model(
    model: str, app: TheApp, actor: TheActor, format: Literal["folder", "gguf", "safetensors"] = "folder"
) -> Response:
    """A tuned model as one download."""
    found = await _tuned(app, actor.project, model)
    hidden = places(app.settings.data_dir, app.settings.models)
    folder = app.catalog.tuned.data_dir / found.folder
    export = exporting.export_of(found, folder, format=format, hidden=hidden)
    headers = {"content-disposition": f'attachment; filename="{export.filename}"'}
    return StreamingResponse(export.pieces(), media_type="application/octet-stream", headers=headers)


@router.get("/{model:path}", response_model=Model)
async def get_model(model: str, app: TheApp, actor: TheActor) -> Response:
    """One model that may be asked for."""
    await app.database.run(app.catalog.tuned.read)
    return Json(_model(app, actor.project, model))


@router.delete("/{model:path}", response_model=Deleted)
async def delete_model(model: str, app: TheApp, actor: TheActor) -> Response:
    """Delete a tuned model."""
    found = await _tuned(app, actor.project, model)
    await app.database.run(tuned_models.remove, actor.project, found.name)
    await app.database.run(app.catalog.tuned.read)
    return Json(Deleted(id=found.name, object="model"))


async def _tuned(app: App, project: str, name: str) -> TunedModel:
    """A tuned model under its own name."""
    found = await app.database.run(tuned_models.find, project, name)
    if found is None:
        model = _model(app, project, name)
        what = f"is an alias of '{model.leads_to}'" if model.leads_to else "was not tuned or imported here"
        text = f"The model '{name}' {what}; only tuned models, under their own names, can be deleted or exported."
        raise InvalidRequest(text, param="model")
    return found


def _model(app: App, project: str, name: str) -> Model:
    catalog = app.catalog
    leads_to = catalog.tuned.target(name, project)
    if (tuned := catalog.tuned.model(name, project)) is not None:
        return Model(
            id=name,
            created=tuned.created_at,
            owned_by=tuned.project,
            base=tuned.base,
            task=tuned.task,
            job=tuned.job,
            leads_to=None if leads_to == name else leads_to,
        )
    entry = catalog.resolve(name, project) or catalog.resolve_embedder(name)
    if entry is None:
        raise catalog.not_found(name, project)
    return Model(
        id=name,
        created=entry.created,
        owned_by=entry.owned_by,
        leads_to=None if leads_to == name else leads_to,
    )
