"""/v1/threads/{thread_id}/messages; editing a message's content is our addition."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from zhuli.assistants.runs import attached
from zhuli.assistants.runs.commands import add_messages, refuse_while_active
from zhuli.server.answers import pages
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store import collections, schema
from zhuli.store.assistants import threads
from zhuli.store.collections import Places
from zhuli.store.understanding import understandings
from zhuli.types.assistants.message import Message, MessageCreate, MessageModify, blocks_of
from zhuli.types.assistants.thread import Thread
from zhuli.types.page import Deleted, Page, PageParams

router = APIRouter(
    prefix="/v1/threads/{thread_id}/messages", tags=["Messages"], route_class=JsonRoute, strict_content_type=False
)


@router.post("", response_model=Message)
async def create_message(thread_id: str, body: MessageCreate, app: TheApp, actor: TheActor) -> Response:
    """Add a message to a thread."""
    await app.assistants.images.check(actor.project, [body])
    now, embedder = int(app.clock.now()), app.catalog.default_embedder
    return Json(await app.database.run(_add, actor.project, thread_id, body, now=now, embedder=embedder))


@router.get("", response_model=Page[Message])
async def list_messages(
    thread_id: str,
    page: ThePage,
    app: TheApp,
    actor: TheActor,
    run_id: Annotated[str | None, Query()] = None,
) -> Response:
    """The messages of a thread, page by page."""
    return await pages.page(
        app.database, await app.database.run(_list, actor.project, thread_id, page, run_id), Message
    )


@router.get("/{message_id}", response_model=Message)
async def get_message(thread_id: str, message_id: str, app: TheApp, actor: TheActor) -> Response:
    """One message."""
    return Json(await app.database.run(_get, actor.project, thread_id, message_id))


@router.post("/{message_id}", response_model=Message)
async def modify_message(
    thread_id: str, message_id: str, app: TheApp, actor: TheActor, body: MessageModify | None = None
) -> Response:
    """Change the metadata, or the text, of a message."""
    body = body or MessageModify()
    await app.assistants.images.check(actor.project, [body])
    return Json(await app.database.run(_modify, actor.project, thread_id, message_id, body))


@router.delete("/{message_id}", response_model=Deleted)
async def delete_message(thread_id: str, message_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete a message."""
    await app.database.run(_delete, actor.project, thread_id, message_id)
    return Json(Deleted(id=message_id, object="thread.message.deleted"))


def _add(
    connection: Connection, project: str, thread_id: str, body: MessageCreate, *, now: int, embedder: str
) -> Message:
    threads.lock(connection, project, thread_id)
    refuse_while_active(connection, thread_id, doing="add messages to")
    return add_messages(connection, project, thread_id, [body], now, embedder=embedder)[0]


def _get(connection: Connection, project: str, thread_id: str, message_id: str) -> Message:
    message = collections.get(connection, schema.messages, Message, project, message_id, {"thread_id": thread_id})
    collections.seq_of(connection, schema.threads, project, thread_id)  # what a deleted one left may still be there
    return message


def _list(connection: Connection, project: str, thread_id: str, page: PageParams, run_id: str | None) -> Places:
    collections.get(connection, schema.threads, Thread, project, thread_id)
    where = {"thread_id": thread_id} if run_id is None else {"thread_id": thread_id, "run_id": run_id}
    return collections.places(connection, schema.messages, project, page, where)


def _modify(connection: Connection, project: str, thread_id: str, message_id: str, body: MessageModify) -> Message:
    threads.lock(connection, project, thread_id)
    threads.lock_message(connection, message_id)
    message = collections.get(connection, schema.messages, Message, project, message_id, {"thread_id": thread_id})
    given: dict[str, Any] = {}
    if "metadata" in body.model_fields_set:
        given["metadata"] = dict(body.metadata or {})
    if body.content is not None:
        refuse_while_active(connection, thread_id, doing="edit messages of")
        given |= {"content": blocks_of(body.content), "understanding": None}
        threads.edited(connection, thread_id, message)
        understandings.forget(connection, message_id)
    modified = message.model_copy(update=given)
    if body.content is not None:  # otherwise its images may be gone by now, and that is nothing to refuse
        attached.check_content(connection, project, modified)
    collections.replace(connection, schema.messages, modified)
    return modified


def _delete(connection: Connection, project: str, thread_id: str, message_id: str) -> None:
    threads.lock(connection, project, thread_id)
    collections.remove(connection, schema.messages, project, message_id, {"thread_id": thread_id})
    threads.edited(connection, thread_id)
    understandings.forget(connection, message_id)
