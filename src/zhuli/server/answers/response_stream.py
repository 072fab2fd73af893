"""A run's log as a response of the Responses API: streamed as events from any point on, or whole when it has ended."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson
from starlette.responses import Response as HttpResponse

from zhuli.app import App
from zhuli.assistants.responses.commands import Begun
from zhuli.assistants.responses.events import Event, ResponseEvents
from zhuli.assistants.runs.follow import tail
from zhuli.core.errors import ZhuliError
from zhuli.server.answers.stream import KEEP_ALIVE, EventStream
from zhuli.types.assistants.response import Include, Response

RESULTS: Include = "file_search_call.results"


def response_stream(app: App, project: str, begun: Begun, *, after: int = -1, results: bool) -> HttpResponse:
    """The response's events behind this number, then what comes, to its end. results: with what file searches found."""
    return EventStream(_encoded(app, project, begun, after, results))


async def whole_response(app: App, project: str, begun: Begun, *, results: bool) -> Response:
    """The response when it has ended, whatever became of it."""
    last: Event | None = None
    async with aclosing(_events(app, begun, results=results)) as pieces:
        async for events in pieces:
            last = events[-1] if events else last
    if last is None or "response" not in last:  # the log was there before its run had ended
        return await app.assistants.responses.get(project, begun.response_id, results=results)
    await _forget(app, project, begun)
    return Response.model_validate(last["response"])


async def _encoded(app: App, project: str, begun: Begun, after: int, results: bool) -> AsyncGenerator[bytes, None]:
    number = after
    try:
        async with aclosing(_events(app, begun, results=results)) as pieces:
            async for events in pieces:
                fresh = [event for event in events if event["sequence_number"] > after]
                if events and not fresh:
                    continue
                number = events[-1]["sequence_number"] if events else number
                yield b"".join(map(_encode, fresh)) if fresh else KEEP_ALIVE
    except ZhuliError as error:
        fields = {"code": error.code or error.type, "message": error.message, "param": error.param}
        yield _encode({"type": "error", "sequence_number": number + 1, **fields})
        return
    await _forget(app, project, begun)


async def _events(app: App, begun: Begun, *, results: bool) -> AsyncGenerator[list[Event], None]:
    """Events in the pieces in which they came; an empty list after a while of silence."""
    fold = ResponseEvents(begun.asked, results=results)
    idle = app.settings.keepalive_seconds
    async with aclosing(tail(app.database, app.hints, begun.run.id, after=0, idle=idle)) as pieces:
        async for logged in pieces:
            if not logged:
                yield []
                continue
            events = [event for entry in logged for event in fold.feed(entry)]
            if events:
                yield events
            if fold.over:
                return


async def _forget(app: App, project: str, begun: Begun) -> None:
    """What is not stored is gone when it has been told."""
    if not begun.asked.store:
        await app.assistants.responses.forget(project, begun.run.thread_id)


def _encode(event: Event) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), orjson.dumps(event))
