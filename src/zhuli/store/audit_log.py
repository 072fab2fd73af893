"""The audit log: entries are appended, looked up, and forgotten when they are too old; nothing else is done to them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from zhuli.core.errors import NotFound
from zhuli.store.schema import audit_log, projects
from zhuli.types.audit_log import AuditLogEntry, AuditProject

_PIECE = 500
"""Entries that are deleted, or read for an export, in one transaction."""


def append(connection: Connection, made: AuditLogEntry) -> None:
    """Write down what was done."""
    project = made.project.id if made.project else ""
    if made.project and made.project.name is None:
        name = connection.execute(select(projects.c.name).where(projects.c.id == project)).scalar()
        made = made.model_copy(update={"project": AuditProject(id=project, name=name)})
    row = {"id": made.id, "project_id": project, "body": made.model_dump_json(), "at": float(made.effective_at)}
    more = {"type": made.type, "actor": made.who[:256], "resource": made.resource[:256]}
    connection.execute(insert(audit_log), {**row, **more})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries. project: None for all, also those of no project. since, before: seconds since 1970."""

    project: str | None = None
    types: Collection[str] = ()
    actors: Collection[str] = ()
    resources: Collection[str] = ()
    since: float | None = None
    before: float | None = None


def page(
    connection: Connection, wanted: Wanted, *, limit: int, after: str | None = None, before: str | None = None
) -> tuple[list[AuditLogEntry], bool]:
    """Newest first, those behind `after` or in front of `before`; and whether there are more in that direction."""
    query = _matching(wanted)
    if after is not None:
        query = query.where(audit_log.c.seq < _place(connection, wanted, after))
    if before is not None:
        query = query.where(audit_log.c.seq > _place(connection, wanted, before))
    backwards = before is not None and after is None
    query = query.order_by(audit_log.c.seq if backwards else audit_log.c.seq.desc()).limit(limit + 1)
    found = [AuditLogEntry.model_validate_json(body) for body in connection.execute(query).scalars()]
    some = found[:limit]
    return (some[::-1] if backwards else some), len(found) > limit


def oldest(connection: Connection, wanted: Wanted, *, behind: int) -> list[tuple[int, AuditLogEntry]]:
    """Some entries with their places, oldest first, behind this place."""
    query = _matching(wanted, audit_log.c.seq).where(audit_log.c.seq > behind).order_by(audit_log.c.seq).limit(_PIECE)
    return [(row.seq, AuditLogEntry.model_validate_json(row.body)) for row in connection.execute(query)]


def forget(connection: Connection, *, before: float) -> int:
    """Delete some of the entries that are older; how many it were."""
    old = select(audit_log.c.seq).where(audit_log.c.at < before).limit(_PIECE)
    return connection.execute(delete(audit_log).where(audit_log.c.seq.in_(old))).rowcount


def _place(connection: Connection, wanted: Wanted, id_: str) -> int:
    query = select(audit_log.c.seq).where(audit_log.c.id == id_)
    if wanted.project is not None:
        query = query.where(audit_log.c.project_id == wanted.project)
    found = connection.execute(query).scalar()
    if found is None:
        raise NotFound(f"No audit log found with id '{id_}'.")
    return int(found)


def _matching(wanted: Wanted, *more: Any) -> Any:
    query = select(audit_log.c.body, *more)
    for condition in _conditions(wanted):
        query = query.where(condition)
    return query


def _conditions(wanted: Wanted) -> Iterator[Any]:
    if wanted.project is not None:
        yield audit_log.c.project_id == wanted.project
    if wanted.types:
        yield audit_log.c.type.in_(wanted.types)
    if wanted.actors:
        yield audit_log.c.actor.in_(wanted.actors)
    if wanted.resources:
        yield audit_log.c.resource.in_(wanted.resources)
    if wanted.since is not None:
        yield audit_log.c.at >= wanted.since
    if wanted.before is not None:
        yield audit_log.c.at < wanted.before
