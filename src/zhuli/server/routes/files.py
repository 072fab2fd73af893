"""/v1/files: bytes with a purpose. Their content is in the blob store under the file's id."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, UploadFile
from starlette.responses import Response, StreamingResponse

from zhuli.core.errors import InvalidRequest
from zhuli.core.ids import new_id
from zhuli.server.parameters import Json, TheActor, TheApp
from zhuli.store import collections
from zhuli.store.schema import files
from zhuli.types.file import UPLOADED, File, FileDeleted, UploadPurpose
from zhuli.types.page import Order, Page, PageParams

router = APIRouter(prefix="/v1/files", tags=["Files"])


@router.post("", response_model=File)
async def create_file(
    app: TheApp,
    actor: TheActor,
    file: UploadFile,
    purpose: Annotated[UploadPurpose, Form()],
    anchor: Annotated[Literal["created_at"] | None, Form(alias="expires_after[anchor]")] = None,
    seconds: Annotated[int | None, Form(alias="expires_after[seconds]", ge=3600, le=2_592_000)] = None,
) -> Response:
    data = await file.read()
    now = int(app.clock.now())
    made = File(
        id=new_id("file"),
        bytes=len(data),
        created_at=now,
        expires_at=None if seconds is None else now + seconds,
        filename=file.filename or "upload",
        purpose=purpose,
    )
    await app.blobs.write(made.id, data)
    await app.database.run(collections.insert, files, actor.project, made, {"purpose": purpose})
    return Json(made)


@router.get("", response_model=Page[File])
async def list_files(
    app: TheApp,
    actor: TheActor,
    purpose: str | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    order: Order = "desc",
    after: str | None = None,
) -> Response:
    where = {} if purpose is None else {"purpose": purpose}
    params = PageParams(limit, order, after)
    return Json(await app.database.run(collections.page, files, File, actor.project, params, where))


@router.get("/{file_id}", response_model=File)
async def get_file(file_id: str, app: TheApp, actor: TheActor) -> Response:
    return Json(await app.database.run(collections.get, files, File, actor.project, file_id))


@router.delete("/{file_id}", response_model=FileDeleted)
async def delete_file(file_id: str, app: TheApp, actor: TheActor) -> Response:
    await app.database.run(collections.remove, files, actor.project, file_id)
    await app.blobs.delete(file_id)
    return Json(FileDeleted(id=file_id))


@router.get("/{file_id}/content", response_class=Response)
async def get_file_content(file_id: str, app: TheApp, actor: TheActor) -> Response:
    file = await app.database.run(collections.get, files, File, actor.project, file_id)
    if app.settings.strict.downloads and file.purpose in UPLOADED:
        raise InvalidRequest(f"Not allowed to download files of purpose: {file.purpose}")
    return StreamingResponse(app.blobs.read(file_id), media_type="application/octet-stream")
