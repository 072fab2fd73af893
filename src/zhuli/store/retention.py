"""What is kept for so many days and no longer: deleted in small transactions, each of which says in the audit log what went.

A kind is a row of KINDS. A look goes over its objects from the oldest on, and ends at the first that is young; several processes
may look at once.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import orjson
from sqlalchemy import Connection, exists, select

from zhuli.store import audit_log, usage
from zhuli.store.assistants import runs as run_log
from zhuli.store.assistants.threads import delete_thread
from zhuli.store.database import hint
from zhuli.store.knowledge import files as file_rows
from zhuli.store.schema import files, messages, runs, threads, vector_store_files
from zhuli.types.audit_log import at_terminal, entry

Kind = Literal["threads", "files", "audit_log", "usage"]

KINDS: tuple[Kind, ...] = get_args(Kind)

_LOOKED_AT = 50
"""Objects in one transaction: some milliseconds on SQLite."""


@dataclass(frozen=True, slots=True)
class Look:
    """deleted: how many, by project; "" where that is no project's. behind: the place to go on from; None at the end."""

    deleted: Counter[str]
    behind: int | None


def look(connection: Connection, kind: Kind, *, older_than: float, behind: int, now: float) -> Look:
    """Delete some of what is older, and write down what it was."""
    found = _LOOKS[kind](connection, older_than, behind)
    for project, number in found.deleted.items():
        details = {"id": kind, "kind": kind, "deleted": number, "older_than": int(older_than)}
        actor, owner = at_terminal("zhuli retention"), project or None
        audit_log.append(
            connection, entry("retention.deleted", at=now, actor=actor, project=owner, details=details, command="serve")
        )
    return found


def _threads(connection: Connection, older_than: float, behind: int) -> Look:
    """By their newest message: nobody has said anything since. Not those of responses, which go with these."""

    def delete(row: Any) -> bool:
        newest = select(messages.c.body).where(messages.c.thread_id == row.id).order_by(messages.c.seq.desc()).limit(1)
        body = connection.execute(newest).scalar()
        active = exists(select(runs.c.id).where(runs.c.thread_id == row.id, runs.c.active))
        if (body is not None and _made(body) >= older_than) or connection.execute(select(active)).scalar():
            return False
        for run_id in delete_thread(connection, row.project_id, row.id):
            hint(connection, run_log.topic(run_id))
        return True

    return _from_the_oldest(connection, threads, older_than, behind, delete, threads.c.made_for == "client")


def _files(connection: Connection, older_than: float, behind: int) -> Look:
    """Those that no vector store has: what one has is knowledge, and goes with it."""

    def delete(row: Any) -> bool:
        file_rows.delete(connection, row.project_id, row.id)
        return True

    free = ~exists(select(vector_store_files.c.seq).where(vector_store_files.c.file_id == files.c.id))
    return _from_the_oldest(connection, files, older_than, behind, delete, free)


def _from_the_oldest(
    connection: Connection, table: Any, older_than: float, behind: int, delete: Callable[[Any], bool], *only: Any
) -> Look:
    query = select(table.c.seq, table.c.id, table.c.project_id, table.c.body).where(table.c.seq > behind, *only)
    query = query.order_by(table.c.seq).limit(_LOOKED_AT).with_for_update(skip_locked=True, of=table)
    deleted: Counter[str] = Counter()
    rows = connection.execute(query).all()
    for row in rows:
        if _made(row.body) >= older_than:
            return Look(+deleted, None)
        deleted[row.project_id] += delete(row)
    return Look(+deleted, rows[-1].seq if rows else None)


def _entries(connection: Connection, older_than: float, behind: int) -> Look:
    number = audit_log.forget(connection, before=older_than)
    return Look(Counter({"": number} if number else {}), behind if number else None)


def _usage(connection: Connection, older_than: float, _behind: int) -> Look:
    number = usage.forget(connection, before=older_than)
    return Look(Counter({"": number} if number else {}), None)


def _made(body: str) -> float:
    return float(orjson.loads(body)["created_at"])


_LOOKS: dict[Kind, Callable[[Connection, float, int], Look]] = {
    "threads": _threads,
    "files": _files,
    "audit_log": _entries,
    "usage": _usage,
}
