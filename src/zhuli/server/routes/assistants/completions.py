"""/v1/completions: texts that a model goes on with, for apps from before chats, and for models that are no chat models."""

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.knowledge.retrieval.searching import token_input
from zhuli.server.answers.stream import EventStream
from zhuli.server.completions.text_completing import TextCompleting
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp
from zhuli.server.routes.assistants.chat import entry_of
from zhuli.types.models.text_completion import TextCompletion, TextRequest

router = APIRouter(prefix="/v1/completions", tags=["Completions"], route_class=JsonRoute, strict_content_type=False)

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "The answer, or its chunks with stream: true."}
}


@router.post("", response_model=TextCompletion, responses=_STREAM)
async def create_completion(body: TextRequest, app: TheApp, actor: TheActor) -> Response:
    """Go on with a text, or with several."""
    entry = await entry_of(app, actor.project, body.model)
    prompts = await asyncio.to_thread(_texts, body.prompt)
    completing = TextCompleting(entry, body, prompts, now=int(app.clock.now()))
    return EventStream(await completing.begun()) if body.stream else Json(await completing.whole())


def _texts(given: Any) -> list[str]:
    """The texts of every form that `prompt` may have."""
    if isinstance(given, str):
        return [given]
    if isinstance(given[0], str):
        return list(given)
    lists = given if isinstance(given[0], list) else [given]
    return [token_input.text_of(tokens, param="prompt") for tokens in lists]
