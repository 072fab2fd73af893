"""Searches of one run in its vector stores: when they are made, how many passages have room, and who may cite them.

What a search does is the plugin's (plugins/tools/file_search); how passages are quoted is passages', how they are cited citing's.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from zhuli.assistants.runs.citations.alignment import Alignment
from zhuli.assistants.runs.citations.citing import Citer, Place
from zhuli.assistants.runs.engine import Engine
from zhuli.assistants.runs.history import Item
from zhuli.assistants.runs.prompt import searches_by_force
from zhuli.core.errors import BackendError, InvalidRequest, NotFound, Outage, Unavailable
from zhuli.core.ids import new_id
from zhuli.knowledge.retrieval.searching.query_rewriting import rewrite
from zhuli.models.catalog import Entry
from zhuli.store import collections, schema
from zhuli.store.knowledge import vector_stores
from zhuli.types.assistants.run import Run
from zhuli.types.assistants.step import FileSearchCall, FileSearchResult, FileSearchToolCall, ToolCall
from zhuli.types.assistants.thread import Thread
from zhuli.types.assistants.tool_task import ToolTask
from zhuli.types.assistants.tools import FileSearchSettings, FileSearchTool, FunctionTool, ToolResources
from zhuli.types.models.generation import ChatMessage

NAME = "file_search"

_MOST_ROUNDS = 6
"""Searches in one run after which the model must answer; models that search in circles would never end."""

_MOST_TOKENS = 16_000
"""Of passages in a prompt; the original's figure (contract §4.2). Smaller windows give half of what is not the answer's."""

_LEAST_TOKENS = 200
"""With less room than this another search is of no use."""

_RECENT = 4
"""Messages before the user's newest that a rewriting of queries is told."""

_LOOK_SECONDS = 0.2
"""How often vector stores are looked at while they are in progress."""

_SMALL_WINDOW = 8192
_MOST_RESULTS, _MOST_RESULTS_SMALL = 20, 5
"""Results where the assistant does not say how many; fewer for windows up to _SMALL_WINDOW."""


class FileSearching:
    """Of one run that has the tool."""

    def __init__(self, engine: Engine, run: Run, project: str, entry: Entry, settings: FileSearchSettings) -> None:
        self._engine = engine
        self._run = run
        self._project = project
        self._entry = entry
        self._settings = settings
        self._tool = engine.tools[NAME]
        self._stores: list[str] = []

    @property
    def stores(self) -> Sequence[str]:
        """The vector stores of the run and its thread, once they were opened."""
        return self._stores

    @property
    def is_offered(self) -> bool:
        """Whether the model may search; not where the server searches for it, or a function of the client's has the name."""
        taken = any(isinstance(tool, FunctionTool) and tool.function.name == NAME for tool in self._run.tools)
        return self._entry.file_search == "called" and self._run.tool_choice != "none" and not taken

    @property
    def searches_first(self) -> bool:
        """Whether the server searches before the model's first word."""
        if self._run.tool_choice == "none":
            return False
        return searches_by_force(self._run) or (not self.is_offered and bool(self._stores))

    async def open_stores(self) -> None:
        """Find the run's and the thread's stores; a run that begins waits for the thread's while it is in progress."""
        began = self._run.started_at or self._engine.clock.now()
        deadline = began + self._engine.settings.thread_store_wait_seconds
        while True:
            self._stores, working = await self._engine.database.run(self._look)
            if not working or self._engine.clock.now() >= deadline:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _look(self, connection: Connection) -> tuple[list[str], bool]:
        """The stores that exist, and whether one of the thread's is in progress; InvalidRequest when it has expired."""
        thread = collections.get(connection, schema.threads, Thread, self._project, self._run.thread_id)
        of_thread, now = stores_in(thread.tool_resources), int(self._engine.clock.now())
        status = {
            store: vector_stores.status_of(connection, store, now)
            for store in (*of_thread, *stores_in(self._run.tool_resources))
        }
        for store in of_thread:
            if status[store] == "expired":
                raise InvalidRequest(
                    f"The thread's vector store {store} has expired. Give the thread another one with "
                    "tool_resources.file_search.vector_store_ids, or attach its files again."
                )
        existing = [store for store, state in status.items() if state is not None]
        return existing, any(status[store] == "in_progress" for store in of_thread)

    async def first_call(self, items: Sequence[Item], query: str | None = None) -> FileSearchToolCall:
        """The search that the server makes by itself: for `query`, or with no queries of its own for the user's words."""
        if query:
            call = FileSearchCall(queries=[query], called_by="server")
            return FileSearchToolCall(id=new_id("call"), file_search=call)
        words = words_of(items)
        queries = (
            await rewrite(self._entry.backend, words, _recent(items)) if words and self._entry.rewrite_queries else []
        )
        return FileSearchToolCall(id=new_id("call"), file_search=FileSearchCall(queries=queries, called_by="server"))

    async def do(self, calls: Sequence[ToolCall], items: Sequence[Item], *, window: int, free: int) -> list[ToolCall]:
        """The calls with the searches done, one after the other. window: tokens that the prompt may have; free: of these.

        What fails ends the run: without its passages an answer would be a guess.
        """
        if self._rounds(items) > _MOST_ROUNDS:
            raise BackendError(
                f"The model goes on searching after {_MOST_ROUNDS} rounds, though it was told to answer."
            )
        done: list[ToolCall] = []
        room = self._room(items, window, free)
        for call in calls:
            if isinstance(call, FileSearchToolCall) and not call.is_done:
                call = await self._search(call, self._task(words_of(items), room))
                room -= sum(
                    await self._entry.backend.count_tokens([result.text for result in call.file_search.results or ()])
                )
            done.append(call)
        return done

    def _task(self, words: str, room: int) -> ToolTask:
        return ToolTask(
            project=self._project,
            thread_id=self._run.thread_id,
            run_id=self._run.id,
            stores=self._stores,
            settings=self._settings.model_dump(exclude_none=True),
            words=words,
            most=most_results(self._entry),
            room=room,
            count=self._entry.backend.count_tokens,
        )

    async def _search(self, call: FileSearchToolCall, task: ToolTask) -> FileSearchToolCall:
        telemetry = self._engine.telemetry
        began = time.perf_counter()
        status = "failed"
        with telemetry.tool_span(NAME, kind=NAME, call=call.id) as span:
            try:
                unread = await self._unread()
                done: FileSearchToolCall = await self._tool.run(call, task)
                status = "completed"
            except NotFound as error:  # a store went meanwhile; NotFound itself would mean that the run is gone
                raise InvalidRequest(error.message) from error
            except Outage:  # nothing of the run's is at fault
                raise
            except Unavailable as error:
                raise BackendError(error.message) from error
            finally:
                telemetry.tool_calls.labels(NAME, status).inc()
                telemetry.tool_seconds.labels(NAME).observe(time.perf_counter() - began)
            span.set_attribute("queries", len(done.file_search.queries or ()))
            span.set_attribute("results", len(done.file_search.results or ()))
        shown = done.file_search.model_copy(update={"files_in_progress": unread or None})
        return done.model_copy(update={"file_search": shown})

    async def _unread(self) -> int:
        """Wait for files of the stores that are being read, as long as a run may; how many are left, which can't be found in."""
        began = self._run.started_at or self._engine.clock.now()
        deadline = began + self._engine.settings.store_wait_seconds
        while True:
            left = await self._engine.database.run(vector_stores.files_in_progress, self._stores)
            if not left or self._engine.clock.now() >= deadline:
                return left
            await asyncio.sleep(_LOOK_SECONDS)

    def may_search(self, items: Sequence[Item], *, window: int, free: int) -> bool:
        """Whether another round of searches has a point."""
        rounds = self._rounds(items)
        has_room = rounds == 0 or self._room(items, window, free) >= _LEAST_TOKENS
        return rounds < _MOST_ROUNDS and has_room

    def _room(self, items: Sequence[Item], window: int, free: int) -> int:
        """Tokens of passages that still go into the run's prompts of at most `window` tokens, `free` of them unused."""
        return min(room_for(items, self._run.id, window), free)

    def _rounds(self, items: Sequence[Item]) -> int:
        return sum(1 for item in items if item.run_id == self._run.id and item.searches)

    async def citer(self, items: Sequence[Item]) -> Citer | None:
        """What makes citations of the next message's markers; None for JSON, which a marker would break."""
        if self._run.response_format is not None and getattr(self._run.response_format, "type", "text") != "text":
            return None
        sources = sources_in(items, self._run.id)
        texts = [result.text for result in sources.values()]
        return Citer(sources, await asyncio.to_thread(Alignment, texts) if texts else Alignment([]))


def file_searching(engine: Engine, run: Run, project: str, entry: Entry) -> FileSearching | None:
    """The searches of a run that has the tool; None for one without."""
    tool = next((tool for tool in run.tools if isinstance(tool, FileSearchTool)), None)
    if tool is None or NAME not in engine.tools:
        return None
    return FileSearching(engine, run, project, entry, tool.file_search or FileSearchSettings())


def most_results(entry: Entry) -> int:
    """How many passages a model is given, where nobody says."""
    return _MOST_RESULTS_SMALL if entry.context_window <= _SMALL_WINDOW else _MOST_RESULTS


def stores_in(resources: ToolResources | None) -> list[str]:
    """The vector stores among tool_resources."""
    search = None if resources is None else resources.file_search
    return [] if search is None else list(search.vector_store_ids)


def words_of(items: Sequence[Item]) -> str:
    """The text of the user's newest message."""
    for item in reversed(items):
        message = (item.later[0] if item.searches and item.later else item).messages[0]
        if item.is_message and message["role"] == "user":
            content: Any = message["content"]
            if isinstance(content, str):
                return content
            return "\n".join(part["text"] for part in content if part["type"] == "text")
    return ""


def _recent(items: Sequence[Item]) -> list[ChatMessage]:
    """What was said just before the newest message, which tells what its pronouns mean."""
    said = [message for item in items[-_RECENT - 1 : -1] if item.is_message for message in item.messages]
    return [message for message in said if isinstance(message["content"], str) and "tool_calls" not in message]


def room_for(items: Sequence[Item], run_id: str, window: int) -> int:
    """Tokens of passages that a run may still have, by the share of the `window` that is theirs."""
    spent = sum(
        item.tokens - sum(later.tokens for later in item.later)
        for item in items
        if item.searches and item.run_id == run_id
    )
    return min(_MOST_TOKENS, window // 2) - spent


def sources_in(items: Sequence[Item], run_id: str) -> dict[Place, FileSearchResult]:
    """What the run's messages may cite: results by the numbers that their markers have."""
    searches = [search for item in items if item.run_id == run_id for search in item.searches]
    return {
        (place, number): result
        for place, search in enumerate(searches)
        for number, result in enumerate(search.file_search.results or ())
    }
