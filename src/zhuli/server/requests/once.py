"""Idempotency-Key: a POST that is sent again, since its answer was lost, gets that answer, and nothing is done twice.

What is kept and how it survives a crash is store.kept_answers' part. Refusals and failures are not kept: nothing was done.
Nor are streams of chat completions, which are asked again, nor answers of more than a megabyte that changed nothing.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import orjson
from fastapi import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from zhuli.app import App
from zhuli.core import json_limits
from zhuli.core.errors import Conflict, InvalidRequest
from zhuli.core.ids import new_id
from zhuli.server.answers.response_stream import RESULTS, response_stream, whole_response
from zhuli.server.answers.run_stream import run_stream
from zhuli.server.doors import azure
from zhuli.server.requests.forms import pieces
from zhuli.store import kept_answers
from zhuli.store.kept_answers import Kept, Keyed
from zhuli.types.assistants.response import Response as ModelResponse
from zhuli.types.assistants.run import Run

log = logging.getLogger(__name__)

HEADER = "idempotency-key"
LONGEST_KEY = 255
MOST_KEPT = 1_000_000
"""Characters of an answer to a request that changed nothing."""

WAITING_SECONDS = 20.0
"""For which a request waits for another one with its key, before it is told to come again."""

_LOOK_SECONDS = 0.05, 0.5
"""How often it looks, first and at last."""


async def once(request: Request, kind: Any, digest: Callable[[], Awaitable[str]], call: Callable[[], Any]) -> Response:
    """The answer of `call`, or the one that was given before. kind: of what the route answers with."""
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST" or "actor" not in request.scope:
        answer: Response = await call()
        return answer
    _check(key)
    app: App = request.app.state.app
    row = _digest(request.scope["actor"].project, request.url.path, key)
    keyed = Keyed(row, new_id("req"), kind if isinstance(kind, type) else None)
    try:
        asked = _digest(await digest(), str(request.url.query), request.scope.get(azure.DEPLOYMENT, ""))
    except ClientDisconnect as gone:
        raise InvalidRequest("The body broke off before its end.") from gone
    kept = await _claimed(app, keyed, asked)
    return await _again(request, app, keyed, kept) if kept else await _answered(request, app, keyed, call)


async def digest_of_body(request: Request) -> str:
    """Of a JSON body: equal for equal values, however they are written. What is beyond the limits of JSON is refused."""
    body = await request.body()
    with suppress(orjson.JSONDecodeError, orjson.JSONEncodeError):
        body = orjson.dumps(json_limits.read(body), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(body).hexdigest()


async def digest_of_form(request: Request) -> str:
    """Of a form's fields and files; what stands between them is another one each time."""
    digest = hashlib.sha256()
    for name, value in (await request.form()).multi_items():
        text = value if isinstance(value, str) else value.filename
        digest.update(orjson.dumps([name, text]))
        if not isinstance(value, str):
            async for piece in pieces(UploadFile(value.file, size=value.size)):
                digest.update(piece)
    return digest.hexdigest()


def _check(key: str) -> None:
    if not 0 < len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidRequest(
            f"Invalid 'Idempotency-Key': expected 1 to {LONGEST_KEY} printable ASCII characters, like a UUID.",
            param="Idempotency-Key",
            code="invalid_value",
        )


async def _claimed(app: App, keyed: Keyed, digest: str) -> Kept | None:
    """The answer that was given before; None if the request is to be answered here."""
    deadline, wait = asyncio.get_running_loop().time() + WAITING_SECONDS, _LOOK_SECONDS[0]
    while True:
        found = await app.database.run(kept_answers.claim, keyed, digest, now=app.clock.now())
        if found is True:
            return None
        if isinstance(found, Kept):
            return found
        if asyncio.get_running_loop().time() > deadline:
            raise Conflict(
                "A request with this 'Idempotency-Key' is still being answered. Send it again later.",
                param="Idempotency-Key",
                code="idempotency_key_in_use",
            )
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LOOK_SECONDS[1])


async def _answered(request: Request, app: App, keyed: Keyed, call: Callable[[], Any]) -> Response:
    token = kept_answers.current.set(keyed)
    living = asyncio.create_task(_live(app, keyed))
    try:
        response: Response = await call()
        await _finish(app, keyed, response, _success(request))
    except BaseException:
        await asyncio.shield(app.database.run(kept_answers.release, keyed))
        raise
    finally:
        living.cancel()
        keyed.kind = None  # what goes on behind the answer, in tasks of its own, is no answer
        kept_answers.current.reset(token)
    return response


def _success(request: Request) -> int:
    """The status with which the route answers where all is well: 200, or 201 in some."""
    return getattr(request.scope.get("route"), "status_code", None) or 200


async def _finish(app: App, keyed: Keyed, response: Response, success: int) -> None:
    """Keep the answer as it is sent, which may say more than what the transaction gave."""
    body = getattr(response, "body", None)
    if not isinstance(body, bytes) or response.status_code != success or (keyed.kept is None and len(body) > MOST_KEPT):
        await app.database.run(kept_answers.release, keyed)
    elif (said := body.decode()) != keyed.kept:
        await app.database.run(kept_answers.finish, keyed, said)


async def _live(app: App, keyed: Keyed) -> None:
    """Keep others from taking the request over, as long as this process lives."""
    while True:
        await asyncio.sleep(kept_answers.LEASE_SECONDS / 3)
        try:
            await app.database.run(kept_answers.prolong, keyed, now=app.clock.now())
        except Exception:
            log.exception("The lease of a request with a key can't be prolonged; trying again")


async def _again(request: Request, app: App, keyed: Keyed, kept: Kept) -> Response:
    """What was answered before; of a run that is streamed, its stream from where it began."""
    if keyed.kind is Run and await _is_streamed(request):
        run = Run.model_validate_json(kept.answer)
        include = request.query_params.getlist("include[]")
        response = run_stream(app, run.id, after=kept.position, include=include)
    elif keyed.kind is ModelResponse:
        response = await _response_again(request, app, kept.answer)
    else:
        response = Response(kept.answer, _success(request), media_type="application/json")
    response.headers["idempotent-replayed"] = "true"
    return response


async def _response_again(request: Request, app: App, answer: str) -> Response:
    """A response is streamed from its beginning; one that was not done when it was answered is told when it is."""
    shown, project = ModelResponse.model_validate_json(answer), request.scope["actor"].project
    streamed = await _is_streamed(request)
    if streamed or (shown.status == "in_progress" and not shown.background):
        begun = await app.assistants.responses.find(project, shown.id)
        results = RESULTS in (orjson.loads(await request.body()).get("include") or ())
        if streamed:
            return response_stream(app, project, begun, results=results)
        answer = (await whole_response(app, project, begun, results=results)).model_dump_json()
    return Response(answer, _success(request), media_type="application/json")


async def _is_streamed(request: Request) -> bool:
    """By its body, which fits, since it was answered before; a cancellation has none."""
    body = await request.body()
    return bool(body) and orjson.loads(body).get("stream") is True


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
