"""/v1/threads/{thread_id}/state and /understandings: what was understood on a thread, and what follows from it; our addition."""

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from zhuli.assistants.runs.commands import refuse_while_active
from zhuli.core.errors import InvalidRequest
from zhuli.core.ids import new_id
from zhuli.server.answers import pages
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store import collections, schema
from zhuli.store.assistants import threads
from zhuli.store.collections import Places
from zhuli.store.understanding import domains, understandings
from zhuli.types.assistants.thread import Thread
from zhuli.types.page import Page, PageParams
from zhuli.types.understanding.domain import Domain
from zhuli.types.understanding.understanding import DialogueState, SlotSet, StateGive, Understanding
from zhuli.understanding.dialogue.slots.state_updates import changes_by
from zhuli.understanding.dialogue.state import fold
from zhuli.understanding.dialogue.thread_states import state_of

router = APIRouter(
    prefix="/v1/threads/{thread_id}", tags=["Understanding"], route_class=JsonRoute, strict_content_type=False
)


@router.get("/state", response_model=DialogueState)
async def get_state(thread_id: str, app: TheApp, actor: TheActor) -> Response:
    """The dialogue state of a thread: form, slots, topics."""
    return Json(await app.database.run(_state, actor.project, thread_id))


@router.post("/state", response_model=DialogueState)
async def give_state(thread_id: str, body: StateGive, app: TheApp, actor: TheActor) -> Response:
    """Set slots, or take a conversation over and give it back."""
    now = int(app.clock.now())
    return Json(await app.database.run(_give, actor.project, thread_id, body, now=now))


@router.get("/understandings", response_model=Page[Understanding])
async def list_understandings(thread_id: str, page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """What was understood of a thread's messages."""
    return await pages.page(app.database, await app.database.run(_list, actor.project, thread_id, page), Understanding)


def _state(connection: Connection, project: str, thread_id: str) -> DialogueState:
    collections.get(connection, schema.threads, Thread, project, thread_id)
    return state_of(connection, thread_id)


def _list(connection: Connection, project: str, thread_id: str, page: PageParams) -> Places:
    collections.get(connection, schema.threads, Thread, project, thread_id)
    return collections.places(connection, schema.understandings, project, page, {"thread_id": thread_id})


def _give(connection: Connection, project: str, thread_id: str, body: StateGive, *, now: int) -> DialogueState:
    threads.lock(connection, project, thread_id)
    refuse_while_active(connection, thread_id, doing="change the state of")
    state = state_of(connection, thread_id)
    domain = _domain(connection, project, body.domain or state.domain)
    changes = changes_by(body, domain, state, now=now)
    if not changes:
        return state
    given = Understanding(
        id=new_id("und"),
        created_at=now,
        domain=domain.id,
        version=domain.version,
        text="",
        thread_id=thread_id,
        slots={change.slot: change.value for change in changes if isinstance(change, SlotSet)},
        changes=changes,
        reasons=["The client gave this."],
    )
    understandings.add(connection, project, thread_id, given)
    return fold(changes, state).model_copy(update={"domain": domain.id})


def _domain(connection: Connection, project: str, id_: str | None) -> Domain:
    if id_ is None:
        raise InvalidRequest(
            "Give the 'domain' as well: nothing of this thread has been understood yet, so its slots are not known.",
            param="domain",
            code="missing_required_parameter",
        )
    return domains.named(connection, project, id_)
