"""/v1/files: bytes with a purpose."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, UploadFile
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from zhuli.core.errors import InvalidRequest
from zhuli.server.requests import forms
from zhuli.server.requests.form_route import FormRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp
from zhuli.store import collections
from zhuli.store.schema import files
from zhuli.types.knowledge.file import LONGEST_LIFE, SHORTEST_LIFE, UPLOADED, File, FileDeleted, UploadPurpose
from zhuli.types.page import Order, Page, PageParams

router = APIRouter(prefix="/v1/files", tags=["Files"], route_class=FormRoute)

ANCHOR, SECONDS = "expires_after[anchor]", "expires_after[seconds]"

_LONGEST_NAME = 200
"""Characters of a filename that go into a header."""


@router.post("", response_model=File)
async def create_file(
    request: Request,
    app: TheApp,
    actor: TheActor,
    file: UploadFile,
    purpose: Annotated[UploadPurpose, Form()],
    anchor: Annotated[Literal["created_at"] | None, Form(alias=ANCHOR)] = None,
    seconds: Annotated[int | None, Form(alias=SECONDS, ge=SHORTEST_LIFE, le=LONGEST_LIFE)] = None,
) -> Response:
    """Upload a file whole; larger ones go through /v1/uploads."""
    await forms.refuse_others(request, "file", "purpose", ANCHOR, SECONDS)
    forms.check_size(file, most=app.settings.max_upload_bytes, name="file")
    if (anchor is None) != (seconds is None):
        missing = ANCHOR if anchor is None else SECONDS
        raise InvalidRequest(
            f"Missing required parameter: '{missing}'.", param=missing, code="missing_required_parameter"
        )
    name = file.filename or "upload"
    data = forms.pieces(file)
    return Json(await app.knowledge.files.add(actor.project, data, filename=name, purpose=purpose, lifetime=seconds))


@router.get("", response_model=Page[File])
async def list_files(
    app: TheApp,
    actor: TheActor,
    purpose: str | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    order: Order = "desc",
    after: str | None = None,
) -> Response:
    """The project's files."""
    where = {} if purpose is None else {"purpose": purpose}
    params = PageParams(limit, order, after)
    return Json(await app.database.run(collections.page, files, File, actor.project, params, where))


@router.get("/{file_id}", response_model=File)
async def get_file(file_id: str, app: TheApp, actor: TheActor) -> Response:
    """What is known of a file."""
    return Json(await app.database.run(collections.get, files, File, actor.project, file_id))


@router.delete("/{file_id}", response_model=FileDeleted)
async def delete_file(file_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete the file; vector stores that have it lose it."""
    await app.knowledge.files.delete(actor.project, file_id)
    return Json(FileDeleted(id=file_id))


@router.get("/{file_id}/content", response_class=Response)
async def get_file_content(file_id: str, app: TheApp, actor: TheActor) -> Response:
    """The file's bytes."""
    file = await app.database.run(collections.get, files, File, actor.project, file_id)
    if app.settings.strict.downloads and file.purpose in UPLOADED:
        raise InvalidRequest(f"Not allowed to download files of purpose: {file.purpose}")
    content = app.blobs.read(file_id)
    try:
        first = await anext(content, b"")
    except KeyError:  # the file was deleted just now
        raise collections.missing(files, file_id) from None
    headers = {"content-length": str(file.bytes), "content-disposition": _attachment(file.filename)}
    return StreamingResponse(_from(first, content), media_type="application/octet-stream", headers=headers)


async def _from(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece


def _attachment(filename: str) -> str:
    """To be saved under its name, never shown: a page of a client's must not run in a browser (RFC 6266, RFC 8187)."""
    name = filename[-_LONGEST_NAME:]
    plain = "".join(sign if sign.isascii() and sign.isprintable() and sign not in '"\\%' else "_" for sign in name)
    header = f'attachment; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
