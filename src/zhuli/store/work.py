"""Work that a project has asked for: an object with a status, and the job that does it. What comes of it is its own file's."""

from collections.abc import Mapping
from typing import Any, Protocol, Self, TypeVar

from sqlalchemy import Connection, Table, select, update

from zhuli.store import collections, jobs
from zhuli.store.jobs import Job


class Work(Protocol):
    """A wire object: of a data set's task, a training, a support desk's task. It begins as queued."""

    id: str

    @property
    def status(self) -> str: ...

    @classmethod
    def model_validate_json(cls, json_data: str) -> Self: ...

    def model_dump_json(self) -> str: ...


W = TypeVar("W", bound=Work)


def begin(connection: Connection, table: Table, kind: str, project: str, work: W, columns: Mapping[str, Any]) -> W:
    """The work is queued, as a job of this kind."""
    collections.insert(connection, table, project, work, {**columns, "status": work.status})
    jobs.enqueue(connection, kind, work.id)
    return work


def take_up(connection: Connection, table: Table, what: type[W], job: Job) -> tuple[str, W] | None:
    """The project and the work of a job; None, and no job any more, where it has ended or is gone. Raises LeaseLost."""
    row = connection.execute(select(table).where(table.c.id == job.key).with_for_update()).first()
    jobs.check(connection, job)
    if row is None or row.status != "queued":
        jobs.finish(connection, job.kind, job.key)
        return None
    return row.project_id, what.model_validate_json(row.body)


def keep(connection: Connection, table: Table, job: Job, work: Work) -> None:
    """How far the work is, or how it has ended; the job stays. Raises LeaseLost."""
    connection.execute(select(table.c.seq).where(table.c.id == work.id).with_for_update())
    jobs.check(connection, job)
    values = {"status": work.status, "body": work.model_dump_json()}
    connection.execute(update(table).where(table.c.id == work.id).values(values))


def end(connection: Connection, table: Table, job: Job, work: Work) -> None:
    """The work has ended like this, and its job with it. Raises LeaseLost."""
    keep(connection, table, job, work)
    jobs.finish(connection, job.kind, job.key)
