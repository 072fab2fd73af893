"""What a client can do to runs: create, submit outputs, cancel, modify. Each is one transaction.

A command writes events and, where work follows, a job. It never calls the engine.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from zhuli.assistants.runs import attached, lifecycle
from zhuli.assistants.runs.new import NO_DOMAIN, message_of, new_run, thread_of
from zhuli.assistants.runs.outcomes import Cancelled
from zhuli.assistants.runs.toolbox import Toolbox
from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest
from zhuli.models.catalog import Catalog
from zhuli.settings import Settings
from zhuli.store import collections, jobs, schema
from zhuli.store.assistants import runs, threads
from zhuli.store.database import Database
from zhuli.types.assistants.assistant import Assistant
from zhuli.types.assistants.event import RUN_MODIFIED, Change
from zhuli.types.assistants.message import Message, MessageCreate
from zhuli.types.assistants.run import FOLLOWS, Run, RunCreate, ThreadRunCreate, ToolOutput
from zhuli.types.assistants.thread import Thread, ThreadCreate
from zhuli.types.page import PageParams


class RunCommands:
    """Each method gives the run as it is after the command."""

    def __init__(self, database: Database, catalog: Catalog, clock: Clock, settings: Settings, tools: Toolbox) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock
        self._settings = settings
        self._tools = tools

    async def create(self, project: str, thread_id: str, body: RunCreate) -> Run:
        """Run an assistant on a thread, with the messages that are to be added before."""
        await self._tools.check_run(project, body)
        return await self._database.run(self._create, project, thread_id, body)

    async def create_with_thread(self, project: str, body: ThreadRunCreate) -> Run:
        """Create a thread and run an assistant on it."""
        await self._tools.check_run(project, body)
        return await self._database.run(self._create_with_thread, project, body)

    async def create_once(self, project: str, thread_id: str, thread: ThreadCreate, body: RunCreate) -> Run:
        """Create a thread of this id and run an assistant on it, unless it is there: then its newest run."""
        await self._tools.check_run(project, body)
        return await self._database.run(self._create_once, project, thread_id, thread, body)

    async def submit(self, project: str, thread_id: str, run_id: str, outputs: Sequence[ToolOutput]) -> tuple[Run, int]:
        """Take the outputs of all calls that the run waits for; also the sequence of the last event before."""
        return await self._database.run(self._submit, project, thread_id, run_id, outputs)

    async def cancel(self, project: str, thread_id: str, run_id: str) -> Run:
        """Begin to cancel; a run that no worker has at hand is cancelled at once."""
        return await self._database.run(self._cancel, project, thread_id, run_id)

    async def modify(self, project: str, thread_id: str, run_id: str, metadata: dict[str, str] | None) -> Run:
        """Overwrite the metadata; also of a run that has ended."""
        return await self._database.run(self._modify, project, thread_id, run_id, metadata)

    def _now(self) -> int:
        return int(self._clock.now())

    def _create(self, connection: Connection, project: str, thread_id: str, body: RunCreate) -> Run:
        threads.lock(connection, project, thread_id)
        refuse_while_active(connection, thread_id)
        assistant = collections.get(connection, schema.assistants, Assistant, project, body.assistant_id)
        _check_domain(connection, project, body)
        now = self._now()
        if body.additional_messages:
            embedder = self._catalog.default_embedder
            add_messages(connection, project, thread_id, body.additional_messages, now, embedder=embedder)
        run = new_run(thread_id, assistant, body, now=now, lifetime=self._settings.run_lifetime_seconds)
        return self._insert(connection, project, run, [])

    def _create_with_thread(self, connection: Connection, project: str, body: ThreadRunCreate) -> Run:
        assistant = collections.get(connection, schema.assistants, Assistant, project, body.assistant_id)
        _check_domain(connection, project, body)
        now = self._now()
        embedder = self._catalog.default_embedder
        thread = insert_thread(connection, project, body.thread or ThreadCreate(), now, embedder=embedder)
        attached.check_resources(connection, project, body.tool_resources)
        run = new_run(thread.id, assistant, body, now=now, lifetime=self._settings.run_lifetime_seconds)
        return self._insert(connection, project, run, [Change("thread.created", thread.model_dump(mode="json"))])

    def _create_once(
        self, connection: Connection, project: str, thread_id: str, thread: ThreadCreate, body: RunCreate
    ) -> Run:
        newest = PageParams(limit=1, order="desc")
        known = collections.page(connection, schema.runs, Run, project, newest, {"thread_id": thread_id})
        if known.data:
            return known.data[0]
        embedder = self._catalog.default_embedder
        insert_thread(connection, project, thread, self._now(), embedder=embedder, thread_id=thread_id)
        return self._create(connection, project, thread_id, body)

    def _insert(self, connection: Connection, project: str, run: Run, before: list[Change]) -> Run:
        if self._catalog.resolve_now(connection, run.model, project) is None:
            raise self._catalog.unknown(run.model, project)
        self._tools.check_known(run.tools)
        data = run.model_dump(mode="json")
        opening = [*before, Change("thread.run.created", data), Change("thread.run.queued", data)]
        try:
            runs.insert_run(connection, project, run, opening)
        except IntegrityError as error:
            raise InvalidRequest(f"Thread {run.thread_id} already has an active run.") from error
        return run

    def _submit(
        self,
        connection: Connection,
        project: str,
        thread_id: str,
        run_id: str,
        outputs: Sequence[ToolOutput],
    ) -> tuple[Run, int]:
        runs.lock_status(connection, run_id)
        run = collections.get(connection, schema.runs, Run, project, run_id, {"thread_id": thread_id})
        if run.status != "requires_action" or run.required_action is None:
            raise InvalidRequest(f'Runs in status "{run.status}" do not accept tool outputs.')
        wanted = [call.id for call in run.required_action.submit_tool_outputs.tool_calls]
        given = [output.tool_call_id for output in outputs]
        if sorted(wanted) != sorted(given):
            raise InvalidRequest(f"Expected tool outputs for call_ids {_listed(wanted)}, got {_listed(given)}")
        before = runs.require(connection, project, thread_id, run_id)
        step = self._answered_step(connection, run_id, {output.tool_call_id: output.output for output in outputs})
        queued = Change("thread.run.queued", {"status": "queued", "required_action": None})
        events = runs.record(connection, run_id, [step, queued], now=self._clock.now())
        jobs.enqueue(connection, runs.JOB, run_id)
        return Run.model_validate_json(events[-1].data), before

    def _answered_step(self, connection: Connection, run_id: str, outputs: dict[str, str]) -> Change:
        step = next(step for step in runs.open_items(connection, run_id).steps if step.type == "tool_calls")
        data: dict[str, Any] = step.model_dump(mode="json")
        for call in data["step_details"]["tool_calls"]:
            if call["type"] == "function":
                call["function"]["output"] = outputs[call["id"]]
        usage = runs.turn_usages(connection, run_id)[-1]
        data |= {"status": "completed", "completed_at": self._now(), "usage": usage}
        return Change("thread.run.step.completed", data)

    def _cancel(self, connection: Connection, project: str, thread_id: str, run_id: str) -> Run:
        runs.require(connection, project, thread_id, run_id)
        before = runs.lock_status(connection, run_id)
        if "cancelling" not in FOLLOWS.get(before, ()):
            raise InvalidRequest(f"Cannot cancel run with status '{before}'.")
        cancelling = Change("thread.run.cancelling", {"status": "cancelling", "required_action": None})
        events = runs.record(connection, run_id, [cancelling], now=self._clock.now())
        jobs.wake(connection, runs.JOB, run_id)  # it may wait for a limit
        if before in ("queued", "requires_action"):
            usages = runs.turn_usages(connection, run_id)
            changes = lifecycle.ending(Cancelled(), runs.open_items(connection, run_id), usages, self._now())
            runs.record(connection, run_id, changes, now=self._clock.now())
        return Run.model_validate_json(events[-1].data)

    def _modify(
        self, connection: Connection, project: str, thread_id: str, run_id: str, metadata: dict[str, str] | None
    ) -> Run:
        collections.get(connection, schema.runs, Run, project, run_id, {"thread_id": thread_id})
        change = Change(RUN_MODIFIED, {"metadata": metadata or {}})
        events = runs.record(connection, run_id, [change], now=self._clock.now())
        return Run.model_validate_json(events[-1].data)


def _check_domain(connection: Connection, project: str, body: RunCreate | ThreadRunCreate) -> None:
    if body.domain != NO_DOMAIN:
        attached.check_domain(connection, project, body.domain)


def refuse_while_active(connection: Connection, thread_id: str, *, doing: str | None = None) -> None:
    """A thread with an active run takes no second one and no change of its messages."""
    active = runs.active_run(connection, thread_id)
    if active is None:
        return
    if doing is None:
        raise InvalidRequest(f"Thread {thread_id} already has an active run {active}.")
    raise InvalidRequest(f"Can't {doing} {thread_id} while a run {active} is active.")


def insert_thread(
    connection: Connection, project: str, body: ThreadCreate, now: int, *, embedder: str, thread_id: str | None = None
) -> Thread:
    """A new thread with its first messages; a vector store that is made on the way uses this embedder.

    thread_id: None for a new one.
    """
    thread = thread_of(body, now)
    if thread_id is not None:
        thread = thread.model_copy(update={"id": thread_id})
    thread = attached.with_new_store(connection, project, thread, body.tool_resources, embedder=embedder, now=now)
    attached.check_resources(connection, project, thread.tool_resources, owner=thread.id)
    collections.insert(connection, schema.threads, project, thread)
    messages = body.messages or []
    add_messages(connection, project, thread.id, messages, now, embedder=embedder)
    if not any(message.attachments for message in messages):
        return thread
    return collections.get(connection, schema.threads, Thread, project, thread.id)


def add_messages(
    connection: Connection,
    project: str,
    thread_id: str,
    bodies: Sequence[MessageCreate],
    now: int,
    *,
    embedder: str,
) -> list[Message]:
    """Add what a client sent to a thread, which the caller has locked or just made.

    Files that are attached for file_search get into the thread's vector store; a new one uses this embedder.
    """
    messages = [message_of(thread_id, body, now) for body in bodies]
    for message in messages:
        attached.check_message(connection, project, message)
    threads.insert_messages(connection, project, messages)
    attached.join_thread(connection, project, thread_id, messages, embedder=embedder, now=now)
    return messages


def _listed(ids: Sequence[str]) -> str:
    """Ids as the API's texts list them: ['call_a','call_b']."""
    return "[" + ",".join(f"'{id_}'" for id_ in ids) + "]"
