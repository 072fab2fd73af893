"""/v1/end_users, our addition: forgetting the people who talk to an app."""

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.server.json_route import JsonRoute
from zhuli.server.parameters import Json, TheActor, TheApp
from zhuli.types.learning.dataset import EndUserDeleted

router = APIRouter(prefix="/v1/end_users", tags=["End users"], route_class=JsonRoute, strict_content_type=False)


@router.delete("/{user_id:path}", response_model=EndUserDeleted)
async def delete_end_user(user_id: str, app: TheApp, actor: TheActor) -> Response:
    """Their feedback and examples go; versions and models that have seen them are marked and named."""
    return Json(await app.learning.datasets.delete_user(actor.project, user_id))
