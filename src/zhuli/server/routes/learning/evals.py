"""/v1/evals; /comparisons of two runs is our addition."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from zhuli.learning.evals.beside import compare_runs
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp
from zhuli.store.learning import evals
from zhuli.types.learning.eval_runs import EvalComparison, EvalComparisonCreate
from zhuli.types.learning.evals import Eval, EvalCreate, EvalDeleted, EvalModify
from zhuli.types.page import Order, Page, PageParams

router = APIRouter(prefix="/v1/evals", tags=["Evals"], route_class=JsonRoute, strict_content_type=False)

Limit = Annotated[int, Query(ge=1, le=100)]


@router.post("", response_model=Eval, status_code=201)
async def create_eval(body: EvalCreate, app: TheApp, actor: TheActor) -> Response:
    """What is evaluated by which criteria; nothing runs yet."""
    return Json(await app.learning.evals.create(actor.project, body), status=201)


@router.get("", response_model=Page[Eval])
async def list_evals(
    app: TheApp,
    actor: TheActor,
    limit: Limit = 20,
    order: Order = "asc",
    order_by: Literal["created_at", "updated_at"] = "created_at",
    after: str | None = None,
) -> Response:
    """The project's evals."""
    params = PageParams(limit, order, after)
    return Json(await app.database.run(evals.page, actor.project, params, by=order_by))


@router.get("/{eval_id}", response_model=Eval)
async def get_eval(eval_id: str, app: TheApp, actor: TheActor) -> Response:
    """One eval."""
    return Json(await app.database.run(evals.get, actor.project, eval_id))


@router.post("/{eval_id}", response_model=Eval)
async def modify_eval(eval_id: str, body: EvalModify, app: TheApp, actor: TheActor) -> Response:
    """A new name, new metadata, or both."""
    return Json(await app.learning.evals.modify(actor.project, eval_id, body))


@router.delete("/{eval_id}", response_model=EvalDeleted)
async def delete_eval(eval_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete the eval with its runs."""
    await app.database.run(evals.remove, actor.project, eval_id)
    return Json(EvalDeleted(eval_id=eval_id))


@router.post("/{eval_id}/comparisons", response_model=EvalComparison)
async def compare_eval_runs(eval_id: str, body: EvalComparisonCreate, app: TheApp, actor: TheActor) -> Response:
    """Two runs beside each other, paired by item, whole and by slices; nothing is kept."""
    return Json(await compare_runs(app.database, actor.project, eval_id, body))
