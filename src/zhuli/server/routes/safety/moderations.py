"""/v1/moderations as published, and /v1/moderations/thresholds, our addition."""

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.core.origin import origin
from zhuli.core.tokens import estimate
from zhuli.safety.moderation.moderating import texts_of
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp
from zhuli.types.models.generation import Usage
from zhuli.types.safety.moderation import Moderation, ModerationCreate, ModerationThresholds, ThresholdsPut

router = APIRouter(prefix="/v1/moderations", tags=["Moderations"], route_class=JsonRoute, strict_content_type=False)


@router.post("", response_model=Moderation)
async def create_moderation(body: ModerationCreate, app: TheApp, actor: TheActor) -> Response:
    """Scores of each input in every category, held against the project's thresholds."""
    made = await app.safety.moderations.moderate(actor.project, body)
    app.meter.counting.add(origin.get(), "moderations", made.model, Usage(sum(map(estimate, texts_of(body))), 0))
    return Json(made)


@router.get("/thresholds", response_model=ModerationThresholds)
async def get_thresholds(app: TheApp, actor: TheActor) -> Response:
    """The thresholds of the project, and those that hold where it has set none."""
    return Json(await app.safety.moderations.thresholds(actor.project))


@router.put("/thresholds", response_model=ModerationThresholds)
async def put_thresholds(body: ThresholdsPut, app: TheApp, actor: TheActor) -> Response:
    """Replace the project's own thresholds; {} takes them back."""
    return Json(await app.safety.moderations.set_thresholds(actor.project, body))
