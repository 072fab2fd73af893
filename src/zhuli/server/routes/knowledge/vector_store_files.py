"""/v1/vector_stores/{vector_store_id}/files"""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from zhuli.app import App
from zhuli.server.polling import polled
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store.knowledge import vector_store_files
from zhuli.types.knowledge.vector_store import (
    FileContentPage,
    FileContentPart,
    FileStatus,
    VectorStoreFile,
    VectorStoreFileCreate,
    VectorStoreFileModify,
)
from zhuli.types.page import Deleted, Page

router = APIRouter(
    prefix="/v1/vector_stores/{vector_store_id}/files",
    tags=["Vector store files"],
    route_class=JsonRoute,
    strict_content_type=False,
)

StatusFilter = Annotated[FileStatus | None, Query(alias="filter")]


@router.post("", response_model=VectorStoreFile)
async def attach_file(vector_store_id: str, body: VectorStoreFileCreate, app: TheApp, actor: TheActor) -> Response:
    """Attach a file; one that is there already takes new attributes, and is ingested again when it is to be cut otherwise."""
    now = int(app.clock.now())
    made = await app.database.run(vector_store_files.add_files, actor.project, vector_store_id, [body], now=now)
    return _shown(app, made[0])


@router.get("", response_model=Page[VectorStoreFile])
async def list_vector_store_files(
    vector_store_id: str, page: ThePage, app: TheApp, actor: TheActor, status: StatusFilter = None
) -> Response:
    """The files of the store, by status if that is asked for."""
    found = await app.database.run(vector_store_files.page, actor.project, vector_store_id, page, status=status)
    return Json(found)


@router.get("/{file_id}", response_model=VectorStoreFile)
async def get_vector_store_file(vector_store_id: str, file_id: str, app: TheApp, actor: TheActor) -> Response:
    """One file of the store: whether it is ingested, and why not."""
    return _shown(app, await app.database.run(vector_store_files.get, actor.project, vector_store_id, file_id))


@router.post("/{file_id}", response_model=VectorStoreFile)
async def modify_vector_store_file(
    vector_store_id: str, file_id: str, body: VectorStoreFileModify, app: TheApp, actor: TheActor
) -> Response:
    """Change the attributes by which searches filter."""
    modified = await app.database.run(
        vector_store_files.modify, actor.project, vector_store_id, file_id, body.attributes or {}
    )
    return _shown(app, modified)


@router.delete("/{file_id}", response_model=Deleted)
async def detach_file(vector_store_id: str, file_id: str, app: TheApp, actor: TheActor) -> Response:
    """Take the file out of the store; the file itself stays."""
    await app.database.run(vector_store_files.remove, actor.project, vector_store_id, file_id)
    return Json(Deleted(id=file_id, object="vector_store.file.deleted"))


@router.get("/{file_id}/content", response_model=FileContentPage)
async def get_vector_store_file_content(vector_store_id: str, file_id: str, app: TheApp, actor: TheActor) -> Response:
    """What was read of the file."""
    pieces = await app.database.run(vector_store_files.content, actor.project, vector_store_id, file_id)
    return Json(FileContentPage(data=[FileContentPart(text=piece) for piece in pieces]))


def _shown(app: App, file: VectorStoreFile) -> Response:
    return polled(app, file, since=file.created_at, waiting=int(file.status == "in_progress"))
