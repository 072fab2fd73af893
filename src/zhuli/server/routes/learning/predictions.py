"""/v1/predictions, of ours: what tuned models say to inputs of their task."""

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp
from zhuli.types.learning.prediction import PredictionCreate, PredictionList

router = APIRouter(prefix="/v1/predictions", tags=["Predictions"], route_class=JsonRoute, strict_content_type=False)


@router.post("", response_model=PredictionList)
async def create_prediction(body: PredictionCreate, app: TheApp, actor: TheActor) -> Response:
    """What a tuned model says to each input, explained where that is asked for."""
    return Json(await app.learning.predictions.answer(actor.project, body))
