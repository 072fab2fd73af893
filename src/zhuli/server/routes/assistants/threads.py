"""/v1/threads; the list of threads is our addition."""

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from zhuli.assistants.runs import attached
from zhuli.assistants.runs.commands import insert_thread
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store import collections
from zhuli.store.assistants import runs
from zhuli.store.assistants.threads import delete_thread as delete_with_all
from zhuli.store.assistants.threads import lock
from zhuli.store.database import hint
from zhuli.store.schema import threads
from zhuli.types.assistants.thread import Thread, ThreadCreate, ThreadModify
from zhuli.types.assistants.tools import ToolResources
from zhuli.types.page import Deleted, Page

router = APIRouter(prefix="/v1/threads", tags=["Threads"], route_class=JsonRoute, strict_content_type=False)


@router.post("", response_model=Thread)
async def create_thread(app: TheApp, actor: TheActor, body: ThreadCreate | None = None) -> Response:
    """Make a thread, with messages if there are some."""
    body = body or ThreadCreate()
    await app.assistants.images.check(actor.project, body.messages or ())
    now, embedder = int(app.clock.now()), app.catalog.default_embedder
    return Json(await app.database.run(insert_thread, actor.project, body, now, embedder=embedder))


@router.get("", response_model=Page[Thread])
async def list_threads(page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The threads of the project, page by page."""
    return Json(await app.database.run(collections.page, threads, Thread, actor.project, page))


@router.get("/{thread_id}", response_model=Thread)
async def get_thread(thread_id: str, app: TheApp, actor: TheActor) -> Response:
    """One thread."""
    return Json(await app.database.run(collections.get, threads, Thread, actor.project, thread_id))


@router.post("/{thread_id}", response_model=Thread)
async def modify_thread(thread_id: str, app: TheApp, actor: TheActor, body: ThreadModify | None = None) -> Response:
    """Change the metadata and tool resources of a thread."""
    return Json(await app.database.run(_modify, actor.project, thread_id, body or ThreadModify()))


@router.delete("/{thread_id}", response_model=Deleted)
async def delete_thread(thread_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete a thread with its messages and runs."""
    await app.database.run(_delete, actor.project, thread_id)
    return Json(Deleted(id=thread_id, object="thread.deleted"))


def _modify(connection: Connection, project: str, thread_id: str, body: ThreadModify) -> Thread:
    lock(connection, project, thread_id)  # an attachment may be joining its file to the thread
    thread = collections.get(connection, threads, Thread, project, thread_id)
    given = {
        "metadata": dict(body.metadata or {}),
        "tool_resources": body.tool_resources or ToolResources(),
    }
    attached.check_resources(connection, project, body.tool_resources, owner=thread_id)
    modified = thread.model_copy(update={name: given[name] for name in body.model_fields_set})
    collections.replace(connection, threads, modified)
    return modified


def _delete(connection: Connection, project: str, thread_id: str) -> None:
    for run_id in delete_with_all(connection, project, thread_id):
        hint(connection, runs.topic(run_id))
