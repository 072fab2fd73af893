"""Runs of evals and their items. What is recorded of an item is recorded once; the run's counts are the fold of its items.

Whoever changes a run locks its row first. The items of a run are read once into rows, so that every attempt has the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, select, update

from zhuli.core.errors import InvalidRequest, LeaseLost
from zhuli.store import collections, jobs
from zhuli.store.jobs import Job
from zhuli.store.schema import eval_items, eval_runs
from zhuli.types.learning.eval_runs import ENDED, EvalError, EvalRunRecord, OutputItem, ResultCounts
from zhuli.types.page import PageParams

JOB = "evaluate"
"""The kind of job; its key is the run's id."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it is kept. data_source: JSON."""

    record: EvalRunRecord
    project: str
    data_source: str


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item that is about to be stored. given: {"item", "sample"} as JSON. digest: of the item."""

    id: str
    digest: str
    given: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item that has no output yet."""

    id: str
    number: int
    given: dict[str, Any]


def create(connection: Connection, project: str, record: EvalRunRecord, data_source: str) -> None:
    """The run exists, and a worker does it soon."""
    columns = {"eval_id": record.eval_id, "status": record.status, "data_source": data_source}
    collections.insert(connection, eval_runs, project, record, columns)
    jobs.enqueue(connection, JOB, record.id)


def get(connection: Connection, project: str, eval_id: str, run_id: str) -> StoredRun:
    """The eval's run, or NotFound."""
    record = collections.get(connection, eval_runs, EvalRunRecord, project, run_id, {"eval_id": eval_id})
    source = connection.execute(select(eval_runs.c.data_source).where(eval_runs.c.id == run_id)).scalar_one()
    return StoredRun(record, project, source)


def page(
    connection: Connection, project: str, eval_id: str, params: PageParams, status: str | None
) -> tuple[list[StoredRun], bool]:
    """Runs of the eval in the order in which they were made, and whether there are more."""
    only = {} if status is None else {"status": status}
    places = collections.places(connection, eval_runs, project, params, {"eval_id": eval_id}, only)
    rows = connection.execute(
        select(eval_runs.c.seq, eval_runs.c.body, eval_runs.c.data_source).where(eval_runs.c.seq.in_(places.seqs))
    )
    found = {row.seq: StoredRun(EvalRunRecord.model_validate_json(row.body), project, row.data_source) for row in rows}
    return [found[seq] for seq in places.seqs], places.has_more


def lock(connection: Connection, run_id: str, *, project: str | None = None, eval_id: str | None = None) -> StoredRun:
    """The run, which nobody else changes until the transaction ends; NotFound where the project or the eval has it not."""
    query = select(eval_runs).where(eval_runs.c.id == run_id)
    if project is not None:
        query = query.where(eval_runs.c.project_id == project, eval_runs.c.eval_id == eval_id)
    row = None if "\0" in run_id else connection.execute(query.with_for_update()).first()
    if row is None:
        raise collections.missing(eval_runs, run_id)
    return StoredRun(EvalRunRecord.model_validate_json(row.body), row.project_id, row.data_source)


def cancel(connection: Connection, project: str, eval_id: str, run_id: str, *, now: int) -> StoredRun:
    """The run is cancelled at once; what is graded stays. InvalidRequest if it has ended."""
    stored = lock(connection, run_id, project=project, eval_id=eval_id)
    if stored.record.status in ENDED:
        text = f"Run {run_id} can't be canceled: its status is '{stored.record.status}'."
        raise InvalidRequest(text, param="run_id", code="invalid_status")
    jobs.finish(connection, JOB, run_id)
    return _written(connection, stored, {"status": "canceled", "finished_at": now})


def remove(connection: Connection, project: str, eval_id: str, run_id: str) -> None:
    """Delete the run with its items, or raise NotFound; one that is at work ends."""
    collections.remove(connection, eval_runs, project, run_id, {"eval_id": eval_id})
    connection.execute(delete(eval_items).where(eval_items.c.run_id == run_id))
    jobs.finish(connection, JOB, run_id)


def take_up(connection: Connection, job: Job, *, now: int) -> StoredRun | None:
    """The run that the job is for, in progress from now on; None when nobody wants it any more."""
    stored = lock(connection, job.key)
    jobs.check(connection, job)
    if stored.record.status in ENDED:
        jobs.finish(connection, JOB, job.key)
        return None
    return _written(connection, stored, {"status": "in_progress", "started_at": stored.record.started_at or now})


def add_items(connection: Connection, job: Job, items: Sequence[NewItem], *, first: int) -> None:
    """Items numbered from `first` on; with 0 whatever an earlier attempt had read is forgotten."""
    stored = _own(connection, job)
    if first == 0:
        connection.execute(delete(eval_items).where(eval_items.c.run_id == job.key))
    rows = [
        {
            "id": item.id,
            "project_id": stored.project,
            "body": "",
            "run_id": job.key,
            "number": first + place,
            "status": "waiting",
            "digest": item.digest,
            "given": item.given,
        }
        for place, item in enumerate(items)
    ]
    if rows:
        connection.execute(eval_items.insert(), rows)


def loaded(connection: Connection, job: Job, *, total: int) -> None:
    """All items are read."""
    _written(connection, _own(connection, job), {"loaded": True, "result_counts": ResultCounts(total=total)})


def waiting(connection: Connection, run_id: str, *, after: int, most: int) -> list[Waiting]:
    """Items without an output, numbered above `after`, in their order."""
    query = select(eval_items.c.id, eval_items.c.number, eval_items.c.given).where(
        eval_items.c.run_id == run_id, eval_items.c.status == "waiting", eval_items.c.number > after
    )
    rows = connection.execute(query.order_by(eval_items.c.number).limit(most))
    return [Waiting(row.id, row.number, orjson.loads(row.given)) for row in rows]


_RECORD = (
    update(eval_items)
    .where(eval_items.c.id == bindparam("of_id"), eval_items.c.status == "waiting")
    .values(status=bindparam("new_status"), body=bindparam("new_body"), given="")
)


def record(connection: Connection, job: Job, outputs: Sequence[tuple[OutputItem, Any]], fold: Any) -> None:
    """Each output with what else is to be counted of it, once. fold: from the run and a pair to the run's new values."""
    stored = _own(connection, job)
    known = stored.record
    for output, used in outputs:
        row = {"of_id": output.id, "new_status": output.status, "new_body": output.model_dump_json()}
        if connection.execute(_RECORD, row).rowcount:
            known = fold(known, output, used)
    collections.replace(connection, eval_runs, known)


def end(connection: Connection, job: Job, *, error: EvalError | None, now: int) -> None:
    """The run is completed, or failed where there is an error."""
    stored = _own(connection, job)
    status = "completed" if error is None else "failed"
    _written(connection, stored, {"status": status, "error": error, "finished_at": now})
    jobs.finish(connection, JOB, job.key)


def wanted(connection: Connection, run_ids: Sequence[str]) -> set[str]:
    """Those of the runs that are still to be done."""
    query = select(eval_runs.c.id).where(eval_runs.c.id.in_(run_ids), eval_runs.c.status.not_in(ENDED))
    return set(connection.execute(query).scalars())


def _own(connection: Connection, job: Job) -> StoredRun:
    stored = lock(connection, job.key)
    jobs.check(connection, job)
    if stored.record.status in ENDED:
        raise LeaseLost(f"The run {job.key} has ended.")
    return stored


def _written(connection: Connection, stored: StoredRun, values: Mapping[str, Any]) -> StoredRun:
    changed = stored.record.model_copy(update=dict(values))
    collections.replace(connection, eval_runs, changed)
    if changed.status != stored.record.status:
        connection.execute(update(eval_runs).where(eval_runs.c.id == changed.id).values(status=changed.status))
    return StoredRun(changed, stored.project, stored.data_source)
