"""The queue: rows that say what must be done, claimed with a lease. A row is inserted in the transaction that needs it.

A row is deleted in the transaction that makes it unnecessary. A claim counts as an attempt; a released job gives it back.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from zhuli.core.errors import LeaseLost
from zhuli.store.database import hint
from zhuli.store.schema import jobs

TOPIC = "jobs"


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `attempt` counts claims, beginning with 1; with `worker` it tells this claim from every other."""

    seq: int
    kind: str
    key: str
    worker: str
    attempt: int


def enqueue(connection: Connection, kind: str, key: str) -> None:
    """Make the job, unless there already is one of this kind for this key."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(jobs).values(kind=kind, key=key).on_conflict_do_nothing(index_elements=["kind", "key"])
    connection.execute(statement)
    hint(connection, TOPIC)


_FREE = (
    select(jobs.c.seq, jobs.c.kind, jobs.c.key, jobs.c.attempts)
    .where(jobs.c.lease_until <= bindparam("now"))
    .order_by(jobs.c.seq)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_TAKE = (
    update(jobs)
    .where(jobs.c.seq == bindparam("taken"))
    .values(worker=bindparam("by"), lease_until=bindparam("until"), attempts=jobs.c.attempts + 1)
)


def claim(connection: Connection, worker: str, *, most: int, now: float, lease: float) -> list[Job]:
    """Take at most `most` free jobs, oldest first, until now + lease (seconds)."""
    free = connection.execute(_FREE, {"now": now, "most": most}).all()
    if free:
        connection.execute(_TAKE, [{"taken": row.seq, "by": worker, "until": now + lease} for row in free])
    return [Job(row.seq, row.kind, row.key, worker, row.attempts + 1) for row in free]


def heartbeat(connection: Connection, worker: str, *, now: float, lease: float) -> set[int]:
    """Prolong every lease of this worker; the seqs of the jobs that are still its own."""
    connection.execute(update(jobs).where(jobs.c.worker == worker).values(lease_until=now + lease))
    return set(connection.execute(select(jobs.c.seq).where(jobs.c.worker == worker)).scalars())


def release(connection: Connection, job: Job) -> None:
    """Put the job back for anybody; this attempt does not count."""
    connection.execute(
        update(jobs)
        .where(jobs.c.seq == job.seq, jobs.c.worker == job.worker, jobs.c.attempts == job.attempt)
        .values(worker=None, lease_until=0, attempts=jobs.c.attempts - 1)
    )
    hint(connection, TOPIC)


def release_all(connection: Connection) -> int:
    """Put every job back: for a process that starts on a database which nobody else may use."""
    return connection.execute(update(jobs).values(worker=None, lease_until=0)).rowcount


def finish(connection: Connection, kind: str, key: str) -> None:
    """The job is no longer needed."""
    connection.execute(_FINISH, {"of_kind": kind, "of_key": key})


_FINISH = delete(jobs).where(jobs.c.kind == bindparam("of_kind"), jobs.c.key == bindparam("of_key"))

_OWNED = (
    select(jobs.c.seq)
    .where(
        jobs.c.seq == bindparam("of_seq"),
        jobs.c.key == bindparam("of_key"),
        jobs.c.worker == bindparam("by"),
        jobs.c.attempts == bindparam("attempt"),
    )
    .with_for_update()
)


def hold(connection: Connection, job: Job) -> None:
    """Make sure that this claim still stands, until the transaction ends; otherwise LeaseLost."""
    owned = {"of_seq": job.seq, "of_key": job.key, "by": job.worker, "attempt": job.attempt}
    if connection.execute(_OWNED, owned).scalar() is None:
        raise LeaseLost(f"The {job.kind} job for {job.key} belongs to another worker by now.")


def count_waiting(connection: Connection, *, now: float) -> int:
    """How many jobs nobody works on."""
    return len(connection.execute(select(jobs.c.seq).where(jobs.c.lease_until <= now)).all())
