"""/v1/uploads: files too large for one request, in parts."""

from fastapi import APIRouter, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from zhuli.server.requests import forms
from zhuli.server.requests.form_route import FormRoute
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp
from zhuli.types.knowledge.upload import PART_BYTES, Upload, UploadComplete, UploadCreate, UploadPart

router = APIRouter(prefix="/v1/uploads", tags=["Uploads"], route_class=JsonRoute, strict_content_type=False)
forms_router = APIRouter(prefix="/v1/uploads", tags=["Uploads"], route_class=FormRoute)


@router.post("", response_model=Upload)
async def create_upload(body: UploadCreate, app: TheApp, actor: TheActor) -> Response:
    """Begin to upload a large file in parts."""
    return Json(await app.knowledge.uploads.create(actor.project, body))


@forms_router.post("/{upload_id}/parts", response_model=UploadPart)
async def add_upload_part(request: Request, upload_id: str, data: UploadFile, app: TheApp, actor: TheActor) -> Response:
    """Send a part of the bytes."""
    await forms.refuse_others(request, "data")
    forms.check_size(data, most=PART_BYTES, name="data")
    return Json(await app.knowledge.uploads.add_part(actor.project, upload_id, forms.pieces(data)))


@router.post("/{upload_id}/complete", response_model=Upload)
async def complete_upload(upload_id: str, body: UploadComplete, app: TheApp, actor: TheActor) -> Response:
    """Make the file of the parts."""
    return Json(await app.knowledge.uploads.complete(actor.project, upload_id, body))


@router.post("/{upload_id}/cancel", response_model=Upload)
async def cancel_upload(upload_id: str, app: TheApp, actor: TheActor) -> Response:
    """Give an upload up."""
    return Json(await app.knowledge.uploads.cancel(actor.project, upload_id))


router.routes.extend(forms_router.routes)
