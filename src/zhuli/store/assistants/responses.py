"""What responses and conversations need beside runs and threads: branches, items that are no messages, and pages of items.

A response that goes on from another one shares its thread as long as it is the newest there; else it branches off: its thread
names the other one and how much of it belongs to both. Nothing is copied.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, and_, bindparam, delete, func, insert, literal, or_, select, union_all, update
from sqlalchemy.sql.expression import ColumnElement

from zhuli.core.errors import NotFound
from zhuli.store.assistants import threads as thread_store
from zhuli.store.assistants.threads import ITEM, Span
from zhuli.store.schema import files, messages, run_steps, runs, threads
from zhuli.store.statement import prepared
from zhuli.types.assistants.run import Run
from zhuli.types.assistants.thread import Thread

MadeFor = Literal["client", "responses", "passing"]

_RECENT = 50
"""Rows of calls and outputs that are looked at to find the calls which wait for an output."""

_SWEPT = 20


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """A run as a response. asked: JSON of an Asked, None of a run that the Assistants API began."""

    run: Run
    asked: str | None
    input_message: int | None
    input_step: int | None


_OF_RUN = prepared(
    select(runs.c.body, runs.c.asked, runs.c.input_message, runs.c.input_step).where(
        runs.c.project_id == bindparam("project"),
        runs.c.id == bindparam("run"),
        ~runs.c.response_deleted,
    )
)


def find(connection: Connection, project: str, run_id: str) -> ResponseRow | None:
    """The project's response that is this run; None where there is none, or it was deleted."""
    if "\0" in run_id:
        return None
    row = _OF_RUN(connection, {"project": project, "run": run_id}).first()
    if row is None:
        return None
    return ResponseRow(Run.model_validate_json(row.body), row.asked, row.input_message, row.input_step)


_MADE = prepared(
    select(messages.c.id, messages.c.body).where(messages.c.run_id == bindparam("run")).order_by(messages.c.seq)
)
_STEPS = prepared(select(run_steps.c.body).where(run_steps.c.run_id == bindparam("run")).order_by(run_steps.c.seq))


def made(connection: Connection, run_id: str) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """What a run has made so far: its messages by their ids, and its steps in order."""
    said = {row.id: orjson.loads(row.body) for row in _MADE(connection, {"run": run_id})}
    return said, [orjson.loads(body) for body in _STEPS(connection, {"run": run_id}).scalars()]


_THREAD = prepared(
    select(threads.c.body, threads.c.made_for).where(
        threads.c.project_id == bindparam("project"), threads.c.id == bindparam("thread")
    )
)


def thread_of(connection: Connection, project: str, thread_id: str) -> tuple[Thread, MadeFor] | None:
    """The thread and whom it was made for, None where there is none; nobody adds to it until this transaction ends."""
    if "\0" in thread_id:
        return None
    try:
        thread_store.lock(connection, project, thread_id)
    except NotFound:
        return None
    row = _THREAD(connection, {"project": project, "thread": thread_id}).first()
    return None if row is None else (Thread.model_validate_json(row.body), row.made_for)


_INSERT_THREAD = prepared(
    insert(threads).values(
        {
            name: bindparam(name)
            for name in ("id", "project_id", "body", "made_for", "parent_id", "parent_message", "parent_step")
        }
    )
)


def insert_thread(
    connection: Connection, project: str, thread: Thread, made_for: MadeFor, parent: Span | None = None
) -> None:
    """A new thread. parent: what it branches off from."""
    values = {
        "id": thread.id,
        "project_id": project,
        "body": thread.model_dump_json(),
        "made_for": made_for,
        "parent_id": None if parent is None else parent.thread_id,
        "parent_message": None if parent is None else parent.until_message,
        "parent_step": None if parent is None else parent.until_step,
    }
    _INSERT_THREAD(connection, values)


_NEWEST_MESSAGE = select(func.max(messages.c.seq)).where(messages.c.thread_id == bindparam("thread")).scalar_subquery()
_NEWEST_STEP = select(func.max(run_steps.c.seq)).where(run_steps.c.thread_id == bindparam("thread")).scalar_subquery()
_END = prepared(
    select(func.coalesce(_NEWEST_MESSAGE, 0).label("message"), func.coalesce(_NEWEST_STEP, 0).label("step"))
)


def end_of_thread(connection: Connection, thread_id: str) -> Span:
    """All that is on the thread now."""
    row = _END(connection, {"thread": thread_id}).first()
    assert row is not None
    return Span(thread_id, int(row.message), int(row.step))


_LAST_MESSAGE = prepared(select(func.max(messages.c.seq)).where(messages.c.run_id == bindparam("run")))
_LAST_STEP = prepared(
    select(func.max(run_steps.c.seq).label("step"), func.max(run_steps.c.after_message).label("message")).where(
        run_steps.c.run_id == bindparam("run")
    )
)
_STEP_BEFORE = prepared(
    select(func.max(run_steps.c.seq)).where(
        run_steps.c.thread_id == bindparam("thread"), run_steps.c.after_message <= bindparam("message")
    )
)


def end_of_run(connection: Connection, row: ResponseRow) -> Span:
    """The thread up to the end of a run: what a response that goes on from it is given."""
    run, of_run = row.run, {"run": row.run.id}
    step = _LAST_STEP(connection, of_run).first()
    said = _LAST_MESSAGE(connection, of_run).scalar()
    last_message = max(said or 0, (step and step.message) or 0, row.input_message or 0)
    last_step = max((step and step.step) or 0, row.input_step or 0)
    if not last_step and last_message:
        before = {"thread": run.thread_id, "message": last_message}
        last_step = _STEP_BEFORE(connection, before).scalar() or 0
    return Span(run.thread_id, last_message, last_step)


_BEGIN = prepared(
    select(func.min(run_steps.c.after_message).label("message"), func.min(run_steps.c.seq).label("step")).where(
        run_steps.c.run_id == bindparam("run")
    )
)


def begin_of_run(connection: Connection, run_id: str, thread_id: str) -> Span:
    """The thread before what a run of the Assistants API made; all of it as long as it has made nothing."""
    row = _BEGIN(connection, {"run": run_id}).first()
    if row is None or row.step is None:
        return Span(thread_id)
    return Span(thread_id, int(row.message), int(row.step) - 1)


_NEWEST_RUN = prepared(
    select(runs.c.id).where(runs.c.thread_id == bindparam("thread")).order_by(runs.c.seq.desc()).limit(1)
)


def newest_run(connection: Connection, thread_id: str) -> str | None:
    """The id of the thread's newest run."""
    return _NEWEST_RUN(connection, {"thread": thread_id}).scalar()


_INSERT_ITEM = prepared(
    insert(run_steps).values(
        {
            **{name: bindparam(name) for name in ("id", "project_id", "thread_id", "run_id", "status", "body")},
            "after_message": func.coalesce(
                select(func.max(messages.c.seq))
                .where(messages.c.thread_id == bindparam("thread_id"))
                .scalar_subquery(),
                0,
            ),
        }
    )
)


def insert_item(connection: Connection, project: str, thread_id: str, id_: str, body: dict[str, Any]) -> None:
    """An item that is no message, behind all that is on the thread."""
    values = {
        "id": id_,
        "project_id": project,
        "thread_id": thread_id,
        "run_id": "",
        "status": ITEM,
        "body": orjson.dumps(body).decode(),
    }
    _INSERT_ITEM(connection, values)


_CALLS = prepared(
    select(run_steps.c.run_id, run_steps.c.body)
    .where(
        run_steps.c.thread_id == bindparam("thread"),
        run_steps.c.seq <= bindparam("step"),
        run_steps.c.after_message <= bindparam("message"),
        or_(run_steps.c.status == "completed", run_steps.c.status == ITEM),
    )
    .order_by(run_steps.c.seq.desc())
    .limit(_RECENT)
)


def recent_calls(connection: Connection, spans: Sequence[Span]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The newest steps and items of a conversation, newest first: (run's id or "", its JSON)."""
    left = _RECENT
    for span in reversed(spans):
        place = {"thread": span.thread_id, "step": span.until_step, "message": span.until_message}
        for row in _CALLS(connection, place):
            yield row.run_id, orjson.loads(row.body)
            left -= 1
            if not left:
                return


@dataclass(frozen=True, slots=True)
class Row:
    """A message, a step with calls, or another item. place: the message at which it stands, and the step."""

    id: str
    place: tuple[int, int]
    is_step: bool
    run_id: str
    body: dict[str, Any]


def rows(connection: Connection, span: Span, *, forward: bool, begin: tuple[int, int] | None, most: int) -> list[Row]:
    """Some of a span's messages, steps and items in the order of the conversation, or backwards. begin: the first place."""
    said = select(
        messages.c.seq.label("message"),
        literal(0).label("step"),
        messages.c.id,
        literal("").label("run_id"),
        messages.c.body,
        literal(False).label("is_step"),
    ).where(
        messages.c.thread_id == span.thread_id,
        messages.c.seq <= span.until_message,
        messages.c.status.in_(("completed", "incomplete")),
    )
    called = select(
        run_steps.c.after_message.label("message"),
        run_steps.c.seq.label("step"),
        run_steps.c.id,
        run_steps.c.run_id,
        run_steps.c.body,
        literal(True).label("is_step"),
    ).where(
        run_steps.c.thread_id == span.thread_id,
        run_steps.c.seq <= span.until_step,
        run_steps.c.after_message <= span.until_message,
        or_(
            run_steps.c.status == ITEM,
            and_(run_steps.c.status == "completed", run_steps.c.body.contains('"tool_calls"')),
        ),
    )
    if begin is not None:
        said = said.where(_from(messages.c.seq, literal(0), begin, forward=forward))
        called = called.where(_from(run_steps.c.after_message, run_steps.c.seq, begin, forward=forward))
    both = union_all(said, called).subquery()
    order = (both.c.message, both.c.step) if forward else (both.c.message.desc(), both.c.step.desc())
    found = connection.execute(select(both).order_by(*order).limit(most))
    return [
        Row(row.id, (row.message, row.step), bool(row.is_step), row.run_id, orjson.loads(row.body)) for row in found
    ]


def _from(
    message: ColumnElement[Any], step: ColumnElement[Any], begin: tuple[int, int], *, forward: bool
) -> ColumnElement[bool]:
    """Whether a place is `begin`, or behind it in this direction."""
    if forward:
        return or_(message > begin[0], and_(message == begin[0], step >= begin[1]))
    return or_(message < begin[0], and_(message == begin[0], step <= begin[1]))


def row_of(connection: Connection, project: str, *, message: str | None, step: str | None) -> tuple[str, Row] | None:
    """A message or a step (or item) of the project's by its id, with its thread."""
    for id_, table, of_run in ((message, messages, messages.c.seq), (step, run_steps, run_steps.c.after_message)):
        if id_ is None or "\0" in id_:
            continue
        query = select(table, of_run.label("message")).where(table.c.project_id == project, table.c.id == id_)
        row = connection.execute(query).first()
        if row is not None:
            place = (row.message, row.seq if table is run_steps else 0)
            owner = row.run_id if table is run_steps else ""
            return row.thread_id, Row(row.id, place, table is run_steps, owner, orjson.loads(row.body))
    return None


def file_names(connection: Connection, project: str, ids: Sequence[str]) -> dict[str, str]:
    """Names of files that are still there."""
    if not ids:
        return {}
    query = select(files.c.id, files.c.body).where(files.c.project_id == project, files.c.id.in_(ids))
    return {row.id: orjson.loads(row.body)["filename"] for row in connection.execute(query)}


def rewrite_step(connection: Connection, step_id: str, body: dict[str, Any] | None) -> None:
    """Change what is kept of a step or item; None deletes it."""
    if body is None:
        connection.execute(delete(run_steps).where(run_steps.c.id == step_id))
    else:
        values = {"body": orjson.dumps(body).decode()}
        connection.execute(update(run_steps).where(run_steps.c.id == step_id).values(values))


def mark_deleted(connection: Connection, run_id: str) -> None:
    """The run is no response any more; what it said stays as long as others need it."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(response_deleted=True))


def prune(connection: Connection, project: str, thread_id: str | None) -> list[str]:
    """Delete a thread that was made for responses when nobody needs it, then what it branched off from; ids of its runs."""
    gone: list[str] = []
    while thread_id is not None:
        query = select(threads.c.made_for, threads.c.parent_id).where(threads.c.id == thread_id)
        row = connection.execute(query.with_for_update()).first()
        if row is None or row.made_for == "client" or _is_needed(connection, thread_id, row.made_for):
            break
        gone += thread_store.delete_thread(connection, project, thread_id)
        thread_id = row.parent_id
    return gone


def _is_needed(connection: Connection, thread_id: str, made_for: str) -> bool:
    kept = runs.c.active if made_for == "passing" else ~runs.c.response_deleted
    alive = select(runs.c.id).where(runs.c.thread_id == thread_id, kept)
    branches = select(threads.c.id).where(threads.c.parent_id == thread_id)
    return any(connection.execute(query.limit(1)).first() is not None for query in (alive, branches))


def passing(connection: Connection, *, ended_before: float) -> list[tuple[str, str]]:
    """Some threads of responses that are not stored and ended before: (project, thread)."""
    busy = select(runs.c.id).where(
        runs.c.thread_id == threads.c.id, or_(runs.c.active, runs.c.ended_at >= ended_before)
    )
    query = select(threads.c.project_id, threads.c.id).where(threads.c.made_for == "passing", ~busy.exists())
    return [(row.project_id, row.id) for row in connection.execute(query.order_by(threads.c.seq).limit(_SWEPT))]
