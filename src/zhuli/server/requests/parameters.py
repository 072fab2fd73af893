"""What routes have in common: the app, the actor, list parameters, ids, and how an object becomes a response."""

from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from zhuli.app import App
from zhuli.core.errors import InvalidRequest
from zhuli.server.doors.actor import Actor
from zhuli.server.requests.given import Given
from zhuli.settings import Settings
from zhuli.types.page import Order, PageParams

PREFIXES = {
    "assistant_id": "asst",
    "thread_id": "thread",
    "message_id": "msg",
    "run_id": "run",
    "step_id": "step",
    "file_id": "file",
    "upload_id": "upload",
    "vector_store_id": "vs",
    "batch_id": "vsfb",
    "domain_id": "dom",
    "audit_id": "audit",
    "feedback_id": "fb",
    "dataset_id": "dset",
    "version_id": "dsv",
    "task_id": "dst",
    "eval_id": "eval",
    "output_item_id": "outputitem",
    "recommender_id": "rec",
    "training_id": "rtr",
    "deletion_id": "eud",
    "desk_id": "desk",
    "proposal_id": "prop",
    "handoff_id": "hand",
    "response_id": "resp",
}


def _app(request: Request) -> App:
    app: App = request.app.state.app
    if app.settings.strict.ids:
        for name, value in request.path_params.items():
            check_id(app.settings, name, value)
    return app


def _actor(request: Request) -> Actor:
    actor: Actor = request.scope["actor"]
    return actor


async def _page(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Order = "desc",
    after: str | None = None,
    before: str | None = None,
) -> PageParams:
    return PageParams(limit, order, after, before)


TheApp = Annotated[App, Given(_app)]
TheActor = Annotated[Actor, Given(_actor)]
ThePage = Annotated[PageParams, Depends(_page)]


def check_id(settings: Settings, name: str, value: Any) -> None:
    """Under strict.ids, refuse an id that does not begin as it should."""
    prefix = PREFIXES.get(name)
    if settings.strict.ids and prefix is not None and not str(value).startswith(prefix):
        raise InvalidRequest(
            f"Invalid '{name}': '{value}'. Expected an ID that begins with '{prefix}'.",
            param=name,
            code="invalid_value",
        )


class Json(Response):
    """An object as a response; it is one of ours, so it is not validated again."""

    media_type = "application/json"

    def __init__(self, item: BaseModel, headers: dict[str, str] | None = None, *, status: int = 200) -> None:
        super().__init__(item.model_dump_json(), status, headers=headers)
