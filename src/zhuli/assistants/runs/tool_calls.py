"""The calls of one step of a run that tools of the server answer: each is made once, within limits, and has an output.

A call is in the log before it is begun. One that may not be made twice is also noted when it begins and when it ends, so
that whoever goes on after a crash knows. Whatever a tool does becomes a text that the model reads; it never fails the run.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from zhuli.assistants.runs.engine import Engine
from zhuli.assistants.runs.toolbox import Function
from zhuli.assistants.runs.turn import step_delta, with_calls
from zhuli.core.errors import InvalidRequest, ZhuliError
from zhuli.ports import Tool
from zhuli.types.assistants.event import STEP_CALLED, TOOLS_BEGUN, Change
from zhuli.types.assistants.step import RunStep, ServerToolCall, ToolCall
from zhuli.types.assistants.tool_task import ToolTask

log = logging.getLogger(__name__)

Record = Callable[[list[Change]], Awaitable[object]]
"""Writes changes to the run's log, in order."""

UNKNOWN = (
    "The server stopped while this call was being made. Whether it was done is not known, and it was not made again. "
    "Find out before you call it once more, or tell the user."
)

_GRACE_SECONDS = 1.0
"""What a tool has to end once it is cancelled; then nobody waits for it any longer."""

_BYTES_A_TOKEN = 3
"""At least so many bytes of UTF-8 are a token by core.tokens.estimate, in any script."""

_LEAST_BYTES = 1000
"""Of an output, however full the prompt is."""

_BESIDE = 4
"""What a tool adds to a call beside its output may be so many times as large as that."""


class ToolCalls:
    """Of one step. functions: by the names under which the model calls them. task: what all calls are told of the run."""

    def __init__(
        self,
        engine: Engine,
        functions: Mapping[str, Function],
        task: ToolTask,
        step: RunStep,
        calls: Sequence[ToolCall],
        record: Record,
    ) -> None:
        self._engine = engine
        self._functions = functions
        self._task = task
        self._step = step.model_dump(mode="json")
        self._calls = list(calls)
        self._record = record
        self._writing = asyncio.Lock()
        self._told: set[int] = set()

    async def do(self, waiting: Sequence[int], begun: Collection[int]) -> list[ToolCall]:
        """All calls of the step, those at the places `waiting` made at once. begun: as in ServerTools.do."""
        lost = [place for place in waiting if place in begun and not self._is_idempotent(place)]
        for place in lost:
            await self._write(place, self._asked(place).answered(UNKNOWN))
        making = [place for place in waiting if place not in lost]
        if once := [place for place in making if not self._is_idempotent(place)]:
            await self._record([Change(TOOLS_BEGUN, {"step_id": self._step["id"], "calls": once})])
        tasks = [asyncio.create_task(self._make(place)) for place in making]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:  # of those that are not done: one could not be written down, or the run is interrupted
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return self._calls

    async def _make(self, place: int) -> None:
        await self._write(place, await self._answer(place))

    async def _write(self, place: int, made: ServerToolCall) -> None:
        """Show what a call gave to who follows the run; and keep it for whoever goes on, where it can't be made again."""
        async with self._writing:
            self._calls[place] = made
            changes = [] if place in self._told else [self._delta(place, {"output": made.output})]
            if not self._is_idempotent(place):
                changes.append(Change(STEP_CALLED, with_calls(self._step, self._calls)))
            await self._record(changes)

    async def _answer(self, place: int) -> ServerToolCall:
        """The call with an output, whatever happens."""
        call = self._asked(place)
        function = self._functions.get(call.name)
        if function is None:
            return call.answered(f"There is no function {call.name} any more.")
        telemetry = self._engine.telemetry
        began = time.perf_counter()
        status = "failed"
        with telemetry.tool_span(call.name, kind=call.type, call=call.id):
            try:
                task = replace(self._task, settings=function.settings, show=self._shower(place))
                made = await self._limited(function, call, task)
                status = "completed"
            except ZhuliError as error:
                made = call.answered(self._cut(error.message))
            except TimeoutError:
                made = call.answered(f"{call.name} took longer than {self._engine.settings.tool_seconds:g} seconds.")
            except Exception as error:  # whatever a plugin raises: the log has it, the model only that it failed
                log.exception("The tool '%s' failed in %s", call.type, call.name)
                made = call.answered(f"{call.name} failed ({type(error).__name__}) and gave nothing.")
            finally:
                telemetry.tool_calls.labels(call.type, status).inc()
                telemetry.tool_seconds.labels(call.type).observe(time.perf_counter() - began)
        return made

    async def _limited(self, function: Function, call: ServerToolCall, task: ToolTask) -> ServerToolCall:
        """What the tool makes of the call, in time and in size."""
        _ = call.given  # InvalidRequest where the model wrote no JSON object
        running = asyncio.create_task(_ran(function.tool, call, task))
        try:
            done, _ = await asyncio.wait({running}, timeout=self._engine.settings.tool_seconds)
        finally:
            if not running.done():
                await _stop(running, call)
        if not done:
            raise TimeoutError
        if running.cancelled():
            raise InvalidRequest(f"{call.name} was given up by its tool.")
        return self._bounded(call, await running)

    def _bounded(self, call: ServerToolCall, made: ServerToolCall) -> ServerToolCall:
        """What the tool made, as this call and no other, with an output of the size that has room."""
        beside = {name: value for name, value in made.body.items() if name not in ("name", "arguments", "output")}
        if len(orjson.dumps(beside)) > _BESIDE * self._engine.settings.tool_output_bytes:
            raise InvalidRequest(f"{call.name} gave more than the server keeps.")
        return call.answered(self._cut(str(made.output or "")), **beside)

    def _cut(self, output: str) -> str:
        """The output's beginning, if all of it is too long; of characters that are none, like half a pair, what UTF-8 has."""
        room = max(_LEAST_BYTES, self._task.room * _BYTES_A_TOKEN)
        most = min(self._engine.settings.tool_output_bytes, room)
        encoded = output.encode("utf-8", "replace")
        if len(encoded) <= most:
            return encoded.decode()
        return f"{encoded[:most].decode('utf-8', 'ignore')}\n(Cut: the first {most} of {len(encoded)} bytes.)"

    def _shower(self, place: int) -> Callable[[dict[str, Any]], Awaitable[None]]:
        """Shows pieces of one call to who follows the run; what goes beyond the size of an output is not shown."""
        left = self._engine.settings.tool_output_bytes

        async def show(piece: dict[str, Any]) -> None:
            nonlocal left
            left -= len(orjson.dumps(piece))
            if left >= 0:
                await self._record([self._delta(place, piece)])
                if "output" in piece:  # which the tool tells by itself
                    self._told.add(place)

        return show

    def _delta(self, place: int, piece: dict[str, Any]) -> Change:
        kind = self._calls[place].type
        return step_delta(self._step["id"], {"index": place, "type": kind, kind: piece})

    def _asked(self, place: int) -> ServerToolCall:
        call = self._calls[place]
        assert isinstance(call, ServerToolCall)
        return call

    def _is_idempotent(self, place: int) -> bool:
        """Whether the call may be made twice; one that nobody can make may."""
        function = self._functions.get(self._asked(place).name)
        return function is None or function.tool.idempotent


async def _ran(tool: Tool[Any], call: ServerToolCall, task: ToolTask) -> ServerToolCall:
    try:
        made: ServerToolCall = await tool.run(call, task)
    except SystemExit as error:  # which would end the server
        raise RuntimeError("a tool wanted to end the process") from error
    return made


async def _stop(running: asyncio.Task[ServerToolCall], call: ServerToolCall) -> None:
    """Cancel what a tool is doing, and wait a little for its end; one that does not listen is left alone."""
    running.cancel()
    _, still = await asyncio.wait({running}, timeout=_GRACE_SECONDS)
    if still:
        log.warning("The tool '%s' goes on in %s though it was cancelled", call.type, call.name)
    running.add_done_callback(lambda task: task.cancelled() or task.exception())
