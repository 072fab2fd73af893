"""Runs and their event logs. The log is the truth: rows of runs, steps and a run's messages are the fold of it.

`record()` is the only way in which a run changes: it appends events and folds them into the rows in one transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from zhuli.store import jobs
from zhuli.store.collections import missing
from zhuli.store.database import hint
from zhuli.store.jobs import Job
from zhuli.store.schema import messages, run_events, run_steps, runs
from zhuli.store.statement import prepared
from zhuli.store.understanding import understandings
from zhuli.types.assistants.event import (
    DELTAS,
    GUARDED,
    RESTS,
    STEP_CALLED,
    TOOLS_BEGUN,
    TURN_ABANDONED,
    TURN_ENDED,
    UNDERSTOOD,
    Change,
    RunEvent,
)
from zhuli.types.assistants.message import Message
from zhuli.types.assistants.run import FOLLOWS, TERMINAL, Run
from zhuli.types.assistants.step import RunStep
from zhuli.types.understanding.understanding import Understanding

JOB = "run"


class RunOver(Exception):
    """The run can't change like that: it has ended, or another command came first. `status` is what it has now."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class OpenItems:
    """What a run has begun and not finished: its steps, and its messages with the text that was streamed so far."""

    steps: list[RunStep]
    messages: list[Message]


TOPIC = "run:"
"""How the topics of runs begin."""


def topic(run_id: str) -> str:
    """Where the events of a run are hinted; the payload is the list of new events, or None."""
    return f"{TOPIC}{run_id}"


@dataclass(frozen=True, slots=True)
class ResponseColumns:
    """Of a run that is a response. asked: JSON of an Asked; input_*: seqs of the last message and step that it was given."""

    asked: str | None = None
    input_message: int | None = None
    input_step: int | None = None


_NO_RESPONSE = ResponseColumns()


def insert_run(
    connection: Connection,
    project: str,
    run: Run,
    opening: Sequence[Change],
    response: ResponseColumns = _NO_RESPONSE,
) -> None:
    """Insert a queued run with its first events, and the job that will execute it.

    A thread's second active run violates the unique index and raises sqlalchemy's IntegrityError.
    """
    row = {
        "id": run.id,
        "project_id": project,
        "thread_id": run.thread_id,
        "body": run.model_dump_json(),
        "status": run.status,
        "active": True,
        "expires_at": run.expires_at,
        "last_event": len(opening),
        "asked": response.asked,
        "input_message": response.input_message,
        "input_step": response.input_step,
    }
    _INSERT(connection, row)
    events = [RunEvent(n, change.name, orjson.dumps(change.data)) for n, change in enumerate(opening, start=1)]
    _append(connection, run.id, events)
    jobs.enqueue(connection, JOB, run.id)


_INSERT = prepared(
    insert(runs).values(
        {
            name: bindparam(name)
            for name in (
                "id",
                "project_id",
                "thread_id",
                "body",
                "status",
                "active",
                "expires_at",
                "last_event",
                "asked",
                "input_message",
                "input_step",
            )
        }
    )
)

_LOCK = prepared(
    select(runs.c.project_id, runs.c.thread_id, runs.c.body, runs.c.status, runs.c.last_event)
    .where(runs.c.id == bindparam("run"))
    .with_for_update()
)


def record(
    connection: Connection, run_id: str, changes: Iterable[Change], *, now: float, job: Job | None = None
) -> list[RunEvent]:
    """Append `changes` to the run's log and fold them into its rows.

    job: the claim under which a worker writes; LeaseLost if it no longer stands. Commands and the sweeper have none.
    Raises RunOver when a change can't follow the run's status, or when a worker writes to a run that is being cancelled;
    NotFound when the run is gone.
    """
    row = _LOCK(connection, {"run": run_id}).first()
    if row is None:
        raise missing(runs, run_id)
    if job is not None:
        jobs.check(connection, job)
        if row.status != "in_progress" and row.status != "queued":
            raise RunOver(row.status)
    fold = _Fold(connection, run_id, row)
    for change in changes:
        fold.apply(change)
    fold.finish(now)
    return fold.events


class _Fold:
    """One record(): takes changes in order, writes rows of steps and messages as it goes, the run's row at the end."""

    def __init__(self, connection: Connection, run_id: str, row: Any) -> None:
        self.events: list[RunEvent] = []
        self._connection = connection
        self._run_id = run_id
        self._row = row
        self._status: str = row.status
        self._run: dict[str, Any] | None = None

    def apply(self, change: Change) -> None:
        name, data = change.name, change.data
        if name in DELTAS or name in (TURN_ENDED, TOOLS_BEGUN):
            pass  # these change no row
        elif name == TURN_ABANDONED:
            for id_ in data["message_ids"]:
                _SUPERSEDE(self._connection, {"message": id_})
        elif name.startswith("thread.run.step.") or name == STEP_CALLED:
            self._write_step(name, data)
        elif name.startswith("thread.message."):
            self._write_message(name, data)
        elif name == UNDERSTOOD:
            self._write_understanding(data)
        elif name == GUARDED:
            self._add_decision(data)
        else:
            data = self._change_run(data)
        sequence = self._row.last_event + len(self.events) + 1
        self.events.append(RunEvent(sequence, name, orjson.dumps(data)))

    def finish(self, now: float) -> None:
        """Write the log and the run's row; a run that rests needs no job any more."""
        _append(self._connection, self._run_id, self.events)
        last_event = self._row.last_event + len(self.events)
        if self._run is None:
            _BUMP(self._connection, {"run": self._run_id, "last": last_event})
            return
        ended = self._status in TERMINAL
        values = {
            "run": self._run_id,
            "new_body": orjson.dumps(self._run).decode(),
            "new_status": self._status,
            "is_active": not ended,
            "until": self._run["expires_at"] or 0,
            "end": now if ended else None,
            "last": last_event,
        }
        _WRITE(self._connection, values)
        if ended or self._status == "requires_action":
            jobs.finish(self._connection, JOB, self._run_id)

    def _change_run(self, fields: dict[str, Any]) -> dict[str, Any]:
        status = fields.get("status", self._status)
        if status not in FOLLOWS.get(self._status, ()) and fields.keys() != {"metadata"}:
            raise RunOver(self._status)
        self._run = {**(self._run or orjson.loads(self._row.body)), **fields}
        self._status = status
        return self._run

    def _write_step(self, name: str, data: dict[str, Any]) -> None:
        body = orjson.dumps(data).decode()
        if name == "thread.run.step.created":
            _NEW_STEP(self._connection, self._owned(data, body))
        elif name != "thread.run.step.in_progress":  # which says what "created" has said
            _STEP(self._connection, {"step": data["id"], "new_body": body, "new_status": data["status"]})

    def _write_message(self, name: str, data: dict[str, Any]) -> None:
        body = orjson.dumps(data).decode()
        if name == "thread.message.created":
            _NEW_MESSAGE(self._connection, self._owned(data, body))
        elif name != "thread.message.in_progress":
            _MESSAGE(self._connection, {"message": data["id"], "new_body": body, "new_status": data["status"]})

    def _write_understanding(self, data: dict[str, Any]) -> None:
        understood = Understanding.model_validate(data)
        project, thread = self._row.project_id, self._row.thread_id
        understandings.add_to_message(self._connection, project, thread, understood, shown=data["shown"])

    def _add_decision(self, data: dict[str, Any]) -> None:
        body = self._run or orjson.loads(self._row.body)
        self._change_run({"guarded": [*(body.get("guarded") or []), data]})

    def _owned(self, data: dict[str, Any], body: str) -> dict[str, Any]:
        return {
            "id": data["id"],
            "project_id": self._row.project_id,
            "thread_id": self._row.thread_id,
            "run_id": self._run_id,
            "status": data["status"],
            "body": body,
        }


_BUMP = prepared(update(runs).where(runs.c.id == bindparam("run")).values(last_event=bindparam("last")))
_WRITE = prepared(
    update(runs)
    .where(runs.c.id == bindparam("run"))
    .values(
        body=bindparam("new_body"),
        status=bindparam("new_status"),
        active=bindparam("is_active"),
        expires_at=bindparam("until"),
        ended_at=bindparam("end"),
        last_event=bindparam("last"),
    )
)
_STEP = prepared(
    update(run_steps)
    .where(run_steps.c.id == bindparam("step"))
    .values(body=bindparam("new_body"), status=bindparam("new_status"))
)
_MESSAGE = prepared(
    update(messages)
    .where(messages.c.id == bindparam("message"))
    .values(body=bindparam("new_body"), status=bindparam("new_status"))
)
_SUPERSEDE = prepared(update(messages).where(messages.c.id == bindparam("message")).values(status="superseded"))
_OWN: dict[str, Any] = {name: bindparam(name) for name in ("id", "project_id", "thread_id", "run_id", "status", "body")}
_NEW_MESSAGE = prepared(insert(messages).values(_OWN))
_NEWEST = select(func.max(messages.c.seq)).where(messages.c.thread_id == bindparam("thread_id")).scalar_subquery()
_NEW_STEP = prepared(insert(run_steps).values({**_OWN, "after_message": func.coalesce(_NEWEST, 0)}))


_APPEND = prepared(
    insert(run_events).values({name: bindparam(name) for name in ("run_id", "sequence", "name", "data")})
)


def _append(connection: Connection, run_id: str, events: list[RunEvent]) -> None:
    if not events:
        return
    rows = [
        {"run_id": run_id, "sequence": event.sequence, "name": event.name, "data": event.data.decode()}
        for event in events
    ]
    _APPEND(connection, rows)
    hint(connection, topic(run_id), events)


_AFTER = prepared(
    select(run_events.c.sequence, run_events.c.name, run_events.c.data)
    .where(run_events.c.run_id == bindparam("run"), run_events.c.sequence > bindparam("after"))
    .order_by(run_events.c.sequence)
)


def read_log(connection: Connection, run_id: str, *, after: int = 0) -> list[RunEvent]:
    """The events after `after`, oldest first."""
    rows = _AFTER(connection, {"run": run_id, "after": after})
    return [RunEvent(row.sequence, row.name, row.data.encode()) for row in rows]


_STATUS = prepared(select(runs.c.status).where(runs.c.id == bindparam("run")))


def lock_status(connection: Connection, run_id: str) -> str:
    """The run's status, which nobody else changes until this transaction ends."""
    row = _LOCK(connection, {"run": run_id}).first()
    if row is None:
        raise missing(runs, run_id)
    return str(row.status)


def read_on(connection: Connection, run_id: str, after: int) -> tuple[list[RunEvent], bool]:
    """The events after `after`, and whether the run rests after them; NotFound when the run is gone."""
    status = _STATUS(connection, {"run": run_id}).scalar()
    if status is None:
        raise missing(runs, run_id)
    events = read_log(connection, run_id, after=after)
    # On PostgreSQL the log may be newer than the status, which was read first.
    return events, not RESTS.isdisjoint((f"thread.run.{status}", *(event.name for event in events[-1:])))


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run with its project; `started` if a worker ever took it up. asked: JSON of an Asked, where it is a response."""

    run: Run
    project: str
    started: bool
    asked: str | None


_LOAD = prepared(
    select(runs.c.project_id, runs.c.body, runs.c.asked).where(runs.c.id == bindparam("run")).with_for_update()
)


def load(connection: Connection, run_id: str) -> StoredRun:
    """The run, in whichever project, which nobody else changes until this transaction ends; NotFound when it is gone."""
    row = _LOAD(connection, {"run": run_id}).first()
    if row is None:
        raise missing(runs, run_id)
    run = Run.model_validate_json(row.body)
    return StoredRun(run, row.project_id, started=run.started_at is not None, asked=row.asked)


def require(connection: Connection, project: str, thread_id: str, run_id: str) -> int:
    """The sequence of the run's last event; NotFound unless the project has this run on this thread."""
    query = select(runs.c.last_event).where(
        runs.c.project_id == project, runs.c.thread_id == thread_id, runs.c.id == run_id
    )
    last = connection.execute(query).scalar()
    if last is None:
        raise missing(runs, run_id)
    return int(last)


_ACTIVE = prepared(select(runs.c.id).where(runs.c.thread_id == bindparam("thread"), runs.c.active))


def active_run(connection: Connection, thread_id: str) -> str | None:
    """The id of the thread's run that has not ended."""
    return _ACTIVE(connection, {"thread": thread_id}).scalar()


def overdue(connection: Connection, *, now: float, most: int = 100) -> list[str]:
    """Ids of runs that have not ended and are past their expires_at."""
    return _OVERDUE(connection, {"now": int(now), "most": most}).scalars()


_OVERDUE = prepared(
    select(runs.c.id)
    .where(runs.c.active, runs.c.expires_at <= bindparam("now"))
    .order_by(runs.c.expires_at)
    .limit(bindparam("most"))
)


def interrupted(connection: Connection, run_ids: Sequence[str]) -> list[str]:
    """Which of these runs a worker must stop: they are being cancelled, have ended, or are gone."""
    query = select(runs.c.id).where(runs.c.id.in_(run_ids), runs.c.status.in_(("in_progress", "queued")))
    running = set(connection.execute(query).scalars())
    return [run_id for run_id in run_ids if run_id not in running]


def open_items(connection: Connection, run_id: str) -> OpenItems:
    """What must be closed before the run may end."""
    unfinished = (run_steps.c.run_id == run_id, run_steps.c.status == "in_progress")
    steps = connection.execute(select(run_steps.c.body).where(*unfinished).order_by(run_steps.c.seq)).scalars().all()
    begun = (messages.c.run_id == run_id, messages.c.status == "in_progress")
    found = connection.execute(select(messages.c.body).where(*begun).order_by(messages.c.seq)).scalars().all()
    if not found:
        return OpenItems([RunStep.model_validate_json(body) for body in steps], [])
    deltas = [
        orjson.loads(event.data) for event in read_log(connection, run_id) if event.name == "thread.message.delta"
    ]
    streamed = [with_deltas(orjson.loads(body), deltas) for body in found]
    return OpenItems(
        [RunStep.model_validate_json(body) for body in steps], [Message.model_validate(body) for body in streamed]
    )


def abandoned(connection: Connection, run_id: str) -> list[str]:
    """Messages that were finished within a turn that was not."""
    ids: list[str] = []
    for event in read_log(connection, run_id):
        if event.name == "thread.message.completed":
            ids.append(orjson.loads(event.data)["id"])
        elif event.name in (TURN_ENDED, TURN_ABANDONED):
            ids.clear()
    return ids


def with_deltas(message: dict[str, Any], deltas: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The message with the text of its streamed deltas as content."""
    content: list[dict[str, Any]] = []
    for delta in deltas:
        if delta["id"] != message["id"]:
            continue
        for piece in delta["delta"]["content"]:
            while len(content) <= piece["index"]:
                content.append({"type": "text", "text": {"value": "", "annotations": []}})
            if piece["type"] == "refusal":
                refused = content[piece["index"]].get("refusal", "") + piece["refusal"]
                content[piece["index"]] = {"type": "refusal", "refusal": refused}
            else:
                text = content[piece["index"]]["text"]
                text["value"] += piece["text"].get("value") or ""
                text["annotations"] += [_without_index(note) for note in piece["text"].get("annotations", ())]
    return {**message, "content": content}


def _without_index(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "index"}


def turn_usages(connection: Connection, run_id: str) -> list[dict[str, Any]]:
    """What each model call of the run used, oldest first: {"prompt_tokens", "completion_tokens", "total_tokens"}."""
    return [orjson.loads(data) for data in _NAMED(connection, {"run": run_id, "event": TURN_ENDED}).scalars()]


def begun_calls(connection: Connection, run_id: str, step_id: str) -> set[int]:
    """The places of a step's calls that were begun and are not to be made twice."""
    begun = [orjson.loads(data) for data in _NAMED(connection, {"run": run_id, "event": TOOLS_BEGUN}).scalars()]
    return {place for data in begun if data["step_id"] == step_id for place in data["calls"]}


_NAMED = prepared(
    select(run_events.c.data)
    .where(run_events.c.run_id == bindparam("run"), run_events.c.name == bindparam("event"))
    .order_by(run_events.c.sequence)
)


def drop_deltas(connection: Connection, *, ended_before: float, most: int = 200) -> int:
    """Delete the streamed pieces of runs that ended before; the completed messages hold their text."""
    old = select(runs.c.id).where(runs.c.ended_at < ended_before).order_by(runs.c.ended_at).limit(most)
    ids = list(connection.execute(old).scalars())
    if ids:
        connection.execute(delete(run_events).where(run_events.c.run_id.in_(ids), run_events.c.name.in_(DELTAS)))
        connection.execute(update(runs).where(runs.c.id.in_(ids)).values(ended_at=None))
    return len(ids)
