"""/v1/support_desks, our addition: past transcripts become an assistant, and people go on where it should not."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store import collections
from zhuli.store.applications import support as store
from zhuli.store.schema import support_desks, support_handoffs, support_proposals, support_tasks
from zhuli.types.applications.support import (
    Desk,
    DeskCreate,
    DeskList,
    DeskModify,
    EvaluationCreate,
    Handoff,
    HandoffAnswer,
    HandoffClaim,
    HandoffList,
    HandoffReturn,
    HandoffStatus,
    ImportCreate,
    Proposal,
    ProposalCreate,
    ProposalKind,
    ProposalList,
    ProposalModify,
    ProposalStatus,
    PublishCreate,
    SupportTask,
    TaskList,
)
from zhuli.types.page import Deleted

router = APIRouter(prefix="/v1/support_desks", tags=["Support desks"], route_class=JsonRoute, strict_content_type=False)


@router.post("", response_model=Desk)
async def create_desk(body: DeskCreate, app: TheApp, actor: TheActor) -> Response:
    """A desk that nothing is imported for yet."""
    return Json(await app.applications.support.desks.create(actor.project, body))


@router.get("", response_model=DeskList)
async def list_desks(page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The project's desks."""
    return Json(await app.database.run(collections.page, support_desks, Desk, actor.project, page))


@router.get("/{desk_id}", response_model=Desk)
async def get_desk(desk_id: str, app: TheApp, actor: TheActor) -> Response:
    """One desk, with what is published of it."""
    return Json(await app.database.run(store.desk, actor.project, desk_id))


@router.post("/{desk_id}", response_model=Desk)
async def modify_desk(desk_id: str, body: DeskModify, app: TheApp, actor: TheActor) -> Response:
    """Change a desk: risks and hours hold at once, the rest from the next publishing on."""
    return Json(await app.applications.support.desks.modify(actor.project, desk_id, body))


@router.delete("/{desk_id}", response_model=Deleted)
async def delete_desk(desk_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete a desk with its dialogues, proposals and handoffs; what was published stays."""
    await app.database.run(store.remove_desk, actor.project, desk_id)
    return Json(Deleted(id=desk_id, object="support.desk.deleted"))


@router.post("/{desk_id}/imports", response_model=SupportTask)
async def import_transcripts(desk_id: str, body: ImportCreate, app: TheApp, actor: TheActor) -> Response:
    """Read transcripts, and propose what they teach."""
    return Json(await app.applications.support.desks.begin(actor.project, desk_id, "import", body))


@router.post("/{desk_id}/publish", response_model=SupportTask)
async def publish_desk(desk_id: str, body: PublishCreate, app: TheApp, actor: TheActor) -> Response:
    """Build the next version of what was accepted."""
    return Json(await app.applications.support.desks.begin(actor.project, desk_id, "publish", body))


@router.post("/{desk_id}/evaluations", response_model=SupportTask)
async def evaluate_desk(desk_id: str, body: EvaluationCreate, app: TheApp, actor: TheActor) -> Response:
    """Replay dialogues that were held out through what is published."""
    return Json(await app.applications.support.desks.begin(actor.project, desk_id, "evaluation", body))


@router.get("/{desk_id}/tasks", response_model=TaskList)
async def list_desk_tasks(desk_id: str, page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The work that was asked for."""
    await app.database.run(store.desk, actor.project, desk_id)
    where = {"desk_id": desk_id}
    return Json(await app.database.run(collections.page, support_tasks, SupportTask, actor.project, page, where))


@router.get("/{desk_id}/tasks/{work_id}", response_model=SupportTask)
async def get_desk_task(desk_id: str, work_id: str, app: TheApp, actor: TheActor) -> Response:
    """How far a piece of work is, and what came of it."""
    where = {"desk_id": desk_id}
    return Json(await app.database.run(collections.get, support_tasks, SupportTask, actor.project, work_id, where))


@router.post("/{desk_id}/proposals", response_model=Proposal)
async def create_proposal(desk_id: str, body: ProposalCreate, app: TheApp, actor: TheActor) -> Response:
    """A proposal of a person's own."""
    return Json(await app.applications.support.desks.propose(actor.project, desk_id, body))


@router.get("/{desk_id}/proposals", response_model=ProposalList)
async def list_proposals(
    desk_id: str,
    page: ThePage,
    app: TheApp,
    actor: TheActor,
    kind: ProposalKind | None = None,
    status: ProposalStatus | None = None,
) -> Response:
    """What is proposed, by kind and status where those are given."""
    await app.database.run(store.desk, actor.project, desk_id)
    where = {"desk_id": desk_id, **({"kind": kind} if kind else {})}
    only = {"status": status} if status else {}
    found = await app.database.run(collections.page, support_proposals, Proposal, actor.project, page, where, only)
    return Json(found)


@router.get("/{desk_id}/proposals/{proposal_id}", response_model=Proposal)
async def get_proposal(desk_id: str, proposal_id: str, app: TheApp, actor: TheActor) -> Response:
    """One proposal."""
    where = {"desk_id": desk_id}
    found = await app.database.run(collections.get, support_proposals, Proposal, actor.project, proposal_id, where)
    return Json(found)


@router.post("/{desk_id}/proposals/{proposal_id}", response_model=Proposal)
async def modify_proposal(
    desk_id: str, proposal_id: str, body: ProposalModify, app: TheApp, actor: TheActor
) -> Response:
    """Edit, accept or reject a proposal."""
    desks = app.applications.support.desks
    return Json(await desks.modify_proposal(actor.project, desk_id, proposal_id, body))


@router.get("/{desk_id}/handoffs", response_model=HandoffList)
async def list_handoffs(
    desk_id: str,
    page: ThePage,
    app: TheApp,
    actor: TheActor,
    status: Annotated[HandoffStatus | None, Query()] = None,
) -> Response:
    """The agents' queue, by status where it is given."""
    await app.database.run(store.desk, actor.project, desk_id)
    only = {"status": status} if status else {}
    where = {"desk_id": desk_id}
    found = await app.database.run(collections.page, support_handoffs, Handoff, actor.project, page, where, only)
    return Json(found)


@router.get("/{desk_id}/handoffs/{handoff_id}", response_model=Handoff)
async def get_handoff(desk_id: str, handoff_id: str, app: TheApp, actor: TheActor) -> Response:
    """One handoff, with summary, state and suggested answers."""
    where = {"desk_id": desk_id}
    return Json(await app.database.run(collections.get, support_handoffs, Handoff, actor.project, handoff_id, where))


@router.post("/{desk_id}/handoffs/{handoff_id}/claim", response_model=Handoff)
async def claim_handoff(desk_id: str, handoff_id: str, body: HandoffClaim, app: TheApp, actor: TheActor) -> Response:
    """An agent takes it."""
    return Json(await app.applications.support.queue.claim(actor.project, desk_id, handoff_id, body))


@router.post("/{desk_id}/handoffs/{handoff_id}/answer", response_model=Handoff)
async def answer_handoff(desk_id: str, handoff_id: str, body: HandoffAnswer, app: TheApp, actor: TheActor) -> Response:
    """An agent's answer goes to the user, and into what is learned from."""
    return Json(await app.applications.support.queue.answer(actor.project, desk_id, handoff_id, body))


@router.post("/{desk_id}/handoffs/{handoff_id}/return", response_model=Handoff)
async def return_handoff(desk_id: str, handoff_id: str, body: HandoffReturn, app: TheApp, actor: TheActor) -> Response:
    """Give it back to the queue, or to the assistant."""
    return Json(await app.applications.support.queue.give_back(actor.project, desk_id, handoff_id, body))
