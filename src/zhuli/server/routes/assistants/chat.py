"""/v1/chat/completions: the models without threads, and the answers that clients had stored (store: true)."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from zhuli.app import App
from zhuli.core import sticky
from zhuli.core.errors import InvalidRequest
from zhuli.models.catalog import Entry
from zhuli.server.answers import pages
from zhuli.server.answers.stream import EventStream
from zhuli.server.completions.completing import Completing
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp
from zhuli.store import collections
from zhuli.store.assistants import chat_completions as stored
from zhuli.types.models.chat import ChatCompletion, ChatRequest
from zhuli.types.models.stored_chat import StoredMessage, StoredModify, stored_messages
from zhuli.types.page import Deleted, Order, Page, PageParams

router = APIRouter(prefix="/v1/chat/completions", tags=["Chat"], route_class=JsonRoute, strict_content_type=False)

Limit = Annotated[int, Query(ge=1, le=100)]

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "The answer, or its chunks with stream: true."}
}


@router.post("", response_model=ChatCompletion, responses=_STREAM)
async def create_chat_completion(body: ChatRequest, app: TheApp, actor: TheActor) -> Response:
    """Answer a chat, streamed or not, by any model that is served."""
    sticky.who.set(body.user or body.messages[0].model_dump_json())
    entry = await entry_of(app, actor.project, body.model)
    keep = partial(_store, app, actor.project, body) if body.store else None
    completing = Completing(entry, body, now=int(app.clock.now()), keep=keep)
    return EventStream(await completing.begun()) if body.stream else Json(await completing.whole())


@router.get("", response_model=Page[ChatCompletion])
async def list_chat_completions(
    request: Request,
    app: TheApp,
    actor: TheActor,
    model: str | None = None,
    limit: Limit = 20,
    order: Order = "asc",
    after: str | None = None,
) -> Response:
    """The stored chat completions, page by page."""
    params, wanted = PageParams(limit, order, after), _metadata(request)
    places = await app.database.run(stored.places, actor.project, params, model=model, metadata=wanted)
    return await pages.page(app.database, places, ChatCompletion)


@router.get("/{completion_id}", response_model=ChatCompletion)
async def get_chat_completion(completion_id: str, app: TheApp, actor: TheActor) -> Response:
    """A chat completion that was stored (`store: true`)."""
    return Json(await app.database.run(stored.get, actor.project, completion_id))


@router.post("/{completion_id}", response_model=ChatCompletion)
async def modify_chat_completion(completion_id: str, body: StoredModify, app: TheApp, actor: TheActor) -> Response:
    """Change the metadata of a stored chat completion."""
    return Json(await app.database.run(stored.modify, actor.project, completion_id, dict(body.metadata or {})))


@router.delete("/{completion_id}", response_model=Deleted)
async def delete_chat_completion(completion_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete a stored chat completion."""
    await app.database.run(stored.remove, actor.project, completion_id)
    return Json(Deleted(id=completion_id, object="chat.completion.deleted"))


@router.get("/{completion_id}/messages", response_model=Page[StoredMessage])
async def list_messages_of_chat_completion(
    completion_id: str,
    app: TheApp,
    actor: TheActor,
    limit: Limit = 20,
    order: Order = "asc",
    after: str | None = None,
) -> Response:
    """The messages that a stored chat completion was asked with."""
    given = await app.database.run(stored.messages, actor.project, completion_id)
    messages = stored_messages(completion_id, given)
    if order == "desc":
        messages.reverse()
    ids = [message.id for message in messages]
    if after is not None and after not in ids:
        raise InvalidRequest(f"No message found with id '{after}'.", param="after", code="invalid_value")
    rest = messages[0 if after is None else ids.index(after) + 1 :]
    return Json(collections.as_page(rest[:limit], has_more=len(rest) > limit))


async def entry_of(app: App, project: str, model: str) -> Entry:
    """The model of this name; NotFound names those that there are."""
    entry = app.catalog.resolve(model, project)
    if entry is None:
        entry = await app.database.run(app.catalog.resolve_now, model, project)
    if entry is None:
        raise app.catalog.not_found(model, project)
    return entry


async def _store(app: App, project: str, body: ChatRequest, completion: ChatCompletion) -> ChatCompletion:
    kept = completion.model_copy(update={"metadata": dict(body.metadata or {})})
    messages = [message.model_dump(mode="json", exclude_unset=True) for message in body.messages]
    return await app.database.run(stored.add, project, kept, messages, user=body.user)


def _metadata(request: Request) -> dict[str, str]:
    """What metadata[key]=value pairs ask for."""
    if "metadata" in request.query_params:
        raise InvalidRequest("Invalid 'metadata': give pairs as metadata[key]=value.", param="metadata")
    asked = request.query_params.items()
    return {key[9:-1]: value for key, value in asked if key.startswith("metadata[") and key.endswith("]")}
