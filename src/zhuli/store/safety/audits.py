"""Audits: rows with the queue's jobs that do them."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from zhuli.store import collections, jobs
from zhuli.store.jobs import Job
from zhuli.store.schema import audits
from zhuli.types.safety.audit import Audit

JOB = "audit"


def create(connection: Connection, project: str, made: Audit) -> Audit:
    """The audit exists, and a job that does it."""
    collections.insert(connection, audits, project, made, {"status": made.status})
    jobs.enqueue(connection, JOB, made.id)
    return made


def take_up(connection: Connection, job: Job) -> tuple[str, Audit] | None:
    """The project and the audit of a job, now in progress; None where it was deleted. Raises LeaseLost."""
    jobs.check(connection, job)
    row = connection.execute(select(audits.c.project_id, audits.c.body).where(audits.c.id == job.key)).first()
    if row is None:
        jobs.finish(connection, JOB, job.key)
        return None
    taken = Audit.model_validate_json(row.body).model_copy(update={"status": "in_progress"})
    _write(connection, taken)
    return str(row.project_id), taken


def end(connection: Connection, job: Job, ended: Audit) -> None:
    """The audit has ended, and its job with it. Raises LeaseLost."""
    jobs.check(connection, job)
    _write(connection, ended)
    jobs.finish(connection, JOB, job.key)


def remove(connection: Connection, project: str, audit_id: str) -> None:
    """Delete the audit, also while it is done; NotFound for one that the project does not have."""
    collections.remove(connection, audits, project, audit_id)
    jobs.finish(connection, JOB, audit_id)


def gone(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Which of these are not there any more."""
    there = set(connection.execute(select(audits.c.id).where(audits.c.id.in_(ids))).scalars())
    return [one for one in ids if one not in there]


def _write(connection: Connection, audit: Audit) -> None:
    values = {"body": audit.model_dump_json(), "status": audit.status}
    connection.execute(update(audits).where(audits.c.id == audit.id).values(values))
