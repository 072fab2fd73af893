"""Ends a run at its expires_at while it is executed, whatever it waits for. The sweeper ends those that nobody executes."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from zhuli.assistants.runs.engine import Engine
from zhuli.assistants.runs.outcomes import Expired
from zhuli.core.errors import NotFound
from zhuli.store.assistants import runs
from zhuli.types.assistants.run import Run


class Deadline:
    """Of one execution, for as long as it lasts. The run's last event tells the execution, as a client's command does."""

    def __init__(self, engine: Engine, run: Run) -> None:
        self._engine = engine
        self._run = run
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._arm()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._task is not None:
            await self._task

    def _arm(self) -> None:
        left = (self._run.expires_at or 0) - self._engine.clock.now()
        # A clock that does not go, as in tests, is looked at again.
        self._timer = asyncio.get_running_loop().call_later(max(0.05, left), self._look)

    def _look(self) -> None:
        if self._engine.clock.now() < (self._run.expires_at or 0):
            self._arm()
        else:
            self._task = asyncio.create_task(self._expire())

    async def _expire(self) -> None:
        with suppress(NotFound, runs.RunOver):
            await self._engine.end(self._run.id, Expired())
