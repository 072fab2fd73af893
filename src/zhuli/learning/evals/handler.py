"""Does runs of evals: reads the items once, then asks and grades several at a time. The handler of their jobs.

A process may die at any line. The items are rows before the first one is asked, and each has its output in the transaction
that counts it; another attempt goes on with those that have none. What was asked when the process died is asked again.
"""

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass

from pydantic import TypeAdapter

from zhuli.core.cancelling import being_cancelled
from zhuli.core.clock import Clock
from zhuli.core.errors import LeaseLost, NotFound
from zhuli.learning.evals.counting import counted
from zhuli.learning.evals.evaluating import Evaluating, Task
from zhuli.learning.evals.sources import Sources, Unusable
from zhuli.learning.evals.targets import Answered
from zhuli.store import jobs
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.store.learning import eval_runs, evals
from zhuli.store.learning.eval_runs import NewItem, StoredRun, Waiting
from zhuli.types.learning.eval_runs import EvalError, OutputItem
from zhuli.types.learning.eval_sources import CompletionsSource, DataSource, JsonlSource

AT_ONCE = 8
"""Items of a run that are asked and graded at once."""

_LOOK_SECONDS = 1.0
"""How often the run's time is looked at while nothing is answered."""

_WRITTEN = 200
"""Items that are stored in one transaction."""

_SOURCE: TypeAdapter[DataSource] = TypeAdapter(DataSource)

Asking = asyncio.Task[tuple[OutputItem, list[Answered]]]


@dataclass(frozen=True, slots=True)
class Evaluations:
    """What every run needs. Made once. seconds: how long a run may take; max_attempts: deaths that it may cause."""

    database: Database
    sources: Sources
    evaluating: Evaluating
    clock: Clock
    seconds: float
    max_attempts: int


class EvalHandler:
    """Knows which runs are done in this process."""

    def __init__(self, evaluations: Evaluations) -> None:
        self._with = evaluations
        self._going: dict[str, asyncio.Task[None]] = {}

    async def handle(self, job: Job) -> None:
        """Do the run until it has ended or is not wanted any more; CancelledError puts it back, at a server's end."""
        attempt = _Attempt(self._with, job)
        going = self._going[job.key] = asyncio.create_task(attempt.go())
        try:
            await going
        except asyncio.CancelledError:
            if being_cancelled():
                raise
            if not await self._with.database.run(eval_runs.wanted, [job.key]):
                await attempt.clean_up()  # the run was cancelled or deleted; otherwise another worker has it
        finally:
            going.cancel()
            if self._going.get(job.key) is going:
                del self._going[job.key]

    async def give_up(self, job: Job, message: str) -> None:
        """Its handler broke: the run has failed."""
        with suppress(LeaseLost, NotFound):
            await _Attempt(self._with, job).fail("server_error", message)

    async def stopped(self, keys: list[str]) -> list[str]:
        """Which of these runs were cancelled or deleted."""
        wanted = await self._with.database.run(eval_runs.wanted, keys)
        return [key for key in keys if key not in wanted]

    def interrupt(self, key: str) -> None:
        """Stop working on the run."""
        if (going := self._going.get(key)) is not None:
            going.cancel()


class _Attempt:
    """One claim of one run."""

    def __init__(self, evaluations: Evaluations, job: Job) -> None:
        self._with = evaluations
        self._job = job
        self._project = ""
        self._asked: set[int] = set()

    async def clean_up(self) -> None:
        """Nobody waits any more for what assistants were asked."""
        if (assistants := self._with.evaluating.targets.assistants) is not None:
            for number in self._asked:
                await assistants.forget(self._project, f"{self._job.key}/{number}")

    async def go(self) -> None:
        with suppress(LeaseLost):  # whoever has the job now goes on
            try:
                await self._go()
            except NotFound:  # the run or its eval was deleted
                await self._with.database.run(jobs.finish, self._job.kind, self._job.key)
            except Unusable as error:
                await self.fail(error.code, error.message)

    async def _go(self) -> None:
        run = await self._with.database.run(eval_runs.take_up, self._job, now=self._now())
        if run is None:
            return
        if self._job.deaths >= self._with.max_attempts:
            text = f"The run was given up: {self._with.max_attempts} attempts took their worker down."
            await self.fail("server_error", text)
            return
        self._project = run.project
        of = await self._with.database.run(evals.get, run.project, run.record.eval_id)
        source = _SOURCE.validate_json(run.data_source)
        assert isinstance(source, JsonlSource | CompletionsSource)
        task = Task(of, run.record, run.project, source)
        if not run.record.loaded:
            await self._load(task)
        if await self._evaluate(task, started=run):
            await self._with.database.run(eval_runs.end, self._job, error=None, now=self._now())

    async def fail(self, code: str, message: str) -> None:
        """End the run; what is graded stays."""
        error = EvalError(code=code, message=message)
        await self._with.database.run(eval_runs.end, self._job, error=error, now=self._now())

    def _now(self) -> int:
        return int(self._with.clock.now())

    async def _load(self, task: Task) -> None:
        """Every item a row, a few in each transaction."""
        part: list[NewItem] = []
        total = 0
        await self._with.database.run(eval_runs.add_items, self._job, [], first=0)
        try:
            async with aclosing(self._with.sources.items(task.project, task.of, task.source.source)) as items:
                async for item in items:
                    part.append(item)
                    if len(part) >= _WRITTEN:
                        total = await self._add(part, total)
                        part = []
        except NotFound as error:
            raise Unusable(error.message, "not_found") from None
        total = await self._add(part, total)
        await self._with.database.run(eval_runs.loaded, self._job, total=total)

    async def _add(self, part: list[NewItem], before: int) -> int:
        if part:
            await self._with.database.run(eval_runs.add_items, self._job, part, first=before)
        return before + len(part)

    async def _evaluate(self, task: Task, *, started: StoredRun) -> bool:
        """All items that have no output get one; False where the run's time was over before."""
        begun = started.record.started_at or self._now()
        asking: set[Asking] = set()
        waiting: list[Waiting] = []
        last, more = -1, True
        try:
            while True:
                if self._now() - begun > self._with.seconds:
                    await self.fail("time_limit_exceeded", f"The run took longer than {self._with.seconds:g} seconds.")
                    return False
                if more and len(waiting) < AT_ONCE:
                    found = await self._with.database.run(
                        eval_runs.waiting, self._job.key, after=last, most=AT_ONCE * 4
                    )
                    waiting, more = [*waiting, *found], bool(found)
                    last = found[-1].number if found else last
                while waiting and len(asking) < AT_ONCE:
                    item = waiting.pop(0)
                    self._asked.add(item.number)
                    asking.add(asyncio.create_task(self._with.evaluating.output(task, item)))
                if not asking:
                    return True
                done, asking = await asyncio.wait(asking, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    continue
                outputs = [each.result() for each in done]
                await self._with.database.run(eval_runs.record, self._job, outputs, counted)
                self._asked -= {output.datasource_item_id for output, _ in outputs}
        finally:
            for each in asking:
                each.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
