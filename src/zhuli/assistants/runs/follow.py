"""Follow a run's log: replay what came after a point, then tail it until the run rests. The only way events leave.

Streaming is this; reconnecting is this from a later point. It never touches the engine, and a follower that leaves changes
nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import zip_longest
from typing import Any

import orjson

from zhuli.core.errors import Unavailable
from zhuli.core.hints import Hints
from zhuli.store.assistants import runs
from zhuli.store.database import Database
from zhuli.types.assistants.event import RESTS, RunEvent

_LOOK_SECONDS = 1.0
"""How often a follower looks at the log of a run that another process may work on, should a hint be lost."""

_DONE = ("thread.message.completed", "thread.message.incomplete")


async def follow(
    database: Database, hints: Hints, run_id: str, *, after: int, idle: float
) -> AsyncGenerator[list[RunEvent], None]:
    """What clients see of tail(); the same, without events of ours."""
    async with aclosing(tail(database, hints, run_id, after=after, idle=idle)) as pieces:
        async for events in pieces:
            yield with_text(events)


async def tail(
    database: Database, hints: Hints, run_id: str, *, after: int, idle: float
) -> AsyncGenerator[list[RunEvent], None]:
    """Events after sequence `after`, in the pieces in which they came; an empty list after `idle` seconds of silence.

    Ends when the run rests: it has ended, or waits for the client. Raises NotFound when the run is deleted meanwhile, and
    Unavailable when the process stops.
    """
    position = after
    silent = 0.0
    news: list[RunEvent] | None = None
    with hints.listen(runs.topic(run_id)) as queue:
        while True:
            if news and news[0].sequence <= position + 1:
                fresh = [event for event in news if event.sequence > position]
                resting = any(event.name in RESTS for event in fresh)
            else:
                fresh, resting = await database.run(runs.read_on, run_id, position)
            if fresh:
                position = fresh[-1].sequence
                silent = 0.0
                yield fresh
            if resting:
                return
            if hints.closed:
                raise Unavailable(f"The server is stopping. The run goes on; follow it at …/runs/{run_id}/events.")
            patience = min(_LOOK_SECONDS, idle) if database.shared else idle
            try:
                async with asyncio.timeout(patience):
                    news = await queue.get()
            except TimeoutError:
                news = None
                silent += patience
                if silent >= idle:
                    silent = 0.0
                    yield []


def with_text(events: Sequence[RunEvent]) -> list[RunEvent]:
    """The events that clients see. A replayed message whose streamed pieces are gone gets its text as one piece."""
    shown: list[RunEvent] = []
    for event, later in zip_longest(events, events[1:]):
        if event.on_the_wire:
            shown.append(event)
        if event.name == "thread.message.in_progress" and later and later.sequence > event.sequence + 1:
            shown.extend(_one_piece(event, events))
    return shown


def _one_piece(begun: RunEvent, events: Sequence[RunEvent]) -> list[RunEvent]:
    """The text of a finished message as one delta; it takes the place of the first piece, which followed at once."""
    # Pieces are dropped only when the run has ended, so there is an end of the message too.
    done = next(event for event in events if event.sequence > begun.sequence and event.name in _DONE)
    message = orjson.loads(done.data)
    content = [_numbered(block, n) for n, block in enumerate(message["content"])]
    delta = {"id": message["id"], "object": "thread.message.delta", "delta": {"content": content}}
    return [RunEvent(begun.sequence + 1, "thread.message.delta", orjson.dumps(delta))]


def _numbered(block: dict[str, Any], index: int) -> dict[str, Any]:
    """A content block as a delta has it: it and its annotations carry their place."""
    if block["type"] != "text":
        return {"index": index, **block}
    notes = [{"index": n, **note} for n, note in enumerate(block["text"]["annotations"])]
    return {"index": index, **block, "text": {**block["text"], "annotations": notes}}
