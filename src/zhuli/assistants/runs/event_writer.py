"""Write a turn's events as they come: the first at once, the rest joined over a short interval, never one per token."""

import asyncio
from collections.abc import Awaitable, Callable

from zhuli.assistants.runs.turn import Turn
from zhuli.types.assistants.event import Change


class EventWriter:
    """Records what a turn has to say.

    write: records changes in order. failed: called when recording in the background failed, so that the caller stops
    feeding the turn; flush() then raises what happened.
    """

    def __init__(
        self, write: Callable[[list[Change]], Awaitable[object]], failed: Callable[[], None], interval: float
    ) -> None:
        self._write = write
        self._failed = failed
        self._interval = interval
        self._lock = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def flush_later(self, turn: Turn) -> None:
        """Record within the interval what the turn has to say."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._interval, self._start, turn)

    async def flush(self, turn: Turn) -> None:
        """Record now what the turn has to say."""
        async with self._lock:
            changes = turn.take()
            if changes:
                await self._write(changes)

    async def stop(self) -> None:
        """Nothing is recorded in the background after this; raises what went wrong there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None:
            task, self._task = self._task, None
            await task

    def _start(self, turn: Turn) -> None:
        self._timer = None
        self._task = asyncio.create_task(self.flush(turn))
        self._task.add_done_callback(self._look)

    def _look(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._failed()
