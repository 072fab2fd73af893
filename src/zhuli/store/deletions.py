"""Records of deletions of end users, and the jobs that do them. The user's id stands in a record only until all is gone."""

import hashlib

from sqlalchemy import Connection, select, update

from zhuli.store import collections, jobs
from zhuli.store.jobs import Job
from zhuli.store.schema import end_user_deletions as table
from zhuli.store.schema import jobs as queue
from zhuli.types.end_users import EndUserDeletion

JOB = "end_user"
"""The kind of job; its key is the record's id."""


def digest_of(project: str, user: str) -> str:
    """By which a user is known after their deletion: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(f"{project}/{user}".encode()).hexdigest()


def begin(connection: Connection, project: str, user: str, record: EndUserDeletion, *, now: float) -> EndUserDeletion:
    """The record, and the job that does what it says; the one that is at work already, if there is one."""
    query = select(table.c.body).where(
        table.c.project_id == project, table.c.digest == record.user_digest, table.c.end_user.is_not(None)
    )
    body = connection.execute(query).scalar()
    if body is not None:
        return EndUserDeletion.model_validate_json(body)
    columns = {"digest": record.user_digest, "end_user": user, "created_at": now}
    collections.insert(connection, table, project, record, columns)
    jobs.enqueue(connection, JOB, record.id)
    return record


def take_up(connection: Connection, job: Job) -> tuple[str, str, EndUserDeletion] | None:
    """Project, user and record of a job; None, and no job any more, where it has ended."""
    row = connection.execute(select(table).where(table.c.id == job.key).with_for_update()).first()
    jobs.check(connection, job)
    if row is None or row.end_user is None:
        jobs.finish(connection, job.kind, job.key)
        return None
    return row.project_id, row.end_user, EndUserDeletion.model_validate_json(row.body)


def lock(connection: Connection, job: Job) -> EndUserDeletion:
    """The record of a job as it is now, which nobody else changes until this transaction ends. Raises LeaseLost."""
    query = select(table.c.body).where(table.c.id == job.key).with_for_update()
    body = connection.execute(query).scalar()
    jobs.check(connection, job)
    return EndUserDeletion.model_validate_json(body or "")


def keep(connection: Connection, record: EndUserDeletion) -> None:
    """What it has come to so far."""
    collections.replace(connection, table, record)


def complete(connection: Connection, job: Job, record: EndUserDeletion) -> None:
    """Nothing is left: the user's id goes from the record, too."""
    connection.execute(select(table.c.seq).where(table.c.id == record.id).with_for_update())
    jobs.check(connection, job)
    values = {"body": record.model_dump_json(), "end_user": None}
    connection.execute(update(table).where(table.c.id == record.id).values(values))
    jobs.finish(connection, job.kind, job.key)


def put_off(connection: Connection, job: Job, until: float) -> None:
    """Let the job be claimed again at that time; this attempt does not count."""
    connection.execute(
        update(queue)
        .where(queue.c.seq == job.seq, queue.c.worker == job.worker, queue.c.attempts == job.attempt)
        .values(worker=None, lease_until=until, attempts=queue.c.attempts - 1)
    )


def get(connection: Connection, project: str, deletion_id: str) -> EndUserDeletion:
    """The record; NotFound."""
    return collections.get(connection, table, EndUserDeletion, project, deletion_id)


def earlier(connection: Connection, project: str, digest: str, than: str) -> bool:
    """Whether the user was deleted before, by another record than this one."""
    query = select(table.c.seq).where(table.c.project_id == project, table.c.digest == digest, table.c.id != than)
    return connection.execute(query.limit(1)).scalar() is not None


def remove(connection: Connection, record: EndUserDeletion) -> None:
    """Forget the record of a deletion that found nothing."""
    connection.execute(table.delete().where(table.c.id == record.id))


def since(connection: Connection, project: str, time: float) -> set[str]:
    """Digests of the users whose deletion was asked for then or later."""
    query = select(table.c.digest).where(table.c.project_id == project, table.c.created_at >= time)
    return set(connection.execute(query).scalars())
