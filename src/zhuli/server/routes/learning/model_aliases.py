"""/v1/model_aliases, our addition: names of the project's own that lead to models, and can be moved and moved back."""

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.app import App
from zhuli.learning.jobs.aliases import Aliases
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store.learning import retuning, tuned_models
from zhuli.types.learning.drift import Drift
from zhuli.types.learning.model_alias import Alias, AliasList, AliasMoveTo
from zhuli.types.learning.retuning import Candidate, CandidateCreate, Decision, Policy, PolicyCreate, Signature
from zhuli.types.page import Deleted, Page

router = APIRouter(prefix="/v1/model_aliases", tags=["Model aliases"], route_class=JsonRoute, strict_content_type=False)


@router.get("", response_model=AliasList)
async def list_aliases(app: TheApp, actor: TheActor) -> Response:
    """The aliases of the project."""
    return Json(AliasList(data=await app.database.run(tuned_models.aliases_of, actor.project)))


@router.get("/{alias}", response_model=Alias)
async def get_alias(alias: str, app: TheApp, actor: TheActor) -> Response:
    """Where an alias leads, and where it led."""
    return Json(await app.database.run(tuned_models.alias, actor.project, alias))


@router.put("/{alias}", response_model=Alias)
async def move_alias(alias: str, body: AliasMoveTo, app: TheApp, actor: TheActor) -> Response:
    """Make an alias, or lead it to another model."""
    return Json(await _aliases(app).move(actor.project, alias, body.model))


@router.post("/{alias}/rollback", response_model=Alias)
async def roll_alias_back(alias: str, app: TheApp, actor: TheActor) -> Response:
    """Lead the alias back to the model before."""
    return Json(await _aliases(app).roll_back(actor.project, alias))


@router.delete("/{alias}", response_model=Deleted)
async def delete_alias(alias: str, app: TheApp, actor: TheActor) -> Response:
    """Delete an alias; the models stay."""
    await _aliases(app).give_up(actor.project, alias)
    return Json(Deleted(id=alias, object="model_alias.deleted"))


@router.get("/{alias}/drift", response_model=Drift)
async def get_drift(alias: str, app: TheApp, actor: TheActor) -> Response:
    """How the traffic of the alias has drifted, window by window, and which messages are new."""
    return Json(await app.learning.drift.report(actor.project, alias))


@router.get("/{alias}/policy", response_model=Policy)
async def get_policy(alias: str, app: TheApp, actor: TheActor) -> Response:
    """The policy in force."""
    return Json(await app.database.run(retuning.policy, actor.project, alias))


@router.post("/{alias}/policy", response_model=Policy)
async def set_policy(alias: str, body: PolicyCreate, app: TheApp, actor: TheActor) -> Response:
    """Set the policy: what triggers a candidate, what it must pass, how it is promoted and watched."""
    return Json(await app.learning.retuning.set_policy(actor.project, alias, body))


@router.post("/{alias}/candidates", response_model=Candidate)
async def propose_candidate(alias: str, body: CandidateCreate, app: TheApp, actor: TheActor) -> Response:
    """Propose a candidate for the alias, by hand."""
    return Json(await app.learning.retuning.propose(actor.project, alias, body))


@router.get("/{alias}/candidates", response_model=Page[Candidate])
async def list_candidates(alias: str, app: TheApp, actor: TheActor, page: ThePage) -> Response:
    """The candidates of the alias, newest first."""
    return Json(await app.database.run(retuning.candidates, actor.project, alias, page))


@router.get("/{alias}/candidates/{candidate_id}", response_model=Candidate)
async def get_candidate(alias: str, candidate_id: str, app: TheApp, actor: TheActor) -> Response:
    """One candidate: the fold of its decisions."""
    return Json(await app.database.run(retuning.candidate, actor.project, candidate_id, alias))


@router.get("/{alias}/decisions", response_model=Page[Decision])
async def list_decisions(alias: str, app: TheApp, actor: TheActor, page: ThePage) -> Response:
    """What was decided for the alias and why, each decision with its numbers."""
    return Json(await app.database.run(retuning.decisions, actor.project, alias, page))


@router.post("/{alias}/decisions/{decision_id}/sign", response_model=Candidate)
async def sign_decision(alias: str, decision_id: str, body: Signature, app: TheApp, actor: TheActor) -> Response:
    """Approve or refuse what the gate has passed."""
    return Json(await app.learning.retuning.sign(actor.project, alias, decision_id, body))


def _aliases(app: App) -> Aliases:
    return Aliases(app.database, app.catalog, app.clock)
