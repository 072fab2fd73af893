"""Execute a run: one turn of the model, and what follows from it. Everything it knows it reads from the store.

So a run that a dead process left is executed again by the same path: what was open is closed honestly, finished tool calls
are in the history like everything else, and the next turn is the next turn.
"""

import asyncio
import time
from contextlib import aclosing, suppress
from typing import Any

from sqlalchemy import Connection

from zhuli.core.errors import BackendError
from zhuli.core.tokens import estimate
from zhuli.models.catalog import Entry
from zhuli.runs import lifecycle, prompt
from zhuli.runs.engine import Engine
from zhuli.runs.outcomes import Cancelled, Failed, Finished, Incomplete, NeedsClient, Outcome
from zhuli.runs.pen import Pen
from zhuli.runs.turn import Turn, wire_usage
from zhuli.store import runs, threads
from zhuli.store.jobs import Job
from zhuli.types.event import RESTS, STEP_CALLED, TURN_ENDED, Change, RunEvent
from zhuli.types.generation import Delta, GenerationRequest, Usage
from zhuli.types.run import Run

_INTERRUPTS = RESTS | {"thread.run.cancelling"}

_STOPPED = Failed("server_error", "The server stopped while this was being made; the run went on with another attempt.")


class Execution:
    """One claim of one run."""

    _run: Run
    _project: str

    def __init__(self, engine: Engine, job: Job) -> None:
        self._engine = engine
        self._job = job
        self._run_id = job.key
        self._usages: list[dict[str, Any]] = []
        self._counts: list[tuple[str, int]] = []
        self._tokenizer = ""
        self._call: asyncio.Task[Delta] | None = None
        self._interrupted = False

    async def go(self) -> None:
        with self._engine.hints.call(runs.topic(self._run_id), self._on_events):
            try:
                await self._begin()
                run = self._run
                with self._engine.telemetry.span("run", run=run.id, thread=run.thread_id, model=run.model):
                    await self._work()
            except runs.RunOver as over:
                if over.status == "cancelling":
                    await self._engine.end(self._run_id, Cancelled())
            except BackendError as error:
                await self._engine.end(self._run_id, Failed(error.run_code, error.message), self._job)

    def _on_events(self, events: list[RunEvent] | None) -> None:
        """A command may have ended the run, or begun to; then the model need not go on."""
        if events and any(event.name in _INTERRUPTS for event in events):
            self.interrupt()

    def interrupt(self) -> None:
        """Stop the model call, if there is one; what comes next finds out why."""
        self._interrupted = True
        if self._call is not None:
            self._call.cancel()

    async def _record(self, changes: list[Change]) -> list[RunEvent]:
        return await self._engine.database.run(self._record_now, changes)

    def _record_now(self, connection: Connection, changes: list[Change]) -> list[RunEvent]:
        if self._counts:
            threads.store_counts(connection, self._counts, self._tokenizer)
            self._counts = []
        return runs.record(connection, self._run_id, changes, now=self._engine.clock.now(), job=self._job)

    async def _begin(self) -> None:
        """Record that the run is in progress; close what a dead worker left open."""
        attempts = self._engine.settings.max_attempts
        if self._job.attempt > attempts:
            raise BackendError(f"The run was given up: {attempts} attempts took their worker down.")
        self._run, self._project = await self._engine.database.run(self._take_up)

    def _take_up(self, connection: Connection) -> tuple[Run, str]:
        now = int(self._engine.clock.now())
        stored = runs.load(connection, self._run_id)
        self._usages = runs.turn_usages(connection, self._run_id) if stored.started else []
        changes: list[Change] = []
        if stored.run.status != "queued":
            changes += lifecycle.closing(_STOPPED, runs.open_items(connection, self._run_id), now)
            changes += lifecycle.abandoning(runs.abandoned(connection, self._run_id))
        began = stored.run.started_at or now
        changes.append(Change("thread.run.in_progress", {"status": "in_progress", "started_at": began}))
        events = self._record_now(connection, changes)
        return Run.model_validate_json(events[-1].data), stored.project

    async def _work(self) -> None:
        entry = self._engine.catalog.resolve(self._run.model)
        if entry is None:
            raise BackendError(f"The model '{self._run.model}' is no longer in the models file.")
        with self._engine.telemetry.span("prompt") as span:
            request = await self._request(entry)
            if isinstance(request, GenerationRequest):
                span.set_attribute("messages", len(request.messages))
        if isinstance(request, Incomplete):
            await self._engine.end(self._run_id, request, self._job)
            return
        turn = Turn(self._run, int(self._engine.clock.now()))
        with self._engine.telemetry.span("turn", model=entry.name) as span:
            last = await self._ask(entry, request, turn)
            usage = last.usage or await self._estimated(entry, request, turn)
            span.set_attribute("prompt_tokens", usage.prompt)
            span.set_attribute("completion_tokens", usage.completion)
            span.set_attribute("finish", last.finish or "")
        self._count(entry, usage)
        await self._conclude(turn, usage, _outcome(turn, last))

    async def _request(self, entry: Entry) -> GenerationRequest | Incomplete:
        """What to ask the model, or which budget does not allow it."""
        run = self._run
        spent = lifecycle.total(self._usages)
        budget = prompt.Budget(
            context_window=entry.context_window,
            prompt=_left(run.max_prompt_tokens, spent["prompt_tokens"]),
            completion=_left(run.max_completion_tokens, spent["completion_tokens"]),
        )
        if budget.completion is not None and budget.completion <= 0:
            return Incomplete("max_completion_tokens")
        items, self._counts = await self._engine.history.read(run.thread_id, entry.backend, entry.name)
        self._tokenizer = entry.name
        request = prompt.build(run, items, budget=budget, first_turn=not self._usages)
        if request is None:
            return Incomplete("max_prompt_tokens")
        return await self._engine.images.filled_in(self._project, request)

    async def _ask(self, entry: Entry, request: GenerationRequest, turn: Turn) -> Delta:
        """Call the model and record what it says; its last delta. Stops when the run is interrupted."""
        if self._interrupted:
            await self._record([])  # raises what the interruption was
        self._call = asyncio.create_task(self._converse(entry, request, turn))
        try:
            return await self._call
        except asyncio.CancelledError:
            self._call.cancel()
            with suppress(asyncio.CancelledError):
                await self._call
            if not self._interrupted:
                raise
            await self._record([])
            raise
        finally:
            self._call = None

    async def _converse(self, entry: Entry, request: GenerationRequest, turn: Turn) -> Delta:
        pen = Pen(self._record, self.interrupt, self._engine.settings.stream_interval_ms / 1000)
        telemetry = self._engine.telemetry
        began = time.perf_counter()
        first = True
        last: Delta | None = None
        try:
            async with aclosing(entry.backend.generate(request)) as deltas:
                async for delta in deltas:
                    if turn.feed(delta):
                        await pen.flush(turn)
                    elif turn.dirty:
                        pen.flush_later(turn)
                    if first:
                        first = False
                        telemetry.first_token_seconds.labels(entry.name).observe(time.perf_counter() - began)
                    last = delta
        finally:
            await pen.stop()
            if turn.dirty and last is not None and last.finish is None:
                await pen.flush(turn)  # the model failed half-way; what it said so far is kept
        telemetry.turn_seconds.labels(entry.name).observe(time.perf_counter() - began)
        if last is None or last.finish is None:
            raise BackendError(f"The model '{entry.name}' ended its answer without a finish reason.")
        return last

    async def _estimated(self, entry: Entry, request: GenerationRequest, turn: Turn) -> Usage:
        """Usage where the model server gives none."""
        said = turn.text + "".join(call.function.name + call.function.arguments for call in turn.calls)
        read = sum(estimate(str(message.get("content") or "")) for message in request.messages)
        counted = await entry.backend.count_tokens([said])
        return Usage(prompt=read, completion=counted[0])

    async def _conclude(self, turn: Turn, usage: Usage, outcome: Outcome) -> None:
        """Record the turn's last events together with what follows from it."""
        now = int(self._engine.clock.now())
        self._usages.append(wire_usage(usage))
        ended = Change(TURN_ENDED, wire_usage(usage))
        match outcome:
            case Finished():
                changes = [*turn.close(usage, now), ended, lifecycle.run_completed(self._usages, now)]
            case NeedsClient(calls=calls):
                step = turn.tool_step()
                assert step is not None
                required = lifecycle.run_needs_client(calls)
                changes = [*turn.take(), ended, Change(STEP_CALLED, step), required]
            case Incomplete():
                changes = [*turn.cut(usage, now), ended, lifecycle.run_ended(outcome, self._usages, now)]
            case _:
                await self._record([*turn.take(), ended])
                await self._engine.end(self._run_id, outcome, self._job)
                return
        events = await self._record(changes)
        self._engine.note_rest(self._run_id, events[-1])

    def _count(self, entry: Entry, usage: Usage) -> None:
        tokens = self._engine.telemetry.tokens
        tokens.labels(entry.name, "prompt").inc(usage.prompt)
        tokens.labels(entry.name, "completion").inc(usage.completion)
        tokens.labels(entry.name, "cached").inc(usage.cached)


def _outcome(turn: Turn, last: Delta) -> Outcome:
    """What follows from how the model stopped."""
    if last.finish == "length":
        return Incomplete("max_completion_tokens")
    if last.finish == "content_filter":
        return Failed("server_error", "The model's content filter stopped the answer.", filtered=True)
    return NeedsClient(turn.calls) if turn.calls else Finished()


def _left(limit: int | None, spent: int) -> int | None:
    return None if limit is None else limit - spent
