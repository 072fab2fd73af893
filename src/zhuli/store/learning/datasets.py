"""Data sets: the log of each, the work on it, its versions and what those came of.

Whoever ends a task locks its row first, and ends it together with what comes of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, func, insert, select

from zhuli.store import collections, deletions, work
from zhuli.store.database import hint
from zhuli.store.jobs import Job
from zhuli.store.schema import (
    dataset_entries,
    dataset_tasks,
    dataset_version_sources,
    dataset_versions,
    datasets,
    fine_tuning_jobs,
)
from zhuli.store.statement import prepared
from zhuli.types.learning.dataset import DataSet, DataSetTask, DataSetVersion, Entry, EntryKind, ModelSeen, Provenance
from zhuli.types.learning.fine_tuning import FineTuningRecord
from zhuli.types.wire import LARGEST

VERSIONS = "dataset_versions"
"""Topic of a hint that there is a new version."""

WORK = "dataset"
"""The kind of job; its key is the task's id."""

DELETED = "deleted"
"""The source of removals that the deleting of an end user made."""

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class NewEntry:
    """body: JSON with record and provenance; None for a removal."""

    kind: EntryKind
    example: str
    body: str | None
    source: str | None = None
    user: str | None = None


def get(connection: Connection, project: str, dataset_id: str) -> DataSet:
    """The project's data set; NotFound."""
    return collections.get(connection, datasets, DataSet, project, dataset_id)


_ENTRY = ("dataset_id", "example_id", "kind", "body", "source_id", "end_user")
_ADD = prepared(insert(dataset_entries).values({name: bindparam(name) for name in _ENTRY}))


def append(connection: Connection, dataset_id: str, entries: Sequence[NewEntry]) -> None:
    """Add these to the end of the log."""
    rows = [(dataset_id, one.example, one.kind, one.body, one.source, one.user) for one in entries]
    if rows:
        _ADD(connection, [dict(zip(_ENTRY, row, strict=True)) for row in rows])


def append_new(
    connection: Connection, project: str, dataset_id: str, entries: Sequence[NewEntry], *, began: float
) -> int:
    """Add those whose examples the log never had, or lost with an end user; of all each stands once. How many that were.

    began: when these were read; whoever was deleted since then is left out.
    """
    known: set[str] = set()
    if lost := deletions.since(connection, project, began):
        entries = [one for one in entries if one.user is None or deletions.digest_of(project, one.user) not in lost]
    ids = [one.example for one in entries]
    for start in range(0, len(ids), _AT_ONCE):
        query = select(dataset_entries.c.example_id).where(
            dataset_entries.c.dataset_id == dataset_id,
            dataset_entries.c.example_id.in_(ids[start : start + _AT_ONCE]),
            (dataset_entries.c.body.is_not(None)) | (func.coalesce(dataset_entries.c.source_id, "") != DELETED),
        )
        known.update(connection.execute(query).scalars())
    fresh = [one for one in entries if one.example not in known]
    append(connection, dataset_id, fresh)
    return len(fresh)


def newest(connection: Connection, dataset_id: str, examples: Iterable[str]) -> dict[str, tuple[EntryKind, str | None]]:
    """The last entry of each of these examples: its kind and body."""
    ids, found = list(examples), dict[str, tuple[EntryKind, str | None]]()
    table = dataset_entries.c
    for start in range(0, len(ids), _AT_ONCE):
        query = select(table.example_id, table.kind, table.body).where(
            table.dataset_id == dataset_id, table.example_id.in_(ids[start : start + _AT_ONCE])
        )
        found |= {row.example_id: (row.kind, row.body) for row in connection.execute(query.order_by(table.seq))}
    return found


def log(connection: Connection, dataset_id: str, *, after: int, upto: int | None, most: int) -> list[Any]:
    """Rows of the log behind position `after`, in order: seq, example_id, kind, body."""
    last = LARGEST if upto is None else upto
    return _LOG(connection, {"dataset": dataset_id, "after": after, "upto": last, "most": most}).all()


_LOG = prepared(
    select(dataset_entries.c.seq, dataset_entries.c.example_id, dataset_entries.c.kind, dataset_entries.c.body)
    .where(
        dataset_entries.c.dataset_id == bindparam("dataset"),
        dataset_entries.c.seq > bindparam("after"),
        dataset_entries.c.seq <= bindparam("upto"),
    )
    .order_by(dataset_entries.c.seq)
    .limit(bindparam("most"))
)


def entry_of(row: Any) -> Entry:
    """A row of the log as clients see it."""
    body = orjson.loads(row.body) if row.body else {}
    provenance = Provenance.model_validate(body["provenance"]) if body.get("provenance") else None
    return Entry(
        position=row.seq, kind=row.kind, example=row.example_id, record=body.get("record"), provenance=provenance
    )


def end_of_log(connection: Connection, dataset_id: str) -> int:
    """The position of the last entry; 0 of an empty log."""
    query = select(func.max(dataset_entries.c.seq)).where(dataset_entries.c.dataset_id == dataset_id)
    return int(connection.execute(query).scalar() or 0)


def accepted_between(connection: Connection, dataset_id: str, *, after: int, upto: int | None = None) -> int:
    """Entries of the log behind position `after`, up to one, that say something: no removals, and nothing weakly labelled."""
    table = dataset_entries.c
    query = select(func.count()).where(
        table.dataset_id == dataset_id,
        table.seq > after,
        table.kind.in_(("add", "relabel")),
        table.body.is_not(None),
        table.body.not_like('%"provenance":{"kind":"weak"%'),
    )
    if upto is not None:
        query = query.where(table.seq <= upto)
    return int(connection.execute(query).scalar_one())


def task(connection: Connection, project: str, task_id: str) -> DataSetTask:
    """The task; NotFound."""
    return collections.get(connection, dataset_tasks, DataSetTask, project, task_id)


def lost_users_since(connection: Connection, dataset_id: str, position: int) -> bool:
    """Whether an end user was deleted since the log ended there."""
    table = dataset_entries.c
    query = select(table.seq).where(
        table.dataset_id == dataset_id, table.seq > position, table.kind == "remove", table.source_id == DELETED
    )
    return connection.execute(query.limit(1)).scalar() is not None


def begin(connection: Connection, project: str, task: DataSetTask) -> DataSetTask:
    """The task is queued."""
    get(connection, project, task.dataset_id)
    return work.begin(connection, dataset_tasks, WORK, project, task, {"dataset_id": task.dataset_id})


def take_up(connection: Connection, job: Job) -> tuple[str, DataSetTask] | None:
    """The project and the task of a job; None, and no job any more, where it has ended."""
    return work.take_up(connection, dataset_tasks, DataSetTask, job)


def end(connection: Connection, job: Job, task: DataSetTask) -> None:
    """The task has ended like this."""
    work.end(connection, dataset_tasks, job, task)


def version(connection: Connection, project: str, dataset_id: str, version_id: str) -> DataSetVersion:
    """The version, with how many of its users were deleted; NotFound."""
    where = {"dataset_id": dataset_id}
    found = collections.get(connection, dataset_versions, DataSetVersion, project, version_id, where)
    return with_marks(connection, [found])[0]


def version_named(connection: Connection, project: str, version_id: str) -> DataSetVersion:
    """The version of this id, of whichever data set of the project; NotFound."""
    return collections.get(connection, dataset_versions, DataSetVersion, project, version_id)


def with_marks(connection: Connection, found: Sequence[DataSetVersion]) -> list[DataSetVersion]:
    """The versions with how many of their users were deleted."""
    table = dataset_version_sources.c
    query = (
        select(table.version_id, func.count())
        .where(table.version_id.in_([one.id for one in found]), table.deleted_at.is_not(None))
        .group_by(table.version_id)
    )
    deleted: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return [one.model_copy(update={"deleted_users": deleted.get(one.id, 0)}) for one in found]


def latest_version(connection: Connection, dataset_id: str) -> DataSetVersion | None:
    """The version that was made last, of those whose files are there."""
    query = select(dataset_versions.c.body).where(dataset_versions.c.dataset_id == dataset_id)
    return _first_there(connection, query)


def _first_there(connection: Connection, query: Any) -> DataSetVersion | None:
    for body in connection.execute(query.order_by(dataset_versions.c.seq.desc())).scalars():
        found = DataSetVersion.model_validate_json(body)
        if found.deleted_at is None:
            return found
    return None


def version_of_digest(connection: Connection, dataset_id: str, digest: str) -> DataSetVersion | None:
    """The version with this content, if there is one."""
    table = dataset_versions.c
    query = select(table.body).where(table.dataset_id == dataset_id, table.digest == digest)
    body = connection.execute(query).scalar()
    return None if body is None else DataSetVersion.model_validate_json(body)


def version_with(connection: Connection, dataset_id: str, training_file: str) -> DataSetVersion | None:
    """The version whose training part this file is."""
    query = select(dataset_versions.c.body).where(dataset_versions.c.dataset_id == dataset_id)
    found = map(DataSetVersion.model_validate_json, connection.execute(query).scalars())
    return next((version for version in found if version.training_file == training_file), None)


def add_version(connection: Connection, project: str, made: DataSetVersion, sources: Sequence[tuple[str, str]]) -> None:
    """The version is there. sources: kind and id; ("user", id) for an end user."""
    columns = {"dataset_id": made.dataset_id, "digest": made.digest}
    collections.insert(connection, dataset_versions, project, made, columns)
    hint(connection, VERSIONS)
    rows = [{"version_id": made.id, "kind": kind, "source_id": id_} for kind, id_ in sources]
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(insert(dataset_version_sources), rows[start : start + _AT_ONCE])


def sources_of(connection: Connection, version_id: str) -> dict[str, list[str]]:
    """What a version came of, by kind, without its users."""
    table = dataset_version_sources.c
    query = select(table.kind, table.source_id).where(table.version_id == version_id, table.kind != "user")
    found: dict[str, list[str]] = {}
    for row in connection.execute(query.order_by(table.kind, table.source_id)):
        found.setdefault(row.kind, []).append(row.source_id)
    return found


def versions_with(connection: Connection, project: str, kind: str, source_id: str) -> list[DataSetVersion]:
    """The project's versions that came, among others, of this source."""
    query = (
        select(dataset_versions.c.body)
        .join(dataset_version_sources, dataset_version_sources.c.version_id == dataset_versions.c.id)
        .where(
            dataset_versions.c.project_id == project,
            dataset_version_sources.c.kind == kind,
            dataset_version_sources.c.source_id == source_id,
        )
        .order_by(dataset_versions.c.seq)
    )
    return [DataSetVersion.model_validate_json(body) for body in connection.execute(query).scalars()]


def examples_of(connection: Connection, project: str, source_id: str) -> list[str]:
    """Examples of the project's data sets that came of this source; a file's are too many, and not asked for."""
    query = (
        select(dataset_entries.c.example_id)
        .join(datasets, datasets.c.id == dataset_entries.c.dataset_id)
        .where(datasets.c.project_id == project, dataset_entries.c.source_id == source_id)
        .distinct()
        .order_by(dataset_entries.c.example_id)
    )
    return list(connection.execute(query).scalars())


def models_of(
    connection: Connection, project: str, versions: Sequence[DataSetVersion]
) -> tuple[list[str], list[ModelSeen]]:
    """Fine-tuning jobs that read these versions, and the models that came of them, also of models tuned on from those."""
    files = {file for one in versions for file in (one.training_file, one.validation_file) if file}
    marked = {one.training_file: one.deleted_users > 0 for one in with_marks(connection, versions)}
    query = select(fine_tuning_jobs.c.body).where(fine_tuning_jobs.c.project_id == project)
    records = [
        FineTuningRecord.model_validate_json(body)
        for body in connection.execute(query.order_by(fine_tuning_jobs.c.seq)).scalars()
    ]
    found: list[str] = []
    seen: dict[str, ModelSeen] = {}
    for record in records:
        of_base = seen.get(record.base.name)
        if not (files & {record.training_file, record.validation_file}) and of_base is None:
            continue
        found.append(record.id)
        if record.fine_tuned_model is not None:
            saw = marked.get(record.training_file, False) or (of_base is not None and of_base.saw_deleted_users)
            name = record.fine_tuned_model
            seen[name] = ModelSeen(model=name, job=record.id, saw_deleted_users=saw)
    return found, list(seen.values())


def version_of_file(connection: Connection, project: str, file_id: str) -> DataSetVersion | None:
    """The version whose part this file is."""
    query = select(dataset_versions.c.body).where(
        dataset_versions.c.project_id == project, dataset_versions.c.body.contains(f'"{file_id}"', autoescape=True)
    )
    body = connection.execute(query.limit(1)).scalar()
    return None if body is None else DataSetVersion.model_validate_json(body)


def version_before(connection: Connection, dataset_id: str, version_id: str) -> DataSetVersion | None:
    """The version that was made before this one."""
    table = dataset_versions.c
    own = select(table.seq).where(table.id == version_id).scalar_subquery()
    return _first_there(connection, select(table.body).where(table.dataset_id == dataset_id, table.seq < own))
