"""Execute a run: turns of the model, and what follows from each. Everything it knows it reads from the store.

So a run that a dead process left is executed again by the same path: what was open is closed honestly, finished tool calls
are in the history like everything else, calls of the server's tools that were not finished are done, and the next turn is
the next turn.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Collection, Coroutine
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from sqlalchemy import Connection

from zhuli.assistants.runs import lifecycle, policy_turn, prompt
from zhuli.assistants.runs.deadline import Deadline
from zhuli.assistants.runs.engine import Engine
from zhuli.assistants.runs.event_writer import EventWriter
from zhuli.assistants.runs.guarded import RunGuards
from zhuli.assistants.runs.history import MOST_AT_ONCE, Item, newest_output, output_in, text_of
from zhuli.assistants.runs.outcomes import Cancelled, Failed, Finished, Incomplete, NeedsClient, NeedsTools, Outcome
from zhuli.assistants.runs.policy_turn import PolicyTurn
from zhuli.assistants.runs.server_tools import ServerTools, server_tools
from zhuli.assistants.runs.turn import NO_USAGE, Turn, opened_tool_step, wire_usage, with_calls
from zhuli.assistants.runs.understood import RunUnderstanding
from zhuli.core import sticky
from zhuli.core.errors import BackendError, InvalidRequest, RateLimited
from zhuli.core.tokens import estimate
from zhuli.metering.meter import patient
from zhuli.models.catalog import Entry
from zhuli.store import jobs
from zhuli.store.assistants import runs, threads
from zhuli.store.jobs import Job
from zhuli.types.assistants.event import GUARDED, RESTS, STEP_CALLED, TURN_ENDED, Change, RunEvent
from zhuli.types.assistants.response import Asked
from zhuli.types.assistants.run import Run
from zhuli.types.assistants.step import FunctionToolCall, RunStep, ToolCallsDetails
from zhuli.types.models.generation import Delta, GenerationRequest, Usage
from zhuli.types.safety.guard import GuardDecision

T = TypeVar("T")

_INTERRUPTS = RESTS | {"thread.run.cancelling"}

_BREATH = 0.01
"""Seconds after which a stream lets others have their turn."""

_STOPPED = Failed("server_error", "The server stopped while this was being made; the run went on with another attempt.")


_TOO_LONG = (
    "Your input exceeds the context window of this model. Give less of it, or let the oldest be dropped: "
    "'truncation': 'auto'."
)


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
        self._tools: ServerTools | None = None
        self._by_policy: PolicyTurn | None = None
        self._state_prompt = ""
        self._called: RunStep | None = None
        self._begun: set[int] = set()
        self._call: asyncio.Task[Any] | None = None
        self._interrupted = False
        self._guards: RunGuards | None = None
        self._asked: Asked | None = None

    async def go(self) -> None:
        """Execute the run until it rests. Raises LeaseLost and NotFound where it is no longer this worker's or not there."""
        patient.set(False)
        with self._engine.hints.call(runs.topic(self._run_id), self._on_events):
            try:
                await self._begin()
                run = self._run
                with self._engine.telemetry.span(f"invoke_agent {run.assistant_id}", **_as_agent(run)):
                    async with Deadline(self._engine, run):
                        await self._work()
            except runs.RunOver as over:
                if over.status == "cancelling":
                    await self._engine.end(self._run_id, Cancelled())
            except BackendError as error:
                await self._engine.end(self._run_id, Failed(error.run_code, error.message), self._job)
            except RateLimited as error:
                await self._wait_elsewhere(error)
            except InvalidRequest as error:  # what the run was to use can't be used, like an expired vector store
                await self._engine.end(self._run_id, Failed("invalid_prompt", error.message), self._job)

    async def _wait_elsewhere(self, limited: RateLimited) -> None:
        """A rate limit ends by itself: the run goes on then, and leaves its place to others. A quota does not; nor does size."""
        if limited.wait is None:
            await self._engine.end(self._run_id, Failed("rate_limit_exceeded", limited.message), self._job)
            return
        spread = random.uniform(0, 1 + limited.wait / 10)  # those who wait for the same do not come all at once
        until = self._engine.clock.now() + limited.wait + spread
        await self._engine.database.run(jobs.defer, self._job, until=until)

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
        if self._job.deaths >= attempts:
            raise BackendError(f"The run was given up: {attempts} attempts took their worker down.")
        self._run, self._project = await self._engine.database.run(self._take_up)

    def _take_up(self, connection: Connection) -> tuple[Run, str]:
        now = int(self._engine.clock.now())
        stored = runs.load(connection, self._run_id)
        self._usages = runs.turn_usages(connection, self._run_id) if stored.started else []
        self._asked = Asked.read(stored.asked)
        changes: list[Change] = []
        if stored.run.status != "queued":
            left = runs.open_items(connection, self._run_id)
            self._called = next((step for step in left.steps if _waits_for_tools(step)), None)
            if self._called is not None:
                self._begun = runs.begun_calls(connection, self._run_id, self._called.id)
            left = runs.OpenItems([step for step in left.steps if step is not self._called], left.messages)
            changes += lifecycle.closing(_STOPPED, left, now)
            changes += lifecycle.abandoning(runs.abandoned(connection, self._run_id))
        began = stored.run.started_at or now
        changes.append(Change("thread.run.in_progress", {"status": "in_progress", "started_at": began}))
        events = self._record_now(connection, changes)
        if not stored.run.started_at:
            self._engine.telemetry.run_claimed(self._engine.clock.now() - stored.run.created_at)
        return Run.model_validate_json(events[-1].data), stored.project

    async def _work(self) -> None:
        sticky.who.set(self._run.thread_id)
        catalog = self._engine.catalog
        entry = catalog.resolve(self._run.model, self._project)
        if entry is None:
            entry = await self._engine.database.run(catalog.resolve_now, self._run.model, self._project)
        if entry is None:
            raise BackendError(f"The model '{self._run.model}' is no longer in the models file.")
        self._guards = self._run_guards()
        if self._guards is not None and await self._stop_input(self._guards, entry):
            return
        if self._run.domain is not None and await self._follow_policy(entry):
            return
        self._tools = server_tools(self._engine, self._run, self._project, entry)
        if self._tools is not None and not await self._use_tools(self._tools, entry):
            return
        while await self._take_turn(entry):
            pass

    def _run_guards(self) -> RunGuards | None:
        guards, clock = self._run.guards, self._engine.clock
        if guards is None:
            return None
        return RunGuards(guards, self._project, self._engine.judge, self._note_decision, clock.now)

    async def _note_decision(self, decision: GuardDecision) -> None:
        await self._record([Change(GUARDED, decision.model_dump(mode="json"))])

    async def _stop_input(self, guards: RunGuards, entry: Entry) -> bool:
        """Answer in place of the model, where a guard lets nobody read what the user wrote; False where it may be read."""
        if self._usages:  # it was looked at before the first turn
            return False
        deltas = await self._guarded(guards.of_input(await self._items(entry)))
        if deltas is None:
            return False
        await self._say(entry.name, deltas)
        return True

    async def _say(self, name: str, deltas: list[Delta]) -> None:
        """A turn without the model."""
        turn = Turn(self._run, int(self._engine.clock.now()))
        last = await self._guarded(self._listen(name, policy_turn.streamed(deltas), turn))
        await self._conclude(turn, policy_turn.FREE, _outcome(turn, last))

    async def _follow_policy(self, entry: Entry) -> bool:
        """Understand what the user said, and do what follows from it; False where the model is next."""
        understanding = RunUnderstanding(self._engine, self._run, self._project, self._guarded, self._record)
        by_policy = self._by_policy = await understanding.policy_turn()
        turns, output = len(self._usages), None
        if turns:
            output = output_in(await self._items(entry), self._run_id)
        elif self._asked is not None:  # what the response before it called was answered with this one's input
            output = newest_output(await self._items(entry))
            turns = 0 if output is None else 1
        deltas = policy_turn.reply(self._run, by_policy, turns=turns, output=output)
        if deltas is None:
            self._state_prompt = by_policy.state_prompt
            return False
        with self._engine.telemetry.span("policy", act=by_policy.decision.act):
            await self._say(entry.name, deltas)
        return True

    async def _use_tools(self, tools: ServerTools, entry: Entry) -> bool:
        """What comes before the next turn: calls that are not done yet, or the first search. False when the run rests."""
        await self._guarded(tools.open())
        if self._called is not None:
            return await self._do_calls(tools, entry, self._called, self._begun)
        by_policy, searching = self._by_policy, tools.searching
        if searching is None or self._usages:
            return True
        if not searching.searches_first and (by_policy is None or not by_policy.searches):
            return True
        items = await self._items(entry)
        if any(item.searches for item in items if item.run_id == self._run_id):
            return True
        call = await self._guarded(searching.first_call(items, None if by_policy is None else by_policy.decision.query))
        events = await self._record(opened_tool_step(self._run, [call], int(self._engine.clock.now())))
        return await self._do_calls(tools, entry, RunStep.model_validate_json(events[-1].data))

    async def _do_calls(self, tools: ServerTools, entry: Entry, step: RunStep, begun: Collection[int] = ()) -> bool:
        """Do the calls of a step that are the server's, and record what follows. False when the client is needed."""
        items = await self._items(entry)
        window = self._window(self._budget(entry))
        calls = await self._guarded(tools.do(step, items, window, self._record, begun))
        data = with_calls(step.model_dump(mode="json"), calls)
        if functions := [call for call in calls if isinstance(call, FunctionToolCall)]:
            called = Change(STEP_CALLED, data)
            events = await self._record([called, *self._ask_client(data, functions, self._usages[-1])])
            self._engine.note_rest(self._run_id, events[-1])
            return False
        by_model = any(call.by_model for call in calls if not isinstance(call, FunctionToolCall))
        usage = self._usages[-1] if by_model else NO_USAGE
        data |= {"status": "completed", "completed_at": int(self._engine.clock.now()), "usage": usage}
        await self._record([Change("thread.run.step.completed", data)])
        return True

    async def _items(self, entry: Entry) -> list[Item]:
        items, counts = await self._engine.history.read(
            self._run.thread_id, entry.backend, entry.name, run_id=self._run_id
        )
        while (
            len(counts) > MOST_AT_ONCE
        ):  # of a thread that is long and new here; the rest is kept with what the run records
            await self._engine.database.run(threads.store_counts, counts[:MOST_AT_ONCE], entry.name)
            counts = counts[MOST_AT_ONCE:]
            await asyncio.sleep(0)
        self._counts += counts
        self._tokenizer = entry.name
        return items

    async def _take_turn(self, entry: Entry) -> bool:
        """One call of the model, and what follows from it; whether another turn follows."""
        with self._engine.telemetry.span("prompt") as span:
            request = await self._request(entry)
            if isinstance(request, GenerationRequest):
                span.set_attribute("messages", len(request.messages))
        if isinstance(request, Incomplete):
            await self._engine.end(self._run_id, request, self._job)
            return False
        turn = await self._new_turn(entry)
        last = await self._guarded(self._converse(entry, request, turn))
        usage = last.usage or await self._estimated(entry, request, turn)
        outcome = _outcome(turn, last)
        await self._conclude(turn, usage, outcome)
        if self._tools is None or not isinstance(outcome, NeedsTools):
            return False
        step = RunStep.model_validate(turn.tool_step())
        return await self._do_calls(self._tools, entry, step)

    async def _new_turn(self, entry: Entry) -> Turn:
        now = int(self._engine.clock.now())
        if self._tools is None:
            return Turn(self._run, now)
        citer = await self._tools.citer(await self._items(entry))
        return Turn(self._run, now, tools=self._tools.by_name, citer=citer)

    def _budget(self, entry: Entry) -> prompt.Budget:
        run, spent = self._run, lifecycle.total(self._usages)
        return prompt.Budget(
            context_window=entry.context_window,
            prompt=_left(run.max_prompt_tokens, spent["prompt_tokens"]),
            completion=_left(run.max_completion_tokens, spent["completion_tokens"]),
        )

    def _window(self, budget: prompt.Budget) -> int:
        """Tokens that the prompt may have beside what the model is told of the dialogue's state."""
        return budget.window - prompt.state_prompt_tokens(self._state_prompt)

    async def _request(self, entry: Entry) -> GenerationRequest | Incomplete:
        """What to ask the model, or which budget does not allow it."""
        budget = self._budget(entry)
        if budget.completion is not None and budget.completion <= 0:
            return Incomplete("max_completion_tokens")
        items, tools = await self._items(entry), self._tools
        offered = [] if tools is None else tools.offered_now(items, self._window(budget))
        whole = self._asked is not None and self._asked.truncation == "disabled"
        request = prompt.build(
            self._run,
            items,
            budget=budget,
            first_turn=not self._usages,
            offered=offered or (() if tools is None else tools.offered),
            may_call=tools is None or not tools.offered or bool(offered),
            forced=None if tools is None else tools.forced,
            state_prompt=self._state_prompt,
            whole=whole,
        )
        if request is None and whole:
            raise BackendError(_TOO_LONG, run_code="invalid_prompt")
        if request is None:
            return Incomplete("max_prompt_tokens")
        if self._guards is not None:
            request = self._guards.masked(request)
        return await self._engine.images.filled_in(self._project, request)

    async def _guarded(self, work: Coroutine[Any, Any, T]) -> T:
        """Do what takes its time, like a call of the model. Stops when the run is interrupted."""
        if self._interrupted:
            try:
                await self._record([])  # raises what the interruption was
            except BaseException:
                work.close()
                raise
        self._call = task = asyncio.create_task(work)
        try:
            return await task
        except asyncio.CancelledError:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            if not self._interrupted:
                raise
            await self._record([])
            raise
        finally:
            self._call = None

    async def _converse(self, entry: Entry, request: GenerationRequest, turn: Turn) -> Delta:
        speaking = entry.backend.generate(request)
        if self._guards is not None and self._guards.guards.output is not None:
            speaking = self._guards.of_output(speaking)
        return await self._listen(entry.name, speaking, turn)

    async def _listen(self, name: str, speaking: AsyncGenerator[Delta, None], turn: Turn) -> Delta:
        """Write down what is said; the last of it."""
        writer = EventWriter(self._record, self.interrupt, self._engine.settings.stream_interval_ms / 1000)
        last: Delta | None = None
        breath = time.perf_counter()
        try:
            async with aclosing(speaking) as deltas:
                async for delta in deltas:
                    if time.perf_counter() - breath > _BREATH:  # pieces may come without a pause
                        await asyncio.sleep(0)
                        breath = time.perf_counter()
                    if turn.feed(delta):
                        await writer.flush(turn)
                    elif turn.dirty:
                        writer.flush_later(turn)
                    last = delta
        finally:
            await writer.stop()
            if turn.dirty and last is not None and last.finish is None:
                await writer.flush(turn)  # the model failed half-way; what it said so far is kept
        if last is None or last.finish is None:
            raise BackendError(f"The model '{name}' ended its answer without a finish reason.")
        return last

    async def _estimated(self, entry: Entry, request: GenerationRequest, turn: Turn) -> Usage:
        """Usage where the model server gives none."""
        said = turn.text + turn.written_calls
        read = estimate(text_of(request.messages))
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
            case NeedsTools():
                step = turn.tool_step()
                assert step is not None
                await self._record([*turn.take(), ended, Change(STEP_CALLED, step)])
                return
            case NeedsClient(calls=calls):
                step = turn.tool_step()
                assert step is not None
                called = Change(STEP_CALLED, step)
                changes = [*turn.take(), ended, called, *self._ask_client(step, calls, wire_usage(usage))]
            case Incomplete():
                changes = [*turn.cut(usage, now), ended, lifecycle.run_ended(outcome, self._usages, now)]
            case _:
                await self._record([*turn.take(), ended])
                await self._engine.end(self._run_id, outcome, self._job)
                return
        events = await self._record(changes)
        self._engine.note_rest(self._run_id, events[-1])

    def _ask_client(self, step: dict[str, Any], calls: list[FunctionToolCall], usage: dict[str, int]) -> list[Change]:
        """The run waits for the client's functions; a response is complete: the next one brings what they gave."""
        if self._asked is None:
            return [lifecycle.run_needs_client(calls)]
        now = int(self._engine.clock.now())
        done = {**step, "status": "completed", "completed_at": now, "usage": usage}
        return [Change("thread.run.step.completed", done), lifecycle.run_completed(self._usages, now)]


def _as_agent(run: Run) -> dict[str, Any]:
    """As OpenTelemetry's conventions for agents say it; a run has no name there."""
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "zhuli",
        "gen_ai.agent.id": run.assistant_id,
        "gen_ai.conversation.id": run.thread_id,
        "gen_ai.request.model": run.model,
        "zhuli.run.id": run.id,
    }


def _outcome(turn: Turn, last: Delta) -> Outcome:
    """What follows from how the model stopped."""
    if last.finish == "length":
        return Incomplete("max_completion_tokens")
    if last.finish == "content_filter":
        return Failed("server_error", "The model's content filter stopped the answer.", filtered=True)
    calls = turn.calls
    if any(not isinstance(call, FunctionToolCall) for call in calls):
        return NeedsTools()
    return NeedsClient([call for call in calls if isinstance(call, FunctionToolCall)]) if calls else Finished()


def _waits_for_tools(step: RunStep) -> bool:
    """Whether the model said all of the step's calls, and one of the server's is not done."""
    details = step.step_details
    return isinstance(details, ToolCallsDetails) and any(
        not isinstance(call, FunctionToolCall) for call in details.tool_calls
    )


def _left(limit: int | None, spent: int) -> int | None:
    return None if limit is None else limit - spent
