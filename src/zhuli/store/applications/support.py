"""Support desks: their tasks, dialogues, proposals and handoffs. What happens to the last two is a log, rows are folds.

Whoever changes a proposal or a handoff locks its row first, and writes the event and the row together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, delete, func, insert, select, update

from zhuli.store import collections, work
from zhuli.store.jobs import Job
from zhuli.store.schema import (
    messages,
    support_desks,
    support_dialogues,
    support_events,
    support_handoffs,
    support_proposals,
    support_tasks,
)
from zhuli.types.applications.support import Desk, Handoff, Proposal, Published, SupportTask

WORK = "support"
"""The kind of job; its key is the task's id."""

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class StoredDialogue:
    """body: JSON with the turns and the pairs of the dialogue."""

    id: str
    user: str | None
    held_out: bool
    body: str


def desk(connection: Connection, project: str, desk_id: str) -> Desk:
    """The project's desk; NotFound."""
    return collections.get(connection, support_desks, Desk, project, desk_id)


def lock_desk(connection: Connection, project: str, desk_id: str) -> Desk:
    """The same, and nobody else changes it until this transaction ends."""
    connection.execute(select(support_desks.c.seq).where(support_desks.c.id == desk_id).with_for_update())
    return desk(connection, project, desk_id)


def remove_desk(connection: Connection, project: str, desk_id: str) -> None:
    """The desk with all that is kept of it; what was published stays, for it is assistants', domains' and files'."""
    collections.remove(connection, support_desks, project, desk_id)
    for table in (support_tasks, support_dialogues, support_events, support_proposals, support_handoffs):
        connection.execute(delete(table).where(table.c.desk_id == desk_id))


def begin(connection: Connection, project: str, task: SupportTask) -> SupportTask:
    """The task is queued."""
    desk(connection, project, task.desk_id)
    return work.begin(connection, support_tasks, WORK, project, task, {"desk_id": task.desk_id})


def take_up(connection: Connection, job: Job) -> tuple[str, SupportTask] | None:
    """The project and the task of a job; None, and no job any more, where it has ended or is gone."""
    return work.take_up(connection, support_tasks, SupportTask, job)


def keep_task(connection: Connection, job: Job, task: SupportTask) -> None:
    """How far the task is. Raises LeaseLost."""
    work.keep(connection, support_tasks, job, task)


def end(connection: Connection, job: Job, task: SupportTask) -> None:
    """The task has ended like this. Raises LeaseLost."""
    work.end(connection, support_tasks, job, task)


def add_dialogues(connection: Connection, desk_id: str, task_id: str, given: Sequence[StoredDialogue]) -> int:
    """Add those that the desk never had; how many that were."""
    known: set[str] = set()
    ids = [one.id for one in given]
    table = support_dialogues.c
    for start in range(0, len(ids), _AT_ONCE):
        query = select(table.dialogue_id).where(
            table.desk_id == desk_id, table.dialogue_id.in_(ids[start : start + _AT_ONCE])
        )
        known.update(connection.execute(query).scalars())
    rows: dict[str, dict[str, Any]] = {
        one.id: {
            "desk_id": desk_id,
            "dialogue_id": one.id,
            "task_id": task_id,
            "end_user": one.user,
            "held_out": one.held_out,
            "body": one.body,
        }
        for one in given
        if one.id not in known
    }
    if rows:
        connection.execute(insert(support_dialogues), list(rows.values()))
    return len(rows)


def dialogues(
    connection: Connection, desk_id: str, *, after: int, most: int, held_out: bool, task_id: str | None = None
) -> list[tuple[int, str, str | None, str]]:
    """Place, id, end user and body of dialogues behind a place, in order. task_id: of the import that brought them."""
    table = support_dialogues.c
    query = select(table.seq, table.dialogue_id, table.end_user, table.body).where(
        table.desk_id == desk_id, table.seq > after, table.held_out == held_out
    )
    if task_id is not None:
        query = query.where(table.task_id == task_id)
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query.order_by(table.seq).limit(most))]


def imported(connection: Connection, task_id: str) -> int:
    """How many dialogues the import brought."""
    query = select(func.count()).where(support_dialogues.c.task_id == task_id)
    return int(connection.execute(query).scalar() or 0)


def proposals(connection: Connection, desk_id: str) -> list[Proposal]:
    """All proposals of the desk, in the order in which they were made."""
    query = select(support_proposals.c.body).where(support_proposals.c.desk_id == desk_id)
    bodies = connection.execute(query.order_by(support_proposals.c.seq)).scalars()
    return [Proposal.model_validate_json(body) for body in bodies]


def lock_proposal(connection: Connection, project: str, desk_id: str, proposal_id: str) -> Proposal:
    """The proposal, which nobody else changes until this transaction ends; NotFound."""
    connection.execute(select(support_proposals.c.seq).where(support_proposals.c.id == proposal_id).with_for_update())
    where = {"desk_id": desk_id}
    return collections.get(connection, support_proposals, Proposal, project, proposal_id, where)


def named(connection: Connection, desk_id: str, kind: str, name: str) -> Proposal | None:
    """The desk's proposal of this kind and name."""
    table = support_proposals.c
    query = select(table.body).where(table.desk_id == desk_id, table.kind == kind, table.name == name)
    body = connection.execute(query).scalar()
    return None if body is None else Proposal.model_validate_json(body)


def add_proposal(connection: Connection, project: str, made: Proposal, *, event: str, at: float) -> None:
    """A new proposal, and what made it."""
    columns = {"desk_id": made.desk_id, "kind": made.kind, "name": made.name, "status": made.status}
    collections.insert(connection, support_proposals, project, made, columns)
    _note(connection, made.desk_id, made.id, event, at, made.model_dump_json())


def change_proposal(connection: Connection, changed: Proposal, *, event: str, at: float) -> None:
    """The proposal as it is now, and what it became so by."""
    values = {"body": changed.model_dump_json(), "name": changed.name, "status": changed.status}
    connection.execute(update(support_proposals).where(support_proposals.c.id == changed.id).values(values))
    _note(connection, changed.desk_id, changed.id, event, at, changed.model_dump_json())


def add_handoff(connection: Connection, project: str, made: Handoff, *, at: float) -> Handoff:
    """The handoff of its message; the one that is there already, where there is."""
    query = select(support_handoffs.c.body).where(support_handoffs.c.message_id == made.message_id)
    body = connection.execute(query).scalar()
    if body is not None:
        return Handoff.model_validate_json(body)
    columns = {
        "desk_id": made.desk_id,
        "status": made.status,
        "message_id": made.message_id,
        "thread_id": made.thread_id,
    }
    collections.insert(connection, support_handoffs, project, made, columns)
    _note(connection, made.desk_id, made.id, "opened", at, made.model_dump_json())
    return made


def lock_handoff(connection: Connection, project: str, desk_id: str, handoff_id: str) -> Handoff:
    """The handoff, which nobody else changes until this transaction ends; NotFound."""
    connection.execute(select(support_handoffs.c.seq).where(support_handoffs.c.id == handoff_id).with_for_update())
    return collections.get(connection, support_handoffs, Handoff, project, handoff_id, {"desk_id": desk_id})


def change_handoff(connection: Connection, changed: Handoff, *, event: str, at: float) -> None:
    """The handoff as it is now, and what it became so by."""
    values = {"body": changed.model_dump_json(), "status": changed.status}
    connection.execute(update(support_handoffs).where(support_handoffs.c.id == changed.id).values(values))
    _note(connection, changed.desk_id, changed.id, event, at, changed.model_dump_json())


def publish(connection: Connection, job: Job, project: str, task: SupportTask, made: Published) -> None:
    """The desk's next version is this, and the task has ended. Raises LeaseLost."""
    found = lock_desk(connection, project, task.desk_id)
    collections.replace(
        connection, support_desks, found.model_copy(update={"published": made, "assistant": made.assistant})
    )
    _note(connection, found.id, found.id, "published", made.published_at, made.model_dump_json())
    end(connection, job, task)


def said_on(connection: Connection, thread_id: str, *, most: int) -> list[tuple[str, str, Any]]:
    """Id, role and content of the thread's last messages, oldest first."""
    query = select(messages.c.id, messages.c.body).where(messages.c.thread_id == thread_id)
    rows = connection.execute(query.order_by(messages.c.seq.desc()).limit(most)).all()
    bodies = [(row.id, orjson.loads(row.body)) for row in reversed(rows)]
    return [(id_, body["role"], body["content"]) for id_, body in bodies]


def forget(connection: Connection, project: str, user: str, threads: Sequence[str]) -> dict[str, int]:
    """Delete an end user's dialogues and the handoffs of their threads from the project's desks; how many of each.

    Their words go from the proposals too, from edited ones where an example is word for word theirs.
    """
    own = list(connection.execute(select(support_desks.c.id).where(support_desks.c.project_id == project)).scalars())
    table = support_dialogues.c
    rows = connection.execute(
        select(table.seq, table.desk_id, table.body).where(table.end_user == user, table.desk_id.in_(own))
    ).all()
    words: dict[str, set[str]] = {}
    for row in rows:
        pairs = orjson.loads(row.body)["pairs"]
        said = (text for pair in pairs for text in (pair["question"], pair["answer"]))
        words.setdefault(row.desk_id, set()).update(said)
    for desk_id, texts in words.items():
        _without(connection, desk_id, texts)
    for row in rows:
        connection.execute(delete(support_dialogues).where(table.seq == row.seq))
    handoffs = [
        handoff
        for start in range(0, len(threads), _AT_ONCE)
        for handoff in connection.execute(
            select(support_handoffs.c.id, support_handoffs.c.body).where(
                support_handoffs.c.project_id == project,
                support_handoffs.c.thread_id.in_(threads[start : start + _AT_ONCE]),
            )
        ).all()
    ]
    for handoff in handoffs:
        _without_handoff(connection, project, handoff.id)
    return {"support_dialogues": len(rows), "support_handoffs": len(handoffs)}


def of_user(
    connection: Connection, project: str, user: str, threads: Sequence[str], *, after: int | None
) -> tuple[list[tuple[str, str]], int | None]:
    """Some of an end user's dialogues in the project's desks, at their end the handoffs of these threads; and the next place."""
    own = select(support_desks.c.id).where(support_desks.c.project_id == project)
    table = support_dialogues.c
    query = select(table.seq, table.desk_id, table.body).where(
        table.end_user == user, table.desk_id.in_(own), table.seq > (after or 0)
    )
    rows = connection.execute(query.order_by(table.seq).limit(_AT_ONCE)).all()
    found = [("support_dialogue", f'{{"desk_id":"{row.desk_id}","dialogue":{row.body}}}') for row in rows]
    if len(rows) == _AT_ONCE:
        return found, rows[-1].seq
    for start in range(0, len(threads), _AT_ONCE):
        handoffs = select(support_handoffs.c.body).where(
            support_handoffs.c.project_id == project,
            support_handoffs.c.thread_id.in_(threads[start : start + _AT_ONCE]),
        )
        found += [("support_handoff", body) for body in connection.execute(handoffs).scalars()]
    return found, None


def _without_handoff(connection: Connection, project: str, handoff_id: str) -> None:
    """The handoff with its events, and what was proposed of it."""
    connection.execute(delete(support_events).where(support_events.c.subject_id == handoff_id))
    connection.execute(delete(support_handoffs).where(support_handoffs.c.id == handoff_id))
    query = select(support_proposals.c.id).where(
        support_proposals.c.project_id == project,
        support_proposals.c.body.contains(f'"origin":"{handoff_id}"', autoescape=True),
    )
    for proposal in connection.execute(query).scalars().all():
        connection.execute(delete(support_events).where(support_events.c.subject_id == proposal))
        connection.execute(delete(support_proposals).where(support_proposals.c.id == proposal))


def _without(connection: Connection, desk_id: str, texts: set[str]) -> None:
    """No proposal has these texts any more, and no event tells of them."""
    for one in proposals(connection, desk_id):
        content = one.content
        kept = {
            "examples": [text for text in content.examples if text not in texts],
            "variants": [text for text in content.variants if text not in texts],
        }
        more = [text for text in one.more if text not in texts]
        if kept == {"examples": content.examples, "variants": content.variants} and more == one.more:
            continue
        changed = one.model_copy(
            update={"content": content.model_copy(update=kept), "more": more, "version": one.version + 1}
        )
        connection.execute(delete(support_events).where(support_events.c.subject_id == one.id))
        change_proposal(connection, changed, event="forgotten", at=0.0)


def _note(connection: Connection, desk_id: str, subject: str, kind: str, at: float, body: str) -> None:
    row = {"desk_id": desk_id, "subject_id": subject, "kind": kind, "at": at, "body": body}
    connection.execute(insert(support_events), row)
