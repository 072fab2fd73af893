"""/v1/feedback, our addition: what people say of answers, and what others say to that."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from zhuli.learning.feedback.giving import shown_to_end_user
from zhuli.learning.feedback.importing import format_of, run_import
from zhuli.server.answers import pages
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store import collections
from zhuli.store.learning import feedback as store
from zhuli.store.schema import files
from zhuli.types.knowledge.file import File
from zhuli.types.learning.feedback import (
    Agreement,
    Feedback,
    FeedbackBatch,
    FeedbackCreate,
    FeedbackImport,
    FeedbackImported,
    FeedbackList,
    ReviewCreate,
    Source,
    State,
    TargetType,
)

router = APIRouter(prefix="/v1/feedback", tags=["Feedback"], route_class=JsonRoute, strict_content_type=False)


@router.post("", response_model=Feedback)
async def create_feedback(body: FeedbackCreate, app: TheApp, actor: TheActor) -> Response:
    """Say something of a message, a run, an understanding or a prediction."""
    given = await app.learning.feedback.give(actor.project, body, end_user=actor.end_user)
    return Json(shown_to_end_user(given) if actor.end_user else given)


@router.post("/batches", response_model=FeedbackList)
async def create_batch(body: FeedbackBatch, app: TheApp, actor: TheActor) -> Response:
    """Up to a thousand pieces at once: all are taken, or none."""
    given = await app.learning.feedback.give_all(actor.project, body.data, end_user=actor.end_user)
    shown = [shown_to_end_user(item) for item in given] if actor.end_user else given
    return Json(collections.as_page(shown, has_more=False))


@router.post("/imports", response_model=FeedbackImported)
async def import_feedback(body: FeedbackImport, app: TheApp, actor: TheActor) -> Response:
    """Take the feedback of an uploaded file, CSV or JSON Lines; lines that were here before are left out."""
    with collections.named_by("file"):
        file = await app.database.run(collections.get, files, File, actor.project, body.file)
    format = format_of(file.filename) if body.format == "auto" else body.format
    return Json(await run_import(app.learning.feedback, actor.project, app.blobs.read(file.id), format=format))


@router.get("", response_model=FeedbackList)
async def list_feedback(
    page: ThePage,
    app: TheApp,
    actor: TheActor,
    state: State | None = None,
    source: Source | None = None,
    target_type: TargetType | None = None,
    target_id: Annotated[str | None, Query(max_length=64)] = None,
    user: Annotated[str | None, Query(max_length=256)] = None,
) -> Response:
    """The project's feedback; each parameter that is given must fit."""
    given = {"state": state, "source": source, "target_type": target_type, "target_id": target_id, "end_user": user}
    only = {column: value for column, value in given.items() if value is not None}
    places = await app.database.run(store.places, actor.project, page, only)
    return await pages.page(app.database, places, Feedback)


@router.get("/agreement", response_model=Agreement)
async def get_agreement(app: TheApp, actor: TheActor) -> Response:
    """How far reviewers agree, by Cohen's kappa."""
    return Json(await app.learning.feedback.agreement(actor.project))


@router.get("/{feedback_id}", response_model=Feedback)
async def get_feedback(feedback_id: str, app: TheApp, actor: TheActor) -> Response:
    """One piece of feedback, with its reviews and what came of it."""
    return Json(await app.learning.datasets.feedback(actor.project, feedback_id))


@router.post("/{feedback_id}/reviews", response_model=Feedback)
async def create_review(feedback_id: str, body: ReviewCreate, app: TheApp, actor: TheActor) -> Response:
    """Accept, correct or reject it."""
    return Json(await app.learning.feedback.review(actor.project, feedback_id, body))
