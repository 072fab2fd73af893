"""/v1/vector_stores; `embedder` on create is our addition. Files, batches and searching have routes of their own."""

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.app import App
from zhuli.core.errors import InvalidRequest
from zhuli.server.polling import polled
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store.knowledge import vector_stores
from zhuli.types.knowledge.vector_store import VectorStore, VectorStoreCreate, VectorStoreModify
from zhuli.types.page import Deleted, Page

router = APIRouter(prefix="/v1/vector_stores", tags=["Vector stores"], route_class=JsonRoute, strict_content_type=False)


@router.post("", response_model=VectorStore)
async def create_vector_store(app: TheApp, actor: TheActor, body: VectorStoreCreate | None = None) -> Response:
    """Make a vector store, with files if there are some."""
    body = body or VectorStoreCreate()
    embedder, now = _embedder(app, body.embedder), int(app.clock.now())
    return _shown(app, await app.database.run(vector_stores.create, actor.project, body, embedder=embedder, now=now))


@router.get("", response_model=Page[VectorStore])
async def list_vector_stores(page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The vector stores of the project, page by page."""
    return Json(await app.database.run(vector_stores.page, actor.project, page, now=int(app.clock.now())))


@router.get("/{vector_store_id}", response_model=VectorStore)
async def get_vector_store(vector_store_id: str, app: TheApp, actor: TheActor) -> Response:
    """One vector store."""
    now = int(app.clock.now())
    return _shown(app, await app.database.run(vector_stores.view, actor.project, vector_store_id, now=now))


@router.post("/{vector_store_id}", response_model=VectorStore)
async def modify_vector_store(
    vector_store_id: str, app: TheApp, actor: TheActor, body: VectorStoreModify | None = None
) -> Response:
    """Change name, expiry and metadata."""
    body, now = body or VectorStoreModify(), int(app.clock.now())
    return _shown(app, await app.database.run(vector_stores.modify, actor.project, vector_store_id, body, now=now))


@router.delete("/{vector_store_id}", response_model=Deleted)
async def delete_vector_store(vector_store_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete a vector store; the files stay."""
    await app.database.run(vector_stores.remove, actor.project, vector_store_id)
    return Json(Deleted(id=vector_store_id, object="vector_store.deleted"))


def _embedder(app: App, asked: str | None) -> str:
    """The name of the embedder of a new store."""
    found = app.catalog.resolve_embedder(asked or app.catalog.default_embedder)
    if found is None:
        raise InvalidRequest(
            f"There is no embedder '{asked}'. Embedders here: {', '.join(app.catalog.embedder_names())}.",
            param="embedder",
            code="invalid_value",
        )
    return found.name


def _shown(app: App, store: VectorStore) -> Response:
    return polled(app, store, since=store.last_active_at or store.created_at, waiting=store.file_counts.in_progress)
