"""/v1/vector_stores/{vector_store_id}/file_batches"""

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.app import App
from zhuli.server.polling import polled
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.server.routes.knowledge.vector_store_files import StatusFilter
from zhuli.store.knowledge import file_batches, vector_store_files
from zhuli.types.knowledge.vector_store import FileBatch, FileBatchCreate, VectorStoreFile
from zhuli.types.page import Page

router = APIRouter(
    prefix="/v1/vector_stores/{vector_store_id}/file_batches",
    tags=["Vector store file batches"],
    route_class=JsonRoute,
    strict_content_type=False,
)


@router.post("", response_model=FileBatch)
async def create_file_batch(vector_store_id: str, body: FileBatchCreate, app: TheApp, actor: TheActor) -> Response:
    """Add many files to a vector store."""
    now = int(app.clock.now())
    return _shown(app, await app.database.run(file_batches.create, actor.project, vector_store_id, body, now=now))


@router.get("/{batch_id}", response_model=FileBatch)
async def get_file_batch(vector_store_id: str, batch_id: str, app: TheApp, actor: TheActor) -> Response:
    """How far a batch is."""
    return _shown(app, await app.database.run(file_batches.view, actor.project, vector_store_id, batch_id))


@router.post("/{batch_id}/cancel", response_model=FileBatch)
async def cancel_file_batch(vector_store_id: str, batch_id: str, app: TheApp, actor: TheActor) -> Response:
    """Cancel what is still in progress; a batch of which nothing is stays what it is."""
    return _shown(app, await app.database.run(file_batches.cancel, actor.project, vector_store_id, batch_id))


@router.get("/{batch_id}/files", response_model=Page[VectorStoreFile])
async def list_files_of_batch(
    vector_store_id: str, batch_id: str, page: ThePage, app: TheApp, actor: TheActor, status: StatusFilter = None
) -> Response:
    """The files of a batch, page by page."""
    found = await app.database.run(
        vector_store_files.page, actor.project, vector_store_id, page, status=status, batch=batch_id
    )
    return Json(found)


def _shown(app: App, batch: FileBatch) -> Response:
    return polled(app, batch, since=batch.created_at, waiting=batch.file_counts.in_progress)
