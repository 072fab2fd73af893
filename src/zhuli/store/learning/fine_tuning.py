"""Fine-tuning jobs with their events and checkpoints. What a tuning's events.jsonl says is recorded here once, in order.

Whoever changes a job locks its row first. `last_event` is the number of the last entry of events.jsonl that is recorded:
entries up to it are left out, however often they come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, select, update

from zhuli.core.errors import InvalidRequest, LeaseLost, NotFound
from zhuli.core.ids import new_id
from zhuli.store import collections, jobs
from zhuli.store.collections import as_page
from zhuli.store.jobs import Job
from zhuli.store.knowledge import files
from zhuli.store.learning import tuned_models
from zhuli.store.learning.tuned_models import DISCARD, FOLDER, TunedModel
from zhuli.store.schema import fine_tuning_checkpoints, fine_tuning_events, fine_tuning_jobs
from zhuli.types.knowledge.file import File
from zhuli.types.learning.fine_tuning import (
    ENDED,
    FineTuningCheckpoint,
    FineTuningEvent,
    FineTuningJob,
    FineTuningRecord,
    JobError,
)
from zhuli.types.learning.tuning import TuningEvent
from zhuli.types.page import Page

CHECK, TUNE = "check", "tune"
"""The kinds of job: the one reads the data, the other trains. Their keys are the fine-tuning job's id."""

_LOOKED_THROUGH = 100
"""Jobs that are read at once where metadata must fit."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A job as it is kept."""

    record: FineTuningRecord
    project: str
    last_event: int


@dataclass(frozen=True, slots=True)
class Ending:
    """What comes of a tuning that went well: all of it is there at once, or nothing."""

    models: list[TunedModel]
    files: list[File]


def create(connection: Connection, project: str, record: FineTuningRecord, *, now: int) -> None:
    """The job exists; its files are checked soon."""
    columns = {"status": record.status}
    collections.insert(connection, fine_tuning_jobs, project, record, columns)
    say(connection, project, record.id, f"Created fine-tuning job: {record.id}", now=now)
    text = f"Validating training file: {record.training_file}"
    if record.validation_file:
        text += f" and validation file: {record.validation_file}"
    say(connection, project, record.id, text, now=now)
    for integration in record.integrations or ():
        text = f"Nothing is sent to {integration.type}: metrics are events of this job, and TensorBoard files in its folder"
        say(connection, project, record.id, text, now=now, level="warn")
    jobs.enqueue(connection, CHECK, record.id)


def say(
    connection: Connection,
    project: str,
    job_id: str,
    message: str,
    *,
    now: int,
    level: Literal["info", "warn", "error"] = "info",
    kind: Literal["message", "metrics"] = "message",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Add an event to those of the job."""
    made = FineTuningEvent(
        id=new_id("ftevent"), created_at=now, level=level, message=message, type=kind, data=dict(data or {})
    )
    collections.insert(connection, fine_tuning_events, project, made, {"job_id": job_id})


def get(connection: Connection, project: str, job_id: str) -> FineTuningRecord:
    """The project's job; NotFound in the API's words."""
    return collections.get(connection, fine_tuning_jobs, FineTuningRecord, project, job_id)


def page(
    connection: Connection,
    project: str,
    *,
    limit: int,
    after: str | None,
    metadata: Mapping[str, str] | Literal["none"] | None = None,
) -> Page[FineTuningJob]:
    """Jobs, newest first. metadata: pairs that a job must have; "none": jobs without any."""
    query = select(fine_tuning_jobs.c.seq, fine_tuning_jobs.c.body).where(fine_tuning_jobs.c.project_id == project)
    query = query.order_by(fine_tuning_jobs.c.seq.desc())
    before: int | None = None
    if after is not None:
        before = collections.seq_of(connection, fine_tuning_jobs, project, after)
    found: list[FineTuningJob] = []
    while len(found) <= limit:
        part = query if before is None else query.where(fine_tuning_jobs.c.seq < before)
        rows = connection.execute(part.limit(_LOOKED_THROUGH)).all()
        records = (FineTuningRecord.model_validate_json(row.body) for row in rows)
        found += [record.shown() for record in records if _fits(record.metadata, metadata)]
        if len(rows) < _LOOKED_THROUGH:
            break
        before = rows[-1].seq
    return as_page(found[:limit], has_more=len(found) > limit)


def _fits(has: Mapping[str, str] | None, wanted: Mapping[str, str] | Literal["none"] | None) -> bool:
    if wanted == "none":
        return not has
    return all((has or {}).get(key) == value for key, value in (wanted or {}).items())


def lock(connection: Connection, job_id: str, *, project: str | None = None) -> Stored:
    """The job, which nobody else changes until the transaction ends; NotFound if the project (None: any) has none."""
    query = select(fine_tuning_jobs).where(fine_tuning_jobs.c.id == job_id)
    if project is not None:
        query = query.where(fine_tuning_jobs.c.project_id == project)
    row = None if "\0" in job_id else connection.execute(query.with_for_update()).first()
    if row is None:
        raise collections.missing(fine_tuning_jobs, job_id)
    return Stored(FineTuningRecord.model_validate_json(row.body), row.project_id, row.last_event)


def statuses(connection: Connection, job_ids: Sequence[str]) -> dict[str, str]:
    """The status of each of these jobs."""
    query = select(fine_tuning_jobs.c.id, fine_tuning_jobs.c.status).where(fine_tuning_jobs.c.id.in_(job_ids))
    return {row.id: row.status for row in connection.execute(query)}


def cancel(connection: Connection, project: str, job_id: str, *, now: int) -> FineTuningJob:
    """The job is cancelled at once; a worker that is at it stops within seconds."""
    stored = lock(connection, job_id, project=project)
    if stored.record.status in ENDED:
        raise _refused(stored.record, "cancelled")
    _forget_queued(connection, job_id)
    say(connection, project, job_id, "The job was cancelled", now=now)
    jobs.enqueue(connection, DISCARD, f"{FOLDER}/{job_id}")
    return _written(connection, stored, {"status": "cancelled", "finished_at": now, "estimated_finish": None}).shown()


def pause(connection: Connection, project: str, job_id: str, *, now: int) -> FineTuningJob:
    """The job waits for resume(); a worker that is at it leaves a checkpoint and stops."""
    stored = lock(connection, job_id, project=project)
    if stored.record.status not in ("queued", "running"):
        raise _refused(stored.record, "paused")
    _forget_queued(connection, job_id)
    say(connection, project, job_id, "The job was paused", now=now)
    return _written(connection, stored, {"status": "paused", "estimated_finish": None}).shown()


def resume(connection: Connection, project: str, job_id: str, *, now: int) -> FineTuningJob:
    """The paused job goes on as soon as a worker is free, behind its last checkpoint."""
    stored = lock(connection, job_id, project=project)
    if stored.record.status != "paused":
        raise _refused(stored.record, "resumed")
    say(connection, project, job_id, "The job was resumed", now=now)
    jobs.enqueue(connection, TUNE, job_id)
    return _written(connection, stored, {"status": "queued", "moved_in": 0}).shown()


def _refused(record: FineTuningRecord, doing: str) -> InvalidRequest:
    rule = {"paused": "A job that is queued or running can", "resumed": "Only a paused job can"}
    right = rule.get(doing, "A job that has not ended can")
    return InvalidRequest(
        f"Job {record.id} can't be {doing}: its status is '{record.status}'. {right}.",
        param="fine_tuning_job_id",
        code="invalid_status",
    )


def _forget_queued(connection: Connection, job_id: str) -> None:
    for kind in (CHECK, TUNE):
        jobs.finish(connection, kind, job_id)


def take_up(connection: Connection, job: Job, *, now: int) -> Stored | None:
    """What the job is for, running from now on if it is to train; None when nobody wants it any more."""
    stored = lock(connection, job.key)
    jobs.check(connection, job)
    if stored.record.status in (*ENDED, "paused"):
        jobs.finish(connection, job.kind, job.key)
        return None
    if job.kind == CHECK or stored.record.status == "running":
        return stored
    if stored.record.started_at is None:
        say(connection, stored.project, job.key, "Fine-tuning job started", now=now)
    begun = _written(connection, stored, {"status": "running", "started_at": stored.record.started_at or now})
    return Stored(begun, stored.project, stored.last_event)


def wanted(connection: Connection, job: Job) -> bool:
    """Whether this claim still stands, and the job was neither cancelled nor paused."""
    try:
        _own(connection, job)
    except (LeaseLost, NotFound):
        return False
    return True


def begin_anew(connection: Connection, job: Job, *, now: int) -> None:
    """The tuning's folder is gone: another events.jsonl begins, with number 1."""
    stored = _own(connection, job)
    if stored.last_event:
        text = "The folder of the tuning is not on this machine, so the job starts anew"
        say(connection, stored.project, job.key, text, now=now, level="warn")
    known = {"moved_in": job.deaths} if stored.last_event else {}
    _written(connection, stored, {"furthest": 0, **known}, last_event=0)


def record(
    connection: Connection,
    job: Job,
    events: Sequence[TuningEvent],
    *,
    values: Mapping[str, Any] | None = None,
) -> bool:
    """Entries of events.jsonl become events and checkpoints; `values` are new values of the job's fields.

    Gives whether the training has got further than it ever was.
    """
    stored = _own(connection, job)
    fresh = [event for event in events if event.number > stored.last_event]
    furthest, moved = _progress(fresh, stored.record.furthest)
    told = {"furthest": furthest, "moved_in": job.deaths + 1} if moved else {}
    _record(connection, stored, fresh, {**(values or {}), **told})
    return moved


def _progress(events: Sequence[TuningEvent], before: int) -> tuple[int, bool]:
    """The furthest step, and whether there was progress: a step beyond `before`, or a trial of a search that ended."""
    steps = [event.data.get("step") for event in events if event.kind in ("metrics", "checkpoint")]
    furthest = max([before, *(step for step in steps if isinstance(step, int))])
    return furthest, furthest > before or any("trial" in event.data for event in events)


def losses(stored: Stored, job: Job) -> int:
    """How many processes died of it alone without any progress in between."""
    return max(0, job.deaths - stored.record.moved_in)


def _record(connection: Connection, stored: Stored, events: Sequence[TuningEvent], values: Mapping[str, Any]) -> Stored:
    fresh = [event for event in events if event.number > stored.last_event]
    for event in fresh:
        _note(connection, stored, event)
    reports = [event.data.get("report", event.data) for event in fresh if event.kind == "report"]
    told = {"report": {**(stored.record.report or {}), **reports[-1]}} if reports else {}
    number = fresh[-1].number if fresh else stored.last_event
    return Stored(_written(connection, stored, {**told, **values}, last_event=number), stored.project, number)


def _note(connection: Connection, stored: Stored, event: TuningEvent) -> None:
    job_id, at = stored.record.id, int(event.at)
    if event.kind in ("succeeded", "failed", "cancelled", "paused"):
        return  # whoever ends the job says so in the API's words
    text = event.message
    if event.kind == "checkpoint":
        made = FineTuningCheckpoint(
            id=new_id("ftckpt"),
            created_at=at,
            fine_tuned_model_checkpoint=checkpoint_name(stored.record.name, event.data["step"]),
            fine_tuning_job_id=job_id,
            metrics=numbers(event.data.get("metrics", {})),
            step_number=event.data["step"],
        )
        collections.insert(connection, fine_tuning_checkpoints, stored.project, made, {"job_id": job_id})
        text = f"Checkpoint created at step {made.step_number}: {made.fine_tuned_model_checkpoint}"
    kind: Literal["message", "metrics"] = "metrics" if event.kind == "metrics" else "message"
    data = {} if event.kind == "checkpoint" else event.data
    say(connection, stored.project, job_id, text, now=at, level=event.level, kind=kind, data=data)


def numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Those of the metrics that are one number."""
    return {
        key: value for key, value in metrics.items() if isinstance(value, int | float) and not isinstance(value, bool)
    }


def checkpoint_name(model: str, step: int) -> str:
    """Under which name the model after `step` steps answers."""
    return f"{model}:ckpt-step-{step}"


def checked(connection: Connection, job: Job, last: TuningEvent, *, now: int) -> None:
    """The data is good: the job waits for its turn. last: what the child said of it."""
    stored = _record(connection, _own(connection, job), [last], {"report": {"data": last.data.get("report", {})}})
    say(connection, stored.project, job.key, "Files validated, moving job to queued state", now=now)
    _written(connection, stored, {"status": "queued", "moved_in": 0})
    jobs.finish(connection, CHECK, job.key)
    jobs.enqueue(connection, TUNE, job.key)


def fail(connection: Connection, job: Job, *, error: JobError, last: TuningEvent | None, now: int) -> None:
    """Nothing comes of the job. last: the child's word for it, if it had one."""
    stored = _record(connection, _own(connection, job), [last] if last else [], {})
    say(connection, stored.project, job.key, f"The job failed: {error.message}", now=now, level="error")
    _written(connection, stored, {"status": "failed", "finished_at": now, "estimated_finish": None, "error": error})
    jobs.finish(connection, job.kind, job.key)


def complete(connection: Connection, job: Job, last: TuningEvent, ending: Ending, *, now: int) -> None:
    """The model may be asked for, the result files are there, the job has succeeded."""
    stored = _record(connection, _own(connection, job), [last], {})
    for model in ending.models:
        tuned_models.add(connection, model)
    for file in ending.files:
        files.insert(connection, stored.project, file)
    name = ending.models[0].name
    say(connection, stored.project, job.key, f"New fine-tuned model created: {name}", now=now)
    say(connection, stored.project, job.key, "The job has successfully completed", now=now)
    values = {
        "status": "succeeded",
        "finished_at": now,
        "estimated_finish": None,
        "fine_tuned_model": name,
        "result_files": [file.id for file in ending.files],
        "trained_tokens": last.data.get("trained_tokens"),
    }
    _written(connection, stored, values)
    jobs.finish(connection, job.kind, job.key)


def _own(connection: Connection, job: Job) -> Stored:
    """The job's row, locked; LeaseLost if the claim does not stand, or the job was cancelled or paused."""
    stored = lock(connection, job.key)
    jobs.check(connection, job)
    if stored.record.status not in ("validating_files", "queued", "running"):
        raise LeaseLost(f"The fine-tuning job {job.key} is {stored.record.status}.")
    return stored


def _written(
    connection: Connection, stored: Stored, values: Mapping[str, Any], *, last_event: int | None = None
) -> FineTuningRecord:
    made = stored.record.model_copy(update=dict(values))
    columns: dict[str, Any] = {"body": made.model_dump_json(), "status": made.status}
    if last_event is not None:
        columns["last_event"] = last_event
    connection.execute(update(fine_tuning_jobs).where(fine_tuning_jobs.c.id == made.id).values(**columns))
    return made
