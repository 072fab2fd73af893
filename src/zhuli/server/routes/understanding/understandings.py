"""POST /v1/understandings, of ours: what a domain understands of a text. Reads only: no thread is changed by it."""

from fastapi import APIRouter
from pydantic import ValidationError
from sqlalchemy import Connection
from starlette.responses import Response

from zhuli.core.errors import InvalidRequest
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, check_id
from zhuli.store import collections
from zhuli.store.schema import threads
from zhuli.store.understanding import domains
from zhuli.types.assistants.thread import Thread
from zhuli.types.refusals import refusal_of
from zhuli.types.understanding.domain import Domain
from zhuli.types.understanding.understanding import DialogueState, Understanding, UnderstandingCreate
from zhuli.understanding.dialogue.state import fold
from zhuli.understanding.dialogue.thread_states import state_of

router = APIRouter(
    prefix="/v1/understandings", tags=["Understandings"], route_class=JsonRoute, strict_content_type=False
)


@router.post("", response_model=Understanding)
async def create_understanding(body: UnderstandingCreate, app: TheApp, actor: TheActor) -> Response:
    """What a text means in a domain, without a thread."""
    given = _given_state(body)
    if body.thread is not None:
        check_id(app.settings, "thread_id", body.thread)
    domain, state = await app.database.run(_domain_and_state, actor.project, body, given)
    made = await app.understanding.understandings.understand(
        actor.project, domain, body.input, state, thread_id=body.thread
    )
    made.state = fold(made.changes, state).model_copy(update={"thread_id": body.thread, "domain": domain.id})
    return Json(made)


def _domain_and_state(
    connection: Connection, project: str, body: UnderstandingCreate, given: DialogueState
) -> tuple[Domain, DialogueState]:
    domain = domains.named(connection, project, body.domain)
    if body.thread is None:
        return domain, given
    with collections.named_by("thread"):
        collections.get(connection, threads, Thread, project, body.thread)
    return domain, state_of(connection, body.thread)


def _given_state(body: UnderstandingCreate) -> DialogueState:
    """The state in the request, or a new one; InvalidRequest says what is no state about it."""
    if body.state is None:
        return DialogueState()
    if body.thread is not None:
        raise InvalidRequest(
            "Send 'thread', whose state is then meant, or 'state', but not both.", param="state", code="invalid_value"
        )
    try:
        return DialogueState.model_validate(body.state)
    except ValidationError as error:
        raise refusal_of(error, "state") from error
