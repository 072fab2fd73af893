"""Tools that run in the server, as one run has them: which functions the model is offered now, and whose a call is.

What a tool does is the plugin's. Searches of files have rules of their own (file_searching); the calls of all other tools
are made by tool_calls.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from zhuli.assistants.runs.citations.citing import Citer
from zhuli.assistants.runs.engine import Engine
from zhuli.assistants.runs.file_searching import NAME, FileSearching, file_searching, most_results, words_of
from zhuli.assistants.runs.history import Item
from zhuli.assistants.runs.prompt import exchange_tokens, fixed_tokens
from zhuli.assistants.runs.tool_calls import Record, ToolCalls
from zhuli.assistants.runs.toolbox import Function
from zhuli.core.errors import BackendError
from zhuli.models.catalog import Entry
from zhuli.ports import Tool
from zhuli.types.assistants.run import Run
from zhuli.types.assistants.step import FileSearchToolCall, RunStep, ServerToolCall, ToolCall, ToolCallsDetails
from zhuli.types.assistants.tool_task import ToolTask
from zhuli.types.assistants.tools import NamedToolChoice, ServerTool
from zhuli.types.models.generation import ToolChoice, ToolDefinition

_AROUND = 200
"""Tokens beside what a tool gives: the call, and what the model is told about it."""


class ServerTools:
    """Of one run that has some; open() comes first."""

    def __init__(
        self, engine: Engine, run: Run, project: str, entry: Entry, *, searching: FileSearching | None
    ) -> None:
        self.searching = searching
        self._engine = engine
        self._run = run
        self._project = project
        self._entry = entry
        self._search: list[ToolDefinition] = []
        self._functions: dict[str, Function] = {}

    async def open(self) -> None:
        """Wait for the vector stores, and ask the tools for their functions. InvalidRequest for what can't be used."""
        if self.searching is not None:
            await self.searching.open_stores()
            if self.searching.is_offered:
                self._search = list(await self._engine.tools[NAME].functions(self._project, {}))
        if self._run.tool_choice != "none":
            self._functions = await self._engine.tools.functions(self._project, self._run.tools)

    @property
    def by_name(self) -> Mapping[str, Tool[Any]]:
        """The tools whose calls by the model are the server's to run, by the names of their functions."""
        searches = {NAME: self._engine.tools[NAME]} if self._search else {}
        return {**searches, **{name: function.tool for name, function in self._functions.items()}}

    @property
    def offered(self) -> list[ToolDefinition]:
        """Every function that the model is offered in some turn of the run."""
        return [*self._search, *(function.definition for function in self._functions.values())]

    def offered_now(self, items: Sequence[Item], window: int) -> list[ToolDefinition]:
        """Those that it may call in the next turn: not what it has called too often, nor searches that have no room."""
        searches = self._search
        if searches and self.searching is not None:
            may = self.searching.may_search(items, window=window, free=self._free(items, window))
            searches = searches if may else []
        functions = self._functions.values() if self._rounds(items) < self._engine.settings.tool_rounds else ()
        return [*searches, *(function.definition for function in functions)]

    @property
    def forced(self) -> ToolChoice | None:
        """What makes the model call the tool that the run's tool_choice names by its type; None where it names none."""
        choice = self._run.tool_choice
        if not isinstance(choice, NamedToolChoice):
            return None
        names = [name for name, function in self._functions.items() if function.type == choice.type]
        if len(names) == 1:
            return {"type": "function", "function": {"name": names[0]}}
        return "required" if names else None

    async def do(
        self, step: RunStep, items: Sequence[Item], window: int, record: Record, begun: Collection[int]
    ) -> list[ToolCall]:
        """The step's calls, with those done that are the server's. window: tokens that the prompt may have.

        begun: places of calls that an attempt before this one began and did not end.
        """
        assert isinstance(step.step_details, ToolCallsDetails)
        calls: list[ToolCall] = step.step_details.tool_calls
        if self.searching is not None and any(isinstance(call, FileSearchToolCall) for call in calls):
            calls = await self.searching.do(calls, items, window=window, free=self._free(items, window))
        waiting = [n for n, call in enumerate(calls) if isinstance(call, ServerToolCall) and not call.is_done]
        if not waiting:
            return calls
        if self._rounds(items) > self._engine.settings.tool_rounds:
            raise BackendError(
                f"The model goes on calling tools after {self._engine.settings.tool_rounds} rounds, though it was told "
                "to answer."
            )
        room = max(0, self._free(items, window)) // len(waiting)
        doing = ToolCalls(self._engine, self._functions, self._task(items, room), step, calls, record)
        return await doing.do(waiting, begun)

    def _task(self, items: Sequence[Item], room: int) -> ToolTask:
        return ToolTask(
            project=self._project,
            thread_id=self._run.thread_id,
            run_id=self._run.id,
            settings={},
            stores=[] if self.searching is None else self.searching.stores,
            words=words_of(items),
            most=most_results(self._entry),
            room=room,
            count=self._entry.backend.count_tokens,
        )

    def _free(self, items: Sequence[Item], window: int) -> int:
        """Tokens of `window` that nothing has taken yet."""
        return window - fixed_tokens(self._run, self.offered) - exchange_tokens(items) - _AROUND

    def _rounds(self, items: Sequence[Item]) -> int:
        """Turns of the run that called functions of the server's, searches aside."""
        return sum(1 for item in items if item.run_id == self._run.id and self._called_in(item))

    def _called_in(self, item: Item) -> bool:
        calls = (call for message in item.messages for call in message.get("tool_calls", ()))
        return any(call["function"]["name"] in self._functions for call in calls)

    async def citer(self, items: Sequence[Item]) -> Citer | None:
        """What makes citations of the next message's markers; None for a run that does not search."""
        return None if self.searching is None else await self.searching.citer(items)


def server_tools(engine: Engine, run: Run, project: str, entry: Entry) -> ServerTools | None:
    """The run's tools that run in the server; None for a run without."""
    searching = file_searching(engine, run, project, entry)
    if searching is None and not any(isinstance(tool, ServerTool) for tool in run.tools):
        return None
    return ServerTools(engine, run, project, entry, searching=searching)
