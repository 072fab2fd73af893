"""Threads and the messages on them: the lock that a run holds, edits, and what a prompt is made from."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from zhuli.store.assistants.leftovers import CLEAN_UP, clean_some
from zhuli.store.collections import missing
from zhuli.store.jobs import enqueue_all
from zhuli.store.schema import jobs, messages, run_steps, runs, threads
from zhuli.store.statement import Prepared, prepared
from zhuli.types.assistants.message import Message

ITEM = "item"
"""The status of rows of run_steps that are items of the conversation and no steps of a run."""

RUNS_AT_ONCE = 20
"""Whose logs are deleted with their thread; of more, jobs delete them."""

_LOCK = prepared(
    select(threads.c.seq)
    .where(threads.c.project_id == bindparam("project"), threads.c.id == bindparam("thread"))
    .with_for_update()
)


def lock(connection: Connection, project: str, thread_id: str) -> None:
    """Keep other transactions from adding to the thread until this one ends; NotFound if there is no such thread."""
    if _LOCK(connection, {"project": project, "thread": thread_id}).scalar() is None:
        raise missing(threads, thread_id)


_ADD = prepared(
    insert(messages).values(
        {name: bindparam(name) for name in ("id", "project_id", "thread_id", "run_id", "status", "body")}
    )
)


_LOCK_MESSAGE = prepared(select(messages.c.seq).where(messages.c.id == bindparam("message")).with_for_update())


def lock_message(connection: Connection, message_id: str) -> None:
    """Keep a run from showing what it understood of the message until this transaction ends."""
    _LOCK_MESSAGE(connection, {"message": message_id})


def insert_messages(connection: Connection, project: str, items: Sequence[Message]) -> None:
    """Add messages in this order."""
    rows = [
        {
            "id": item.id,
            "project_id": project,
            "thread_id": item.thread_id,
            "run_id": item.run_id,
            "status": item.status,
            "body": item.model_dump_json(),
        }
        for item in items
    ]
    if connection.dialect.name == "sqlite":
        _ADD(connection, rows)
        return
    for row in rows:  # one by one: rows of one statement need not get their seq in order on every database
        _ADD(connection, row)


def edited(connection: Connection, thread_id: str, message: Message | None = None) -> None:
    """Note that a message of the thread was changed or deleted; a changed one must be counted anew."""
    connection.execute(update(threads).where(threads.c.id == thread_id).values(edits=threads.c.edits + 1))
    if message is not None:
        connection.execute(update(messages).where(messages.c.id == message.id).values(tokens=None, tokenizer=None))


def delete_thread(connection: Connection, project: str, thread_id: str) -> list[str]:
    """Delete the thread, and its runs so that no worker goes on; the ids of its runs.

    All else of it can't be reached any more. Where that is much, a job deletes it (leftovers), for a transaction of SQLite stops
    everything else meanwhile.
    """
    lock(connection, project, thread_id)
    of_thread = select(runs.c.id).where(runs.c.thread_id == thread_id)
    ids = list(connection.execute(of_thread.with_for_update()).scalars())  # what a worker is writing comes first
    connection.execute(delete(jobs).where(jobs.c.kind == "run", jobs.c.key.in_(of_thread)))
    connection.execute(delete(runs).where(runs.c.thread_id == thread_id))
    connection.execute(delete(threads).where(threads.c.id == thread_id))
    left = [key for key in (*ids[:RUNS_AT_ONCE], thread_id) if not clean_some(connection, key)]
    enqueue_all(connection, CLEAN_UP, [*left, *ids[RUNS_AT_ONCE:]])
    return ids


@dataclass(frozen=True, slots=True)
class Entry:
    """A message, a round of tool calls or another item, in the order of the conversation. `body` is its JSON."""

    seq: int
    id: str
    is_step: bool
    run_id: str | None
    body: str
    tokens: int | None
    tokenizer: str | None

    @property
    def is_item(self) -> bool:
        """Whether it is neither a message nor a run's, but an item as the Responses API has it."""
        return self.is_step and not self.run_id


_NEWEST = 2**63 - 1
"""No message has this seq."""


@dataclass(frozen=True, slots=True)
class Span:
    """What of a thread belongs to a conversation: all up to these seqs of a message and of a step."""

    thread_id: str
    until_message: int = _NEWEST
    until_step: int = _NEWEST


@dataclass(frozen=True, slots=True)
class Lineage:
    """A thread and what it branched off from, oldest first. edits: how often any message of them was edited or deleted."""

    edits: int
    spans: tuple[Span, ...]


_ORIGIN = prepared(
    select(threads.c.edits, threads.c.parent_id, threads.c.parent_message, threads.c.parent_step).where(
        threads.c.id == bindparam("thread")
    )
)


def lineage(connection: Connection, thread_id: str) -> Lineage:
    """Where the thread's conversation stands; NotFound when the thread is gone. A parent that is gone is left out."""
    row = _ORIGIN(connection, {"thread": thread_id}).first()
    if row is None:
        raise missing(threads, thread_id)
    count, spans = int(row.edits), [Span(thread_id)]
    while row is not None and row.parent_id is not None:
        spans.append(Span(row.parent_id, row.parent_message, row.parent_step))
        row = _ORIGIN(connection, {"thread": row.parent_id}).first()
        count += 0 if row is None else int(row.edits)
    return Lineage(count, tuple(reversed(spans)))


_MESSAGES = prepared(
    select(
        messages.c.seq,
        messages.c.id,
        messages.c.run_id,
        messages.c.body,
        messages.c.tokens,
        messages.c.tokenizer,
    )
    .where(
        messages.c.thread_id == bindparam("thread"),
        messages.c.seq > bindparam("after"),
        messages.c.seq <= bindparam("until"),
        or_(messages.c.status == "completed", messages.c.status == "incomplete"),
    )
    .order_by(messages.c.seq)
    .limit(bindparam("most"))
)
_STEPS = prepared(
    select(run_steps.c.seq, run_steps.c.id, run_steps.c.run_id, run_steps.c.body, run_steps.c.after_message)
    .where(
        run_steps.c.thread_id == bindparam("thread"),
        run_steps.c.seq > bindparam("after"),
        run_steps.c.seq <= bindparam("last"),
        run_steps.c.after_message > bindparam("behind"),
        run_steps.c.after_message <= bindparam("until"),
        or_(run_steps.c.status == "completed", run_steps.c.status == ITEM),
    )
    .order_by(run_steps.c.seq)
)


def entries(
    connection: Connection, span: Span, *, after_message: int, after_step: int, behind: int, most: int
) -> tuple[list[Entry], int | None]:
    """Some finished messages, tool rounds and items of a span after these seqs, as the conversation had them.

    behind: what the last call gave, to go on from there, or -1. most: messages. What is given beside the entries is None when
    there are no more.
    """
    found: list[tuple[tuple[int, int], Entry]] = []
    until = span.until_message
    bounds = {"thread": span.thread_id, "until": span.until_message}
    for row in _MESSAGES(connection, {**bounds, "after": max(after_message, behind), "most": most}):
        entry = Entry(row.seq, row.id, False, row.run_id, row.body, row.tokens, row.tokenizer)
        found.append(((row.seq, 0), entry))
    more = len(found) == most
    if more:
        until = found[-1][1].seq
    places = {**bounds, "after": after_step, "last": span.until_step, "behind": behind, "until": until}
    for step in _STEPS(connection, places):
        entry = Entry(step.seq, step.id, True, step.run_id, step.body, None, None)
        found.append(((step.after_message, step.seq), entry))
    found.sort(key=lambda item: item[0])
    return [entry for _, entry in found], until if more else None


def _counted(message: ColumnElement[str], tokens: ColumnElement[int]) -> Prepared:
    counted = {"tokens": tokens, "tokenizer": bindparam("by")}
    return prepared(update(messages).where(messages.c.id == message).values(counted))


_IN_SQLITE = func.json_each(bindparam("counts")).table_valued("value").c.value
_AS_JSONB = cast(bindparam("counts", type_=Text), JSONB)
_IN_POSTGRES = func.jsonb_array_elements(_AS_JSONB).table_valued(column("value", JSONB)).c.value

_COUNTED = {
    "sqlite": _counted(func.json_extract(_IN_SQLITE, "$[0]"), func.json_extract(_IN_SQLITE, "$[1]")),
    "postgresql": _counted(_IN_POSTGRES[0].astext, cast(_IN_POSTGRES[1].astext, Integer)),
}
"""One statement for many rows, each a pair in a JSON array: on PostgreSQL a statement a row takes 0.15 ms."""


def store_counts(connection: Connection, counts: Sequence[tuple[str, int]], tokenizer: str) -> None:
    """Keep token counts with their messages: (message id, tokens)."""
    if counts:
        pairs = orjson.dumps(counts).decode()
        _COUNTED[connection.dialect.name](connection, {"counts": pairs, "by": tokenizer})
