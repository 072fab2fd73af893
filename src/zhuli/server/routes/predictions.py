"""/v1/predictions, of ours: what tuned models say to inputs of their task."""

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.app import App
from zhuli.core.errors import InvalidRequest
from zhuli.predicting import asking
from zhuli.server.json_route import JsonRoute
from zhuli.server.parameters import Json, TheActor, TheApp
from zhuli.store.tuned_models import TunedModel
from zhuli.tuning import exporting
from zhuli.types.prediction import PredictionCreate, PredictionList, PredictionResult, PredictionUsage

router = APIRouter(prefix="/v1/predictions", tags=["Predictions"], route_class=JsonRoute, strict_content_type=False)


@router.post("", response_model=PredictionList)
async def create_prediction(body: PredictionCreate, app: TheApp, actor: TheActor) -> Response:
    model = await _model(app, actor.project, body.model)
    task = asking.check(model, body)
    inputs = asking.inputs_of(body.input)
    folder = app.catalog.tuned.data_dir / model.folder
    if not folder.is_dir():
        raise exporting.not_here(model.name)
    answers = await app.predictor.predict(body.model, folder, inputs, explain=body.explain, slow=task in asking.WRITING)
    results = [
        PredictionResult(index=index, output=asking.best(answer.output, body.top_k), explanation=answer.explanation)
        for index, answer in enumerate(answers)
    ]
    tokens = sum(answer.tokens for answer in answers)
    usage = PredictionUsage(prompt_tokens=tokens, total_tokens=tokens)
    return Json(PredictionList(model=body.model, task=task, data=results, usage=usage))


async def _model(app: App, project: str, name: str) -> TunedModel:
    """The project's tuned model, also of an alias; what is wrong with a name that leads to none."""
    catalog = app.catalog
    if found := catalog.tuned.model(name, project):
        return found
    await app.database.run(catalog.tuned.read)  # another process may just have made it
    if found := catalog.tuned.model(name, project):
        return found
    if catalog.resolve(name, project):
        raise asking.for_chat(name)
    if catalog.resolve_embedder(name):
        raise InvalidRequest(f"The model '{name}' embeds: ask it by POST /v1/embeddings.", param="model")
    raise catalog.not_found(name, project)
