"""/v1/assistants"""

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from zhuli.app import App
from zhuli.assistants.runs import attached
from zhuli.assistants.runs.new import assistant_of
from zhuli.server.answers import pages
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store import collections
from zhuli.store.schema import assistants
from zhuli.types.assistants.assistant import Assistant, AssistantCreate, AssistantModify
from zhuli.types.page import Deleted, Page

router = APIRouter(prefix="/v1/assistants", tags=["Assistants"], route_class=JsonRoute, strict_content_type=False)


@router.post("", response_model=Assistant)
async def create_assistant(body: AssistantCreate, app: TheApp, actor: TheActor) -> Response:
    """Make an assistant: a model, instructions, tools, and with `domain` what it understands."""
    await _check_model(app, actor.project, body.model)
    await app.assistants.tools.check(actor.project, body.tools)
    now, embedder = int(app.clock.now()), app.catalog.default_embedder
    return Json(await app.database.run(_create, actor.project, body, now=now, embedder=embedder))


@router.get("", response_model=Page[Assistant])
async def list_assistants(page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The assistants of the project, page by page."""
    places = await app.database.run(collections.places, assistants, actor.project, page)
    return await pages.page(app.database, places, Assistant)


@router.get("/{assistant_id}", response_model=Assistant)
async def get_assistant(assistant_id: str, app: TheApp, actor: TheActor) -> Response:
    """One assistant."""
    return Json(await app.database.run(collections.get, assistants, Assistant, actor.project, assistant_id))


@router.post("/{assistant_id}", response_model=Assistant)
async def modify_assistant(assistant_id: str, body: AssistantModify, app: TheApp, actor: TheActor) -> Response:
    """Change what is given; the rest stays."""
    if body.model is not None:
        await _check_model(app, actor.project, body.model)
    await app.assistants.tools.check(actor.project, body.tools)
    return Json(await app.database.run(_modify, actor.project, assistant_id, body))


@router.delete("/{assistant_id}", response_model=Deleted)
async def delete_assistant(assistant_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete an assistant; its threads and runs stay."""
    await app.database.run(collections.remove, assistants, actor.project, assistant_id)
    return Json(Deleted(id=assistant_id, object="assistant.deleted"))


async def _check_model(app: App, project: str, model: str) -> None:
    catalog = app.catalog
    if catalog.resolve(model, project) or await app.database.run(catalog.resolve_now, model, project):
        return
    raise catalog.unknown(model, project)


def _create(connection: Connection, project: str, body: AssistantCreate, *, now: int, embedder: str) -> Assistant:
    made = assistant_of(body, now)
    made = attached.with_new_store(connection, project, made, body.tool_resources, embedder=embedder, now=now)
    attached.check_resources(connection, project, made.tool_resources, owner=made.id)
    attached.check_domain(connection, project, made.domain)
    collections.insert(connection, assistants, project, made)
    return made


def _modify(connection: Connection, project: str, assistant_id: str, body: AssistantModify) -> Assistant:
    """Each given field overwrites; null puts back what a new assistant has."""
    assistant = collections.get(connection, assistants, Assistant, project, assistant_id)
    fresh = Assistant(id=assistant.id, created_at=assistant.created_at, model=assistant.model)
    given = {name: getattr(fresh if getattr(body, name) is None else body, name) for name in body.model_fields_set}
    attached.check_resources(connection, project, body.tool_resources, owner=assistant_id)
    attached.check_domain(connection, project, body.domain)
    modified = assistant.model_copy(update=given)
    collections.replace(connection, assistants, modified)
    return modified
