"""/v1/threads/{thread_id}/runs/{run_id}/steps"""

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from zhuli.server.answers import pages
from zhuli.server.answers.included import Include, shown
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store import collections
from zhuli.store.assistants import runs
from zhuli.store.collections import Places
from zhuli.store.schema import run_steps
from zhuli.types.assistants.step import RunStep
from zhuli.types.page import Page, PageParams

router = APIRouter(
    prefix="/v1/threads/{thread_id}/runs/{run_id}/steps",
    tags=["Run steps"],
    route_class=JsonRoute,
    strict_content_type=False,
)


@router.get("", response_model=Page[RunStep])
async def list_steps(
    thread_id: str, run_id: str, page: ThePage, app: TheApp, actor: TheActor, include: Include = []
) -> Response:
    """The steps of a run: messages and tool calls."""
    places = await app.database.run(_list, actor.project, thread_id, run_id, page)
    return await pages.page(app.database, places, RunStep, lambda step: shown(step, include))


@router.get("/{step_id}", response_model=RunStep)
async def get_step(
    thread_id: str, run_id: str, step_id: str, app: TheApp, actor: TheActor, include: Include = []
) -> Response:
    """One step of a run."""
    where = {"thread_id": thread_id, "run_id": run_id}
    step = await app.database.run(collections.get, run_steps, RunStep, actor.project, step_id, where)
    return Json(shown(step, include))


def _list(connection: Connection, project: str, thread_id: str, run_id: str, page: PageParams) -> Places:
    runs.require(connection, project, thread_id, run_id)
    return collections.places(connection, run_steps, project, page, {"run_id": run_id})
