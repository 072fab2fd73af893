"""/v1/organization/usage: what models were asked for, in buckets of time; of the project that the key opens.

Shapes and parameters are the published ones; `predictions` beside completions, embeddings and moderations is our addition.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from zhuli.core.errors import InvalidRequest
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp
from zhuli.store import usage
from zhuli.store.usage import GROUPS, Asked, Kind
from zhuli.types.usage import UsageBucket, UsagePage, UsageResult, result_of

router = APIRouter(prefix="/v1/organization/usage", tags=["Organization"], route_class=JsonRoute)

WIDTHS = {"1m": usage.MINUTE, "1h": usage.HOUR, "1d": usage.DAY}
_BUCKETS = {"1m": (60, 1440), "1h": (24, 168), "1d": (7, 31)}
"""How many buckets are given, where that is not said; and at most."""

_NOT_TOLD_APART = ("user_id", "batch", "service_tier", "api_source")
"""Groups that the original has; here everything is in one."""

_LAST = 2**40
"""The last second that may be asked for, some tens of thousands of years from now."""


@router.get("/{kind}", response_model=UsagePage)
async def get_usage(
    kind: Kind,
    request: Request,
    app: TheApp,
    actor: TheActor,
    start_time: Annotated[int, Query(ge=0, le=_LAST)],
    end_time: Annotated[int | None, Query(ge=0, le=_LAST)] = None,
    bucket_width: Literal["1m", "1h", "1d"] = "1d",
    limit: Annotated[int | None, Query(ge=1)] = None,
    page: str | None = None,
) -> Response:
    """Tokens and requests of a kind, by minute, hour or day (UTC), grouped by project_id, api_key_id and model."""
    usual, most = _BUCKETS[bucket_width]
    if limit is not None and limit > most:
        raise InvalidRequest(
            f"Invalid 'limit': at most {most} buckets of {bucket_width}.", param="limit", code="integer_above_max_value"
        )
    width, now = WIDTHS[bucket_width], int(app.clock.now())
    start = _page(page) if page is not None else start_time
    start -= start % width
    end = min(end_time if end_time is not None else now + 1, now + width)
    last = min(end, start + (limit or usual) * width)
    groups = _groups(listed(request, "group_by"))
    projects = listed(request, "project_ids")
    asked = Asked(
        kind,
        start,
        last,
        width,
        project=actor.project,
        groups=groups,
        keys=listed(request, "api_key_ids"),
        models=listed(request, "models"),
    )
    if projects and actor.project not in projects:
        asked = Asked(kind, start, start, width, project=actor.project)
    results = await app.database.run(_results, asked)
    buckets = [
        UsageBucket(start_time=at, end_time=min(at + width, max(end, at + 1)), results=results.get(at, []))
        for at in range(start, last, width)
    ]
    more = last < end
    return Json(UsagePage(data=buckets, has_more=more, next_page=f"page_{last}" if more else None))


def _results(connection: Connection, asked: Asked) -> dict[int, list[UsageResult]]:
    found: dict[int, list[UsageResult]] = {}
    for one in usage.used(connection, asked):
        group = {name: value or None for name, value in one.group.items()}
        found.setdefault(one.bucket, []).append(result_of(asked.kind, one.counts, group))
    return found


def listed(request: Request, name: str) -> list[str]:
    """A list in the query, as SDKs write it (name[]=a), plainly, or with commas."""
    given = [*request.query_params.getlist(f"{name}[]"), *request.query_params.getlist(name)]
    return [value for text in given for value in text.split(",") if value][:200]


def _groups(names: list[str]) -> list[str]:
    if wrong := [name for name in names if name not in (*GROUPS, *_NOT_TOLD_APART)]:
        raise InvalidRequest(
            f"Invalid 'group_by': '{wrong[0]}'. Supported are {', '.join(GROUPS)}.",
            param="group_by",
            code="invalid_value",
        )
    return [name for name in GROUPS if name in names]


def _page(page: str) -> int:
    number = page.removeprefix("page_")
    if not (number.isascii() and number.isdigit() and len(number) < 13):
        raise InvalidRequest("Invalid 'page': give the 'next_page' of an answer.", param="page", code="invalid_value")
    return int(number)
