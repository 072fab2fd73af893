"""/v1/predictions, of ours: what tuned models say to inputs of their task."""

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.app import App
from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.predicting import asking
from zhuli.server.json_route import JsonRoute
from zhuli.server.parameters import Json, TheActor, TheApp
from zhuli.types.prediction import PredictionCreate, PredictionList, PredictionResult, PredictionUsage

router = APIRouter(prefix="/v1/predictions", tags=["Predictions"], route_class=JsonRoute, strict_content_type=False)


@router.post("", response_model=PredictionList)
async def create_prediction(body: PredictionCreate, app: TheApp, actor: TheActor) -> Response:
    model = await app.database.run(asking.tuned_model, actor.project, body.model)
    if model is None:
        raise _no_tuned_model(app, body.model)
    task = asking.check(model, body)
    inputs = asking.inputs_of(body.input)
    folder = app.settings.data_dir / model.folder
    answers = await app.predictor.predict(body.model, folder, inputs, explain=body.explain, slow=task in asking.WRITING)
    results = [
        PredictionResult(index=index, output=asking.best(answer.output, body.top_k), explanation=answer.explanation)
        for index, answer in enumerate(answers)
    ]
    tokens = sum(answer.tokens for answer in answers)
    usage = PredictionUsage(prompt_tokens=tokens, total_tokens=tokens)
    return Json(PredictionList(model=body.model, task=task, data=results, usage=usage))


def _no_tuned_model(app: App, name: str) -> InvalidRequest | NotFound:
    if app.catalog.resolve(name):
        return asking.for_chat(name)
    if app.catalog.resolve_embedder(name):
        return InvalidRequest(f"The model '{name}' embeds: ask it by POST /v1/embeddings.", param="model")
    return NotFound(
        f"The model '{name}' does not exist. GET /v1/models lists those that were tuned here.",
        param="model",
        code="model_not_found",
    )
