"""A whole app for a test: a data folder of its own, a scripted model, a worker, and a clock that the test moves.

    async with app_in_memory({"default": [{"text": "Hello."}]}) as app:
        run = await app.run("Hi")
        assert run.status == "completed"

Everything is real but time and the model. There is no HTTP here; `asgi` is the HTTP edge for those who want it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from starlette.types import ASGIApp

from zhuli.app import App, build_app
from zhuli.assistants.runs.commands import insert_thread
from zhuli.assistants.runs.follow import follow
from zhuli.assistants.runs.new import assistant_of
from zhuli.server.http import build_server
from zhuli.settings import Settings
from zhuli.store import collections, schema
from zhuli.store.assistants import runs
from zhuli.store.projects import DEFAULT_PROJECT
from zhuli.testing import new_database
from zhuli.testing.clock import ManualClock
from zhuli.types.assistants.assistant import Assistant, AssistantCreate
from zhuli.types.assistants.event import DELTAS, RunEvent
from zhuli.types.assistants.message import Message
from zhuli.types.assistants.run import Run, RunCreate, ToolOutput
from zhuli.types.assistants.step import RunStep
from zhuli.types.assistants.thread import ThreadCreate
from zhuli.types.page import PageParams

MODEL = "script"

UNDERSTANDER = "zhuli.testing.scripted_understander:Plugin"
"""Domains may name it as their understander."""

_IDLE_SECONDS = 0.05
"""A follower looks at the log at least this often, even where hints are lost."""

_PATIENCE_SECONDS = 30.0
"""After this long a test that waits has failed."""

_MODELS = """
[models.script]
backend = "scripted"
script = "script.json"
record = "requests.jsonl"
context_window = {context_window}

[embedders.hashed]
plugin = "hashed"
"""


@asynccontextmanager
async def app_in_memory(
    script: dict[str, Any],
    *,
    folder: Path | None = None,
    clock: ManualClock | None = None,
    work: bool = True,
    context_window: int = 32_768,
    **settings: Any,
) -> AsyncIterator["AppInMemory"]:
    """An app whose model follows `script` (docs/models.md), started, and stopped at the end.

    folder: where its data is; an app that was stopped goes on in the folder of another. settings: as in the settings file.
    """
    async with AsyncExitStack() as stack:
        place = folder or Path(stack.enter_context(TemporaryDirectory()))
        (place / "script.json").write_bytes(orjson.dumps(script))
        (place / "models.toml").write_text(_MODELS.format(context_window=context_window))
        given: dict[str, Any] = {
            "data_dir": place,
            "grace_seconds": 0,
            "understander_plugins": [UNDERSTANDER],
            **settings,
        }
        chosen = Settings(**given)
        if not chosen.database_url:
            new_database.make(place / "zhuli.db")
        clock = clock or ManualClock()
        app = build_app(chosen, clock=clock)
        stack.push_async_callback(app.stop)
        await app.start(work=work)
        yield AppInMemory(app, clock, place)


@dataclass(frozen=True)
class AppInMemory:
    """Short ways to say what stories about runs need. What they leave out is at `app`."""

    app: App
    clock: ManualClock
    folder: Path
    project: str = DEFAULT_PROJECT

    @property
    def asgi(self) -> ASGIApp:
        """The HTTP edge around this app, which is running already."""
        return build_server(self.app)

    async def assistant(self, **fields: Any) -> Assistant:
        """A new assistant of the scripted model."""
        made = assistant_of(AssistantCreate.model_validate({"model": MODEL, **fields}), self._now())
        await self.app.database.run(collections.insert, schema.assistants, self.project, made)
        return made

    async def thread(self, *texts: str) -> str:
        """A new thread with these messages of the user's; its id."""
        body = ThreadCreate.model_validate({"messages": _said(texts)})
        embedder = self.app.catalog.default_embedder
        made = await self.app.database.run(insert_thread, self.project, body, self._now(), embedder=embedder)
        return made.id

    async def begin(self, *texts: str, thread: str | None = None, **fields: Any) -> Run:
        """Begin a run of a new assistant on the thread, or on a new one, with these messages added. Does not wait."""
        assistant = await self.assistant()
        body = {"assistant_id": assistant.id, "additional_messages": _said(texts), **fields}
        on = thread or await self.thread()
        return await self.app.assistants.runs.create(self.project, on, RunCreate.model_validate(body))

    async def run(self, *texts: str, thread: str | None = None, **fields: Any) -> Run:
        """begin(), and wait until the run rests."""
        return await self.rest(await self.begin(*texts, thread=thread, **fields))

    async def rest(self, run: Run) -> Run:
        """Wait until the run has ended or waits for the client; the run as it is then."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            async for _ in self.follow(run):
                pass
        return await self.reload(run)

    async def until(self, run: Run, name: str, *, after: int = 0) -> RunEvent:
        """Wait for an event of this name, which comes after sequence `after`; it must come before the run rests."""
        async with asyncio.timeout(_PATIENCE_SECONDS), aclosing(self.follow(run, after=after)) as events:
            async for event in events:
                if event.name == name:
                    return event
        raise AssertionError(f"{run.id} rests without {name}")

    async def follow(self, run: Run, *, after: int = 0) -> AsyncGenerator[RunEvent, None]:
        """The run's events as clients see them, until it rests."""
        following = follow(self.app.database, self.app.hints, run.id, after=after, idle=_IDLE_SECONDS)
        async with aclosing(following) as pieces:
            async for events in pieces:
                for event in events:
                    yield event

    async def submit(self, run: Run, *outputs: str) -> Run:
        """Submit outputs for the calls that the run waits for, in their order."""
        assert run.required_action is not None
        calls = run.required_action.submit_tool_outputs.tool_calls
        given = [ToolOutput(tool_call_id=call.id, output=text) for call, text in zip(calls, outputs, strict=True)]
        submitted, _ = await self.app.assistants.runs.submit(self.project, run.thread_id, run.id, given)
        return submitted

    async def cancel(self, run: Run) -> Run:
        """As a client does it."""
        return await self.app.assistants.runs.cancel(self.project, run.thread_id, run.id)

    async def reload(self, run: Run) -> Run:
        """The run as it stands now."""
        return await self.app.database.run(collections.get, schema.runs, Run, self.project, run.id)

    async def steps(self, run: Run) -> list[RunStep]:
        """The run's steps, oldest first."""
        of_run, page = {"run_id": run.id}, PageParams(limit=100, order="asc")
        got = await self.app.database.run(collections.page, schema.run_steps, RunStep, self.project, page, of_run)
        return got.data

    async def messages(self, run: Run) -> list[Message]:
        """The messages that the run made, oldest first."""
        of_run, page = {"run_id": run.id}, PageParams(limit=100, order="asc")
        got = await self.app.database.run(collections.page, schema.messages, Message, self.project, page, of_run)
        return got.data

    async def log(self, run: Run, *, after: int = 0) -> list[RunEvent]:
        """The run's whole log, with the events that clients do not see."""
        return await self.app.database.run(runs.read_log, run.id, after=after)

    async def story(self, run: Run) -> list[str]:
        """The run's log in a form that is read at a glance."""
        return told(await self.log(run))

    def prompts(self) -> list[dict[str, Any]]:
        """Every request that the model got, oldest first."""
        record = self.folder / "requests.jsonl"
        return [orjson.loads(line) for line in record.read_bytes().splitlines()] if record.exists() else []

    def _now(self) -> int:
        return int(self.clock.now())


def told(events: Iterable[RunEvent]) -> list[str]:
    """Events by name, without "thread."; the pieces of a text or of a call's arguments joined: "message.delta: Hello"."""
    lines: list[str] = []
    for event in events:
        name = event.name.removeprefix("thread.")
        if event.name not in DELTAS:
            lines.append(name)
        elif lines and lines[-1].startswith(name):
            lines[-1] += _streamed(event)
        else:
            lines.append(f"{name}: {_streamed(event).removeprefix(' ')}")
    return lines


def _streamed(event: RunEvent) -> str:
    """What a delta adds: a piece of text, or of calls like ' f{"city": "Paris"} g{}'."""
    delta = orjson.loads(event.data)["delta"]
    if "content" in delta:
        return "".join(piece.get("refusal") or piece["text"]["value"] for piece in delta["content"])
    calls = delta["step_details"]["tool_calls"]
    pieces = [call.get("function") or {"name": call["type"], "arguments": ""} for call in calls]
    return "".join(
        f" {piece['name']}{piece['arguments']}" if "name" in piece else piece["arguments"] for piece in pieces
    )


def _said(texts: Iterable[str]) -> list[dict[str, str]]:
    return [{"role": "user", "content": text} for text in texts]
