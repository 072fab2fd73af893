"""/v1/fine_tuning/jobs with events and checkpoints; `task`, `tuning` and `report` of a job are our addition."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from zhuli.core.errors import InvalidRequest
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp
from zhuli.store import collections
from zhuli.store.learning import fine_tuning
from zhuli.store.schema import fine_tuning_checkpoints, fine_tuning_events
from zhuli.types.learning.fine_tuning import FineTuningCheckpoint, FineTuningEvent, FineTuningJob, FineTuningJobCreate
from zhuli.types.page import Page, PageParams

router = APIRouter(
    prefix="/v1/fine_tuning/jobs", tags=["Fine-tuning"], route_class=JsonRoute, strict_content_type=False
)

Limit = Annotated[int, Query(ge=1, le=100)]


@router.post("", response_model=FineTuningJob)
async def create_fine_tuning_job(body: FineTuningJobCreate, app: TheApp, actor: TheActor) -> Response:
    """Queue a job: its data is checked first, then it waits for its turn."""
    return Json(await app.learning.fine_tuning.create(actor.project, body))


@router.get("", response_model=Page[FineTuningJob])
async def list_fine_tuning_jobs(
    request: Request, app: TheApp, actor: TheActor, limit: Limit = 20, after: str | None = None
) -> Response:
    """The project's jobs, newest first."""
    wanted = _metadata(request)
    page = await app.database.run(fine_tuning.page, actor.project, limit=limit, after=after, metadata=wanted)
    return Json(page)


@router.get("/{fine_tuning_job_id}", response_model=FineTuningJob)
async def get_fine_tuning_job(fine_tuning_job_id: str, app: TheApp, actor: TheActor) -> Response:
    """One job, with its report once it has succeeded."""
    record = await app.database.run(fine_tuning.get, actor.project, fine_tuning_job_id)
    return Json(record.shown())


@router.post("/{fine_tuning_job_id}/cancel", response_model=FineTuningJob)
async def cancel_fine_tuning_job(fine_tuning_job_id: str, app: TheApp, actor: TheActor) -> Response:
    """End the job; nothing of it is left but what its events say."""
    return Json(await app.learning.fine_tuning.cancel(actor.project, fine_tuning_job_id))


@router.post("/{fine_tuning_job_id}/pause", response_model=FineTuningJob)
async def pause_fine_tuning_job(fine_tuning_job_id: str, app: TheApp, actor: TheActor) -> Response:
    """Keep the job's place for later."""
    return Json(await app.learning.fine_tuning.pause(actor.project, fine_tuning_job_id))


@router.post("/{fine_tuning_job_id}/resume", response_model=FineTuningJob)
async def resume_fine_tuning_job(fine_tuning_job_id: str, app: TheApp, actor: TheActor) -> Response:
    """Queue a paused job again; it goes on where it stood."""
    return Json(await app.learning.fine_tuning.resume(actor.project, fine_tuning_job_id))


@router.get("/{fine_tuning_job_id}/events", response_model=Page[FineTuningEvent])
async def list_fine_tuning_events(
    fine_tuning_job_id: str, app: TheApp, actor: TheActor, limit: Limit = 20, after: str | None = None
) -> Response:
    """What has happened in the job, newest first."""
    await app.database.run(fine_tuning.get, actor.project, fine_tuning_job_id)
    page, of_job = PageParams(limit, after=after), {"job_id": fine_tuning_job_id}
    found = await app.database.run(collections.page, fine_tuning_events, FineTuningEvent, actor.project, page, of_job)
    return Json(found)


@router.get("/{fine_tuning_job_id}/checkpoints", response_model=Page[FineTuningCheckpoint])
async def list_fine_tuning_checkpoints(
    fine_tuning_job_id: str, app: TheApp, actor: TheActor, limit: Limit = 10, after: str | None = None
) -> Response:
    """Models of its last epochs, which answer by their names."""
    await app.database.run(fine_tuning.get, actor.project, fine_tuning_job_id)
    page, of_job = PageParams(limit, after=after), {"job_id": fine_tuning_job_id}
    found = await app.database.run(
        collections.page, fine_tuning_checkpoints, FineTuningCheckpoint, actor.project, page, of_job
    )
    return Json(found)


def _metadata(request: Request) -> dict[str, str] | Literal["none"] | None:
    """metadata[key]=value pairs, or metadata=null for jobs without any."""
    asked = request.query_params
    if "metadata" in asked:
        if asked["metadata"] in ("", "null"):
            return "none"
        raise InvalidRequest(
            "Invalid 'metadata': give pairs as metadata[key]=value, or metadata=null.", param="metadata"
        )
    pairs = {key[9:-1]: value for key, value in asked.items() if key.startswith("metadata[") and key.endswith("]")}
    return pairs or None
