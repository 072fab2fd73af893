"""/v1/responses: runs, seen by the Responses API.

A route never touches the engine: it records what the client wants, and follows the run's log.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response as HttpResponse

from zhuli.core.errors import InvalidRequest
from zhuli.server.answers.response_stream import RESULTS, response_stream, whole_response
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.types.assistants.response import DeletedResponse, Include, ItemList, Response, ResponseCreate

router = APIRouter(prefix="/v1/responses", tags=["Responses"], route_class=JsonRoute, strict_content_type=False)


async def _results(
    include: Annotated[list[Include], Query(alias="include[]")] = [],
    included: Annotated[list[Include], Query(alias="include")] = [],
) -> bool:
    """Clients send either name."""
    return RESULTS in (*include, *included)


WithResults = Annotated[bool, Depends(_results)]
"""Whether items show what file searches found."""

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "The response, or its events with stream: true."}
}


@router.post("", response_model=Response, responses=_STREAM)
async def create_response(body: ResponseCreate, app: TheApp, actor: TheActor) -> HttpResponse:
    """Ask a model, in a conversation or by itself; with stream the response's events follow."""
    begun = await app.assistants.responses.create(actor.project, body)
    results = RESULTS in (body.include or ())
    if body.stream:
        return response_stream(app, actor.project, begun, results=results)
    if body.background:
        return Json(begun.shown)
    return Json(await whole_response(app, actor.project, begun, results=results))


@router.get("/{response_id}", response_model=Response, responses=_STREAM)
async def get_response(
    response_id: str,
    app: TheApp,
    actor: TheActor,
    results: WithResults,
    stream: bool = False,
    starting_after: Annotated[int | None, Query(ge=0)] = None,
) -> HttpResponse:
    """One response, as it is now; with stream its events from the first, or behind starting_after, then what comes."""
    if not stream:
        return Json(await app.assistants.responses.get(actor.project, response_id, results=results))
    begun = await app.assistants.responses.find(actor.project, response_id)
    after = -1 if starting_after is None else starting_after
    return response_stream(app, actor.project, begun, after=after, results=results)


@router.delete("/{response_id}", response_model=DeletedResponse)
async def delete_response(response_id: str, app: TheApp, actor: TheActor) -> HttpResponse:
    """Delete a response; what it said stays as long as later responses, or a conversation, have it before them."""
    await app.assistants.responses.delete(actor.project, response_id)
    return Json(DeletedResponse(id=response_id))


@router.post("/{response_id}/cancel", response_model=Response)
async def cancel_response(response_id: str, app: TheApp, actor: TheActor) -> HttpResponse:
    """Cancel a response that is made in the background."""
    return Json(await app.assistants.responses.cancel(actor.project, response_id))


@router.get("/{response_id}/input_items", response_model=ItemList)
async def list_input_items(
    response_id: str, page: ThePage, app: TheApp, actor: TheActor, results: WithResults
) -> HttpResponse:
    """What a response was given: the conversation before it, and its own input."""
    if page.before is not None:
        raise no_before()
    found = await app.assistants.responses.input_items(actor.project, response_id, page, results=results)
    return Json(found.as_list())


def no_before() -> InvalidRequest:
    """The error for the one cursor that lists of items do not have."""
    return InvalidRequest(
        "Unknown parameter: 'before'. Lists of items have 'after', and 'order'.",
        param="before",
        code="unknown_parameter",
    )
