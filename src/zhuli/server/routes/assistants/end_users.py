"""/v1/end_users and /v1/end_user_deletions, our addition: the people who talk to an app, deleted and exported."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store import collections
from zhuli.store.schema import end_user_deletions
from zhuli.types.end_users import DeletionList, EndUserDeleted, EndUserDeletion

router = APIRouter(prefix="/v1", tags=["End users"], route_class=JsonRoute, strict_content_type=False)


@router.delete("/end_users/{user_id:path}", response_model=EndUserDeleted)
async def delete_end_user(user_id: str, app: TheApp, actor: TheActor) -> Response:
    """Everything of theirs goes, from conversations to examples in data sets; what has learned from them is marked and named."""
    return Json(await app.assistants.end_users.delete(actor.project, user_id, by=actor.key))


@router.get("/end_users/{user_id:path}/export", response_class=Response)
async def export_end_user(user_id: str, app: TheApp, actor: TheActor) -> Response:
    """Everything of theirs as JSON Lines: {"kind", "data"}."""
    lines = app.assistants.end_users.export(actor.project, user_id)
    first = await anext(lines)
    headers = {"content-disposition": 'attachment; filename="end_user.jsonl"'}
    return StreamingResponse(_from(first, lines), media_type="application/jsonl", headers=headers)


@router.get("/end_user_deletions", response_model=DeletionList)
async def list_deletions(page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The records of deletions."""
    return Json(await app.database.run(collections.page, end_user_deletions, EndUserDeletion, actor.project, page))


@router.get("/end_user_deletions/{deletion_id}", response_model=EndUserDeletion)
async def get_deletion(deletion_id: str, app: TheApp, actor: TheActor) -> Response:
    """How far a deletion is, and what it came to."""
    found = await app.database.run(collections.get, end_user_deletions, EndUserDeletion, actor.project, deletion_id)
    return Json(found)


async def _from(first: bytes, lines: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(lines):
        yield first
        async for line in lines:
            yield line
