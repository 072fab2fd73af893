"""/v1/threads/runs and /v1/threads/{thread_id}/runs; joining a run's stream at /events is our addition.

A route never touches the engine: it records what the client wants, and follows the run's log.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header
from sqlalchemy import Connection
from starlette.responses import Response

from zhuli.app import App
from zhuli.core.errors import InvalidRequest
from zhuli.server.answers import pages
from zhuli.server.answers.included import Include
from zhuli.server.answers.run_stream import run_stream
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage, check_id
from zhuli.store import collections, schema
from zhuli.store.assistants import runs
from zhuli.store.collections import Places
from zhuli.types.assistants.run import MetadataModify, Run, RunCreate, ThreadRunCreate, ToolOutputsSubmit
from zhuli.types.assistants.thread import Thread
from zhuli.types.page import Page, PageParams

router = APIRouter(prefix="/v1/threads", tags=["Runs"], route_class=JsonRoute, strict_content_type=False)

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "The run, or its events with stream: true."}
}


@router.post("/runs", response_model=Run, responses=_STREAM)
async def create_thread_and_run(body: ThreadRunCreate, app: TheApp, actor: TheActor) -> Response:
    """Make a thread and run it, in one transaction."""
    check_id(app.settings, "assistant_id", body.assistant_id)
    await app.assistants.images.check(actor.project, (body.thread and body.thread.messages) or ())
    run = await app.assistants.runs.create_with_thread(actor.project, body)
    return run_stream(app, run.id) if body.stream else _polled(app, run)


@router.post("/{thread_id}/runs", response_model=Run, responses=_STREAM)
async def create_run(thread_id: str, body: RunCreate, app: TheApp, actor: TheActor, include: Include = []) -> Response:
    """Run an assistant on a thread; with stream its events follow."""
    check_id(app.settings, "assistant_id", body.assistant_id)
    await app.assistants.images.check(actor.project, body.additional_messages or ())
    run = await app.assistants.runs.create(actor.project, thread_id, body)
    return run_stream(app, run.id, include=include) if body.stream else _polled(app, run)


@router.get("/{thread_id}/runs", response_model=Page[Run])
async def list_runs(thread_id: str, page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The thread's runs."""
    return await pages.page(app.database, await app.database.run(_list, actor.project, thread_id, page), Run)


@router.get("/{thread_id}/runs/{run_id}", response_model=Run)
async def get_run(thread_id: str, run_id: str, app: TheApp, actor: TheActor) -> Response:
    """One run, as its log says by now."""
    return _polled(
        app, await app.database.run(collections.get, schema.runs, Run, actor.project, run_id, {"thread_id": thread_id})
    )


@router.post("/{thread_id}/runs/{run_id}", response_model=Run)
async def modify_run(
    thread_id: str, run_id: str, app: TheApp, actor: TheActor, body: MetadataModify | None = None
) -> Response:
    """Change the run's metadata."""
    if body is None or "metadata" not in body.model_fields_set:
        return await get_run(thread_id, run_id, app, actor)
    return _polled(app, await app.assistants.runs.modify(actor.project, thread_id, run_id, body.metadata))


@router.post("/{thread_id}/runs/{run_id}/cancel", response_model=Run)
async def cancel_run(thread_id: str, run_id: str, app: TheApp, actor: TheActor) -> Response:
    """Ask the run to end; it is cancelled when its turn has stopped."""
    return _polled(app, await app.assistants.runs.cancel(actor.project, thread_id, run_id))


@router.post("/{thread_id}/runs/{run_id}/submit_tool_outputs", response_model=Run, responses=_STREAM)
async def submit_tool_outputs(
    thread_id: str, run_id: str, body: ToolOutputsSubmit, app: TheApp, actor: TheActor
) -> Response:
    """Give what the client's functions said; the run goes on, and with stream its events follow."""
    run, before = await app.assistants.runs.submit(actor.project, thread_id, run_id, body.tool_outputs)
    return run_stream(app, run.id, after=before) if body.stream else _polled(app, run)


@router.get("/{thread_id}/runs/{run_id}/events", response_class=Response, responses=_STREAM)
async def follow_run(
    thread_id: str,
    run_id: str,
    app: TheApp,
    actor: TheActor,
    last_event_id: Annotated[str | None, Header()] = None,
    include: Include = [],
) -> Response:
    """Join or resume a run's stream: everything after the event that Last-Event-ID names, then what comes."""
    await app.database.run(runs.require, actor.project, thread_id, run_id)
    return run_stream(app, run_id, after=_sequence(last_event_id), include=include)


def _polled(app: App, run: Run) -> Json:
    """A run for a client that may poll it."""
    return Json(run, {"openai-poll-after-ms": str(app.settings.poll_after_ms)})


def _list(connection: Connection, project: str, thread_id: str, page: PageParams) -> Places:
    collections.get(connection, schema.threads, Thread, project, thread_id)
    return collections.places(connection, schema.runs, project, page, {"thread_id": thread_id})


def _sequence(last_event_id: str | None) -> int:
    if last_event_id is None or last_event_id == "":
        return 0
    if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 10):
        raise InvalidRequest(
            f"Invalid 'Last-Event-ID': '{last_event_id}'. Expected the id of an event of this run, a whole number.",
            param="Last-Event-ID",
            code="invalid_value",
        )
    return int(last_event_id)
