"""/v1/evals/{eval_id}/runs with output items; /report and /agreement are our additions."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from zhuli.learning.evals.beside import agreement_of
from zhuli.learning.evals.report import report
from zhuli.server.answers import pages
from zhuli.server.answers.pages import Pieces
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp
from zhuli.store.collections import as_page
from zhuli.store.learning import eval_items, eval_runs, evals
from zhuli.store.learning.eval_runs import StoredRun
from zhuli.types.learning.comparison import Agreement
from zhuli.types.learning.eval_runs import EvalRun, EvalRunCreate, EvalRunDeleted, OutputItem, RunStatus
from zhuli.types.page import Order, Page, PageParams
from zhuli.types.wire import Wire

router = APIRouter(prefix="/v1/evals/{eval_id}/runs", tags=["Evals"], route_class=JsonRoute, strict_content_type=False)

Limit = Annotated[int, Query(ge=1, le=100)]


@router.post("", response_model=EvalRun, status_code=201)
async def create_eval_run(
    request: Request, eval_id: str, body: EvalRunCreate, app: TheApp, actor: TheActor
) -> Response:
    """Queue a run: its items are read, somebody is asked about each, and the answers are graded."""
    stored = await app.learning.evals.create_run(actor.project, eval_id, body)
    return Response(_shown(request, stored), status_code=201, media_type="application/json")


@router.get("", response_model=Page[EvalRun])
async def list_eval_runs(
    request: Request,
    eval_id: str,
    app: TheApp,
    actor: TheActor,
    limit: Limit = 20,
    order: Order = "asc",
    after: str | None = None,
    status: RunStatus | None = None,
) -> Response:
    """Runs of the eval."""
    await app.database.run(evals.get, actor.project, eval_id)
    params = PageParams(limit, order, after)
    runs, more = await app.database.run(eval_runs.page, actor.project, eval_id, params, status)
    page = as_page(list[Wire](run.record for run in runs), has_more=more).model_copy(update={"data": []})
    before, data, rest = page.model_dump_json().partition('"data":[')
    shown = b",".join(_shown(request, run) for run in runs)
    return Pieces([(before + data).encode(), shown, rest.encode()])


@router.get("/{run_id}", response_model=EvalRun)
async def get_eval_run(request: Request, eval_id: str, run_id: str, app: TheApp, actor: TheActor) -> Response:
    """One run, with how far it has come."""
    stored = await app.database.run(eval_runs.get, actor.project, eval_id, run_id)
    return Response(_shown(request, stored), media_type="application/json")


@router.post("/{run_id}/cancel", response_model=EvalRun)
@router.post("/{run_id}", response_model=EvalRun)
async def cancel_eval_run(request: Request, eval_id: str, run_id: str, app: TheApp, actor: TheActor) -> Response:
    """End the run; what is graded stays. The one path is the description's, the other the SDKs'."""
    stored = await app.learning.evals.cancel_run(actor.project, eval_id, run_id)
    return Response(_shown(request, stored), media_type="application/json")


@router.delete("/{run_id}", response_model=EvalRunDeleted)
async def delete_eval_run(eval_id: str, run_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete the run with its output items."""
    await app.database.run(eval_runs.remove, actor.project, eval_id, run_id)
    return Json(EvalRunDeleted(run_id=run_id))


@router.get("/{run_id}/output_items", response_model=Page[OutputItem])
async def list_output_items(
    eval_id: str,
    run_id: str,
    app: TheApp,
    actor: TheActor,
    limit: Limit = 20,
    order: Order = "asc",
    after: str | None = None,
    status: Literal["pass", "fail"] | None = None,
) -> Response:
    """What came of each item, in the order of the data, as far as the run has come."""
    await app.database.run(eval_runs.get, actor.project, eval_id, run_id)
    params = PageParams(limit, order, after)
    places = await app.database.run(eval_items.places, actor.project, run_id, params, status)
    return await pages.page(app.database, places, OutputItem)


@router.get("/{run_id}/output_items/{output_item_id}", response_model=OutputItem)
async def get_output_item(eval_id: str, run_id: str, output_item_id: str, app: TheApp, actor: TheActor) -> Response:
    """What came of one item."""
    await app.database.run(eval_runs.get, actor.project, eval_id, run_id)
    return Json(await app.database.run(eval_items.get, actor.project, run_id, output_item_id))


@router.get("/{run_id}/report", responses={200: {"content": {"text/markdown": {}}}}, response_class=Response)
async def get_report(eval_id: str, run_id: str, app: TheApp, actor: TheActor) -> Response:
    """The run for a person, in Markdown."""
    stored = await app.database.run(eval_runs.get, actor.project, eval_id, run_id)
    of = await app.database.run(evals.get, actor.project, eval_id)
    return Response(report(of, stored.record), media_type="text/markdown; charset=utf-8")


@router.get("/{run_id}/agreement", response_model=Agreement)
async def get_agreement(
    eval_id: str, run_id: str, criterion: str, human: str, app: TheApp, actor: TheActor
) -> Response:
    """How far a criterion, such as a model as judge, agrees with people whose verdicts are in the items."""
    return Json(await agreement_of(app.database, actor.project, eval_id, run_id, criterion, human))


def _shown(request: Request, stored: StoredRun) -> bytes:
    """The run's JSON with its data source, which is JSON already."""
    url = str(request.base_url).rstrip("/") + stored.record.report_url
    body = stored.record.model_copy(update={"report_url": url}).model_dump_json()
    return f'{body[:-1]},"data_source":{stored.data_source}}}'.encode()
