"""The queue: rows that say what must be done, claimed with a lease. A row is inserted in the transaction that needs it.

A row is deleted in the transaction that makes it unnecessary. A claim counts as an attempt; a released job gives it back.
What becomes of the jobs of a process that died is suspects' matter.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from zhuli.core.errors import LeaseLost
from zhuli.core.origin import origin
from zhuli.store import suspects
from zhuli.store.database import hint
from zhuli.store.schema import jobs
from zhuli.store.statement import Prepared, prepared


def topic(kind: str) -> str:
    """Where it is hinted that there is a job of this kind to claim."""
    return f"jobs:{kind}"


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `attempt` counts claims, beginning with 1; with `worker` it tells this claim from every other.

    deaths: how many processes died that had nothing else to die of. origin: of the request that needs the job, as text
    (core.origin).
    """

    seq: int
    kind: str
    key: str
    worker: str
    attempt: int
    origin: str | None
    deaths: int = 0


def enqueue(connection: Connection, kind: str, key: str) -> None:
    """Make the job, unless there already is one of this kind for this key."""
    enqueue_all(connection, kind, [key])


def enqueue_all(connection: Connection, kind: str, keys: Sequence[str]) -> None:
    """Make a job for each key, unless there already is one of this kind for it."""
    asked = origin.get()
    rows = [{"kind": kind, "key": key, "asked": str(asked) if asked else None} for key in keys]
    if rows:
        _ENQUEUE[connection.dialect.name](connection, rows)
        hint(connection, topic(kind))


def _enqueue(dialect: Any) -> Prepared:
    row: dict[str, Any] = {"kind": bindparam("kind"), "key": bindparam("key"), "origin": bindparam("asked")}
    return prepared(dialect.insert(jobs).values(row).on_conflict_do_nothing(index_elements=["kind", "key"]))


_ENQUEUE = {"sqlite": _enqueue(sqlite), "postgresql": _enqueue(postgresql)}

_COLUMNS = (jobs.c.seq, jobs.c.kind, jobs.c.key, jobs.c.attempts, jobs.c.origin, jobs.c.deaths)
_IS_FREE = (jobs.c.worker.is_(None), jobs.c.lease_until <= bindparam("now"))
_SUSPECTS = prepared(
    select(*_COLUMNS)
    .where(jobs.c.kind == bindparam("of_kind"), *_IS_FREE, jobs.c.attempts > 0)
    .order_by(jobs.c.attempts, jobs.c.seq)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_TAKING = update(jobs).values(worker=bindparam("by"), lease_until=bindparam("until"), attempts=jobs.c.attempts + 1)
_TAKE = prepared(_TAKING.where(jobs.c.seq == bindparam("taken")))
_NEW = (
    select(jobs.c.seq)
    .where(jobs.c.kind == bindparam("of_kind"), *_IS_FREE, jobs.c.attempts == 0)
    .order_by(jobs.c.seq)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_TAKE_NEW = {
    "sqlite": prepared(_TAKING.where(jobs.c.seq.in_(_NEW)).returning(*_COLUMNS)),
    # As an array, which is made once: a subquery might be asked again, and take more than it may.
    "postgresql": prepared(
        _TAKING.where(jobs.c.seq == func.any(func.array(_NEW.scalar_subquery()))).returning(*_COLUMNS)
    ),
}


@cache
def _have_free(kinds: tuple[str, ...]) -> Prepared:
    """One row, in which stands of each kind whether there are free jobs."""
    free: list[Any] = [select(jobs.c.seq).where(jobs.c.kind == kind, *_IS_FREE).exists().label(kind) for kind in kinds]
    return prepared(select(*free))


def claim(
    connection: Connection,
    worker: str,
    *,
    slots: Mapping[str, int],
    now: float,
    lease: float,
    room: float | None = 1.0,
    apart: Collection[str] = (),
) -> list[Job]:
    """Take free jobs until now + lease (seconds): of each kind at most as many as it has slots, oldest first.

    room: that the worker has for suspects (suspects.room); None: only new jobs are looked for, and no dead workers.
    apart: kinds that no process dies of.
    """
    taken: list[Any] = []
    by = {"by": worker, "until": now + lease}
    if room is not None:
        suspects.put_back(connection, now=now, lease=lease, apart=apart)
    if len(slots) > 1:  # nobody has said that there is one, and mostly there is none
        row = _have_free(tuple(slots))(connection, {"now": now}).first()
        slots = {kind: slots[kind] for kind, has in zip(slots, row or (), strict=True) if has}
    if room is not None and (taken := _suspects(connection, slots, now, room, apart)):
        _TAKE(connection, [{"taken": row.seq, **by} for row in taken])
    claimed = [Job(row.seq, row.kind, row.key, worker, row.attempts + 1, row.origin, row.deaths) for row in taken]
    quiet = any(suspects.needs_quiet(row.attempts) for row in taken if row.kind not in apart)
    for kind, most in slots.items():
        left = most - sum(row.kind == kind for row in taken)
        if left > 0 and not (quiet and kind not in apart):
            new = _TAKE_NEW[connection.dialect.name](connection, {"of_kind": kind, "now": now, "most": left, **by})
            rows = sorted(new, key=lambda row: row.seq)
            claimed += [Job(row.seq, row.kind, row.key, worker, row.attempts, row.origin, row.deaths) for row in rows]
    return claimed


def _suspects(
    connection: Connection, slots: Mapping[str, int], now: float, room: float, apart: Collection[str]
) -> list[Any]:
    """Jobs that were in processes that died, of each kind: those apart, and of the others as many as fit."""
    asked = [(kind, {"of_kind": kind, "now": now, "most": most}) for kind, most in slots.items() if most > 0]
    found = {kind: _SUSPECTS(connection, parameters).all() for kind, parameters in asked}
    others = [row for kind, rows in found.items() if kind not in apart for row in rows]
    others.sort(key=lambda row: (row.attempts, row.seq))
    return [*(row for kind in found if kind in apart for row in found[kind]), *suspects.fitting(others, room)]


def heartbeat(connection: Connection, worker: str, seqs: Sequence[int], *, now: float, lease: float) -> set[int]:
    """Prolong these leases of the worker; the seqs of the jobs that are still its own."""
    rows = [{"held": seq, "by": worker, "until": now + lease} for seq in sorted(seqs)]
    _PROLONG(connection, rows)
    return set(connection.execute(_HELD, {"seqs": list(seqs), "by": worker}).scalars())


_PROLONG = prepared(
    update(jobs)
    .where(jobs.c.seq == bindparam("held"), jobs.c.worker == bindparam("by"))
    .values(lease_until=bindparam("until"))
)
_HELD = select(jobs.c.seq).where(jobs.c.seq.in_(bindparam("seqs", expanding=True)), jobs.c.worker == bindparam("by"))


def waiting(connection: Connection, *, now: float) -> dict[str, int]:
    """Of each kind that there is, how many jobs nobody works on, deferred ones too."""
    free = func.sum(case((or_(jobs.c.worker.is_(None), jobs.c.lease_until <= now), 1), else_=0))
    return {kind: int(count) for kind, count in connection.execute(select(jobs.c.kind, free).group_by(jobs.c.kind))}


def release(connection: Connection, job: Job) -> None:
    """Put the job back for anybody; this attempt does not count."""
    connection.execute(
        update(jobs)
        .where(jobs.c.seq == job.seq, jobs.c.worker == job.worker, jobs.c.attempts == job.attempt)
        .values(worker=None, lease_until=0, attempts=jobs.c.attempts - 1)
    )
    hint(connection, topic(job.kind))


def defer(connection: Connection, job: Job, *, until: float) -> None:
    """Put the job back for anybody from that time on; this attempt does not count, and no slot is held meanwhile."""
    connection.execute(
        update(jobs)
        .where(jobs.c.seq == job.seq, jobs.c.worker == job.worker, jobs.c.attempts == job.attempt)
        .values(worker=None, lease_until=until, attempts=jobs.c.attempts - 1)
    )


def wake(connection: Connection, kind: str, key: str) -> None:
    """A job that was deferred may be claimed now."""
    _WAKE(connection, {"of_kind": kind, "of_key": key})
    hint(connection, topic(kind))


_WAKE = prepared(
    update(jobs)
    .where(jobs.c.kind == bindparam("of_kind"), jobs.c.key == bindparam("of_key"), jobs.c.worker.is_(None))
    .values(lease_until=0)
)


def release_all(connection: Connection, *, apart: Collection[str] = ()) -> None:
    """Put every job back: for a process that starts on a database which nobody else may use."""
    suspects.put_back(connection, now=math.inf, lease=0.0, apart=apart)
    connection.execute(update(jobs).values(lease_until=0))


def finish(connection: Connection, kind: str, key: str) -> None:
    """The job is no longer needed."""
    _FINISH(connection, {"of_kind": kind, "of_key": key})


def finish_all(connection: Connection, kind: str, keys: Sequence[str]) -> None:
    """None of the jobs with these keys, at least one, is needed any more."""
    _FINISH(connection, [{"of_kind": kind, "of_key": key} for key in keys])


_FINISH = prepared(delete(jobs).where(jobs.c.kind == bindparam("of_kind"), jobs.c.key == bindparam("of_key")))

_IS_CLAIMED = (
    jobs.c.seq == bindparam("of_seq"),
    jobs.c.key == bindparam("of_key"),
    jobs.c.worker == bindparam("by"),
    jobs.c.attempts == bindparam("attempt"),
)
_OWNED = prepared(select(jobs.c.seq).where(*_IS_CLAIMED))
_END = prepared(delete(jobs).where(*_IS_CLAIMED).returning(jobs.c.seq))


def end(connection: Connection, job: Job) -> None:
    """Make sure that this claim still stands, like check(), and that the job is not needed any more."""
    if _END(connection, _claim_of(job)).scalar() is None:
        raise _lost(job)


def check(connection: Connection, job: Job) -> None:
    """Make sure that this claim still stands; otherwise LeaseLost.

    To be called with what the job is for locked: the next claimer locks it too, after its claim, so either this claim is
    seen to be lost here, or what is written here is seen there.
    """
    if _OWNED(connection, _claim_of(job)).scalar() is None:
        raise _lost(job)


def _claim_of(job: Job) -> dict[str, Any]:
    return {"of_seq": job.seq, "of_key": job.key, "by": job.worker, "attempt": job.attempt}


def _lost(job: Job) -> LeaseLost:
    return LeaseLost(f"The {job.kind} job for {job.key} belongs to another worker by now.")
