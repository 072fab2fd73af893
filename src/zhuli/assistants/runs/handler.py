"""The handler of run jobs: what a worker calls, and what it looks after beside them."""

import asyncio
from contextlib import suppress

from zhuli.assistants.runs.engine import Engine
from zhuli.assistants.runs.execution import Execution
from zhuli.assistants.runs.outcomes import Expired, Failed
from zhuli.core.errors import LeaseLost, NotFound
from zhuli.store import jobs
from zhuli.store.assistants import runs
from zhuli.store.jobs import Job


class RunHandler:
    """Executes runs, and ends those that nobody executes. Knows which executions are going on in this process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._executions: dict[str, Execution] = {}

    async def handle(self, job: Job) -> None:
        """Execute the run that the job is for, until it rests. The job is done in the transaction that ends the work."""
        self._engine.telemetry.active_runs.inc()
        execution = self._executions[job.key] = Execution(self._engine, job)
        try:
            await execution.go()
        except NotFound:  # the thread was deleted, and the run with it
            await self._engine.database.run(jobs.finish, job.kind, job.key)
        except LeaseLost:
            pass  # whoever has the job now goes on
        finally:
            if self._executions.get(job.key) is execution:  # not if the run came back before this ended
                del self._executions[job.key]
            self._engine.telemetry.active_runs.dec()

    async def stopped(self, keys: list[str]) -> list[str]:
        """Which of these runs were cancelled, ended or deleted, perhaps by a command in another process."""
        return await self._engine.database.run(runs.interrupted, keys)

    def interrupt(self, key: str) -> None:
        """Stop the model call of this run; what comes next finds out why."""
        execution = self._executions.get(key)
        if execution is not None:
            execution.interrupt()

    async def give_up(self, job: Job, message: str) -> None:
        """End the run as failed: its handler broke, or took its worker down too often."""
        with suppress(NotFound, runs.RunOver, LeaseLost):
            await self._engine.end(job.key, Failed("server_error", message), job)

    async def expire_overdue(self) -> None:
        """End the runs that are past their expires_at, whoever executes them."""
        while overdue := await self._engine.database.run(runs.overdue, now=self._engine.clock.now()):
            for run_id in overdue:
                with suppress(NotFound, runs.RunOver):
                    await self._engine.end(run_id, Expired())

    async def drop_old_deltas(self) -> None:
        """Forget streamed pieces of runs that ended long ago."""
        before = self._engine.clock.now() - self._engine.settings.delta_retention_seconds
        while await self._engine.database.run(runs.drop_deltas, ended_before=before):
            await asyncio.sleep(0)
