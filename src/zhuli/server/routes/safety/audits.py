"""/v1/audits, our addition: how far a model's answers depend on who asks."""

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store import collections, schema
from zhuli.store.safety import audits
from zhuli.types.page import Deleted, Page
from zhuli.types.safety.audit import Audit, AuditCreate

router = APIRouter(prefix="/v1/audits", tags=["Audits"], route_class=JsonRoute, strict_content_type=False)


@router.post("", response_model=Audit)
async def create_audit(body: AuditCreate, app: TheApp, actor: TheActor) -> Response:
    """A queued audit of a model."""
    return Json(await app.safety.audits.create(actor.project, body))


@router.get("", response_model=Page[Audit])
async def list_audits(page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The project's audits, newest first."""
    return Json(await app.database.run(collections.page, schema.audits, Audit, actor.project, page))


@router.get("/{audit_id}", response_model=Audit)
async def get_audit(audit_id: str, app: TheApp, actor: TheActor) -> Response:
    """An audit, with its report once it is completed."""
    return Json(await app.database.run(collections.get, schema.audits, Audit, actor.project, audit_id))


@router.delete("/{audit_id}", response_model=Deleted)
async def delete_audit(audit_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete an audit; one that is being done is left off."""
    await app.database.run(audits.remove, actor.project, audit_id)
    return Json(Deleted(id=audit_id, object="audit.deleted"))
