"""GET /v1/organization/audit_logs: who did what, when and from where; of the project that the key opens."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from zhuli.core.errors import InvalidRequest
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import TheActor, TheApp
from zhuli.server.routes.organization.usage import listed
from zhuli.store import audit_log
from zhuli.types.audit_log import AuditLog
from zhuli.types.page import Page

router = APIRouter(prefix="/v1/organization/audit_logs", tags=["Organization"], route_class=JsonRoute)

_BOUNDS = {"gt": ("since", 1), "gte": ("since", 0), "lt": ("before", 0), "lte": ("before", 1)}
"""A bound of effective_at, and what makes of it from which second on, or before which."""


@router.get("", response_model=Page[AuditLog])
async def list_audit_logs(
    request: Request,
    app: TheApp,
    actor: TheActor,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: str | None = None,
    before: str | None = None,
) -> Response:
    """Entries of the audit log, newest first; by event_types, actor_ids, resource_ids and effective_at."""
    projects = listed(request, "project_ids")
    wanted = audit_log.Wanted(
        project=actor.project if not projects or actor.project in projects else "-",
        types=listed(request, "event_types"),
        actors=listed(request, "actor_ids"),
        resources=listed(request, "resource_ids"),
        **_times(request),
    )
    found, more = await app.database.run(audit_log.page, wanted, limit=limit, after=after, before=before)
    ends = {"first_id": found[0].id if found else None, "last_id": found[-1].id if found else None}
    body = {"object": "list", "data": [one.shown() for one in found], **ends, "has_more": more}
    return Response(orjson.dumps(body), media_type="application/json")


def _times(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for bound, (name, more) in _BOUNDS.items():
        given = request.query_params.get(f"effective_at[{bound}]")
        if given is None:
            continue
        if not (given.isascii() and given.isdigit() and len(given) < 13):
            raise InvalidRequest(
                f"Invalid 'effective_at[{bound}]': expected seconds since 1970.",
                param=f"effective_at[{bound}]",
                code="invalid_value",
            )
        found[name] = int(given) + more
    return found
