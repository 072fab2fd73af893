"""Which jobs may have taken their process down, and how they are tried again: fewer together each time, at last one alone.

A process that dies leaves jobs with its name on them. One of them may have killed it; most have not, or the blow came from
outside. So a death counts against a job only if there was nothing else that it can have come from, and to get there the jobs
are tried in ever smaller groups: who was innocent is done with its group, and only the culprit goes on dying (group testing,
Dorfman 1943). A job's `attempts` say in how many processes that died it was, its `deaths` how often it was alone in one.

Jobs of some kinds are done by processes of their own, like trainings. These stand apart: no process dies of them.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from zhuli.store.database import hint
from zhuli.store.schema import jobs
from zhuli.store.statement import prepared

TOGETHER = {1: 16, 2: 4, 3: 1}
"""How many suspects a process takes at once, by the processes that died with them; new jobs go on beside them.

A job that was in more of them is tried with nothing beside it.
"""


def needs_quiet(died: int) -> bool:
    """Whether a job that was in so many processes that died is tried with nothing beside it."""
    return died > max(TOGETHER)


def room(died: Iterable[int]) -> float:
    """What is left of a process's room for suspects, which is 1. died: of each job that it has, apart from those apart."""
    return 1.0 - sum(map(_share, died))


def fitting(rows: Sequence[Any], free: float) -> list[Any]:
    """Those of the rows with `attempts` that may be taken into this room, in order; one that needs quiet comes alone."""
    taken: list[Any] = []
    for row in rows:
        share = _share(row.attempts)
        if share <= free + 1e-9 and not (taken and needs_quiet(row.attempts)):
            taken.append(row)
            free -= share
        if taken and needs_quiet(taken[-1].attempts):
            break
    return taken


def _share(died: int) -> float:
    return 0.0 if died == 0 else 1 / TOGETHER.get(died, 1)


def put_back(connection: Connection, *, now: float, lease: float, apart: Collection[str]) -> None:
    """The jobs of workers whose leases have run out are anybody's; of a job that was alone there, the death is counted.

    A worker that keeps other leases alive is not dead: a job that it does not keep is put back a lease later.
    """
    workers = _LAPSED(connection, {"now": now}).scalars()
    if not workers:
        return
    query = select(jobs.c.seq, jobs.c.kind, jobs.c.worker, jobs.c.lease_until).where(jobs.c.worker.in_(workers))
    held = connection.execute(query.order_by(jobs.c.seq).with_for_update()).all()
    lost = [
        row for worker in workers for row in _lost([row for row in held if row.worker == worker], now, lease, apart)
    ]
    if lost:
        connection.execute(_PUT_BACK, [{"lost": row.seq, "counts": counts} for row, counts in lost])
        for kind in {row.kind for row, _ in lost}:
            hint(connection, f"jobs:{kind}")


_LAPSED = prepared(
    select(jobs.c.worker).where(jobs.c.worker.is_not(None), jobs.c.lease_until <= bindparam("now")).distinct()
)
_PUT_BACK = (
    update(jobs)
    .where(jobs.c.seq == bindparam("lost"))
    .values(worker=None, lease_until=0, deaths=jobs.c.deaths + bindparam("counts"))
)


def _lost(held: Sequence[Any], now: float, lease: float, apart: Collection[str]) -> list[tuple[Any, int]]:
    """The jobs that a worker has lost, each with whether its death counts against it."""
    if any(row.lease_until > now for row in held):
        return [(row, 0) for row in held if row.lease_until <= now - lease]
    culprits = [row for row in held if row.kind not in apart]
    return [(row, int(not [other for other in culprits if other is not row])) for row in held]
