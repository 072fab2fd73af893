"""/v1/domains, our addition: what assistants understand of their users' messages. Bodies are JSON or YAML."""

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.server.answers import pages
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.server.requests.yaml_route import MEDIA_TYPE, YamlRoute
from zhuli.store import collections
from zhuli.store.schema import domains
from zhuli.types.page import Deleted, Page
from zhuli.types.understanding.domain import Domain, DomainFields, DomainImport, DomainReport, ExampleCreate
from zhuli.types.understanding.domain_test import DomainTest, DomainTestCreate
from zhuli.understanding.domains.checks.findings import told
from zhuli.understanding.domains.drawing import draw
from zhuli.understanding.domains.importing import read_files
from zhuli.understanding.domains.yaml.writing import dump

router = APIRouter(prefix="/v1/domains", tags=["Domains"], route_class=YamlRoute, strict_content_type=False)

_MOST_NOTES = 5
"""Of one kind, about what an import did not take over."""

_YAML: dict[str, Any] = {MEDIA_TYPE: {}}


@router.post("", response_model=Domain)
async def create_domain(body: DomainFields, app: TheApp, actor: TheActor) -> Response:
    """Save a domain, given as JSON or YAML; it is checked and learned first."""
    return Json(await app.understanding.domains.create(actor.project, body))


@router.post("/check", response_model=DomainReport)
async def check_domain(body: DomainFields, app: TheApp, actor: TheActor) -> Response:
    """What is wrong with a domain, and what learning it shows; nothing is saved."""
    return Json(await app.understanding.domains.check(body))


@router.post("/{domain_id}", response_model=Domain)
async def modify_domain(domain_id: str, body: DomainFields, app: TheApp, actor: TheActor) -> Response:
    """Save the next version; each given field overwrites."""
    return Json(await app.understanding.domains.modify(actor.project, domain_id, body))


@router.post("/import", response_model=Domain)
async def import_domain(body: DomainImport, app: TheApp, actor: TheActor) -> Response:
    """A domain from the files of a Rasa, Dialogflow ES, LUIS or Botpress project, and what could not be taken over."""
    fields, findings = await asyncio.to_thread(read_files, body.files, body.format)
    fields = fields if body.name is None else fields.model_copy(update={"name": body.name})
    also = findings if body.all_notes else told(findings, most=_MOST_NOTES)
    return Json(await app.understanding.domains.create(actor.project, fields, also=also))


@router.post("/{domain_id}/examples", response_model=Domain)
async def create_example(domain_id: str, body: ExampleCreate, app: TheApp, actor: TheActor) -> Response:
    """Make what was said an example of what was meant: a message that was misread, by its understanding, or a text."""
    return Json(await app.understanding.domains.add_example(actor.project, domain_id, body))


@router.post("/{domain_id}/test", response_model=DomainTest)
async def test_domain(domain_id: str, body: DomainTestCreate, app: TheApp, actor: TheActor) -> Response:
    """Walk conversations through a domain, and read its examples by what the others teach; nothing is saved."""
    return Json(await app.understanding.domains.test(actor.project, domain_id, body))


@router.get("", response_model=Page[Domain])
async def list_domains(page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The project's domains."""
    places = await app.database.run(collections.places, domains, actor.project, page)
    return await pages.page(app.database, places, Domain)


@router.get("/{domain_id}", response_model=Domain)
async def get_domain(domain_id: str, app: TheApp, actor: TheActor) -> Response:
    """One domain, in its newest version."""
    return Json(await app.understanding.domains.get(actor.project, domain_id))


@router.get("/{domain_id}/export", responses={200: {"content": _YAML}}, response_class=Response)
async def export_domain(domain_id: str, app: TheApp, actor: TheActor) -> Response:
    """The domain as YAML, in the form that create reads."""
    domain = await app.understanding.domains.get(actor.project, domain_id)
    return Response(await asyncio.to_thread(dump, domain), media_type=MEDIA_TYPE)


@router.get("/{domain_id}/diagram", responses={200: {"content": {"text/plain": {}}}}, response_class=Response)
async def draw_domain(domain_id: str, app: TheApp, actor: TheActor) -> Response:
    """A picture of topics, forms and actions, as a flowchart in Mermaid."""
    domain = await app.understanding.domains.get(actor.project, domain_id)
    return Response(await asyncio.to_thread(draw, domain), media_type="text/plain; charset=utf-8")


@router.get("/{domain_id}/report", response_model=DomainReport)
async def get_report(domain_id: str, app: TheApp, actor: TheActor) -> Response:
    """What learning the domain showed about its examples."""
    return Json(await app.understanding.domains.report(actor.project, domain_id))


@router.delete("/{domain_id}", response_model=Deleted)
async def delete_domain(domain_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete the domain; runs that use it fail with a sentence."""
    await app.understanding.domains.remove(actor.project, domain_id)
    return Json(Deleted(id=domain_id, object="domain.deleted"))
