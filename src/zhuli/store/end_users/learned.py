"""What of an end user is in what is learned from: feedback, logs and versions of data sets, predictions, evals, kept answers.

Everything is found by the user's id, and by the ids of what is theirs: their threads, messages, runs, understandings, chats.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Table, and_, delete, func, or_, select, update

from zhuli.store import collections
from zhuli.store.deletions import digest_of
from zhuli.store.learning import datasets as stored
from zhuli.store.learning.datasets import DELETED, NewEntry
from zhuli.store.schema import (
    dataset_entries,
    dataset_tasks,
    dataset_version_sources,
    dataset_versions,
    datasets,
    eval_items,
    feedback,
    feedback_reviews,
    files,
    fine_tuning_jobs,
    kept_answers,
    predictions,
    served_predictions,
)
from zhuli.types.knowledge.file import File
from zhuli.types.learning.dataset import DataSetTask, DataSetVersion
from zhuli.types.learning.fine_tuning import ENDED, FineTuningRecord, JobStatus

AT_ONCE = 500
"""Ids in one query, and rows that are looked through in one transaction."""

_IDS = re.compile(r"\b(?:thread|chatcmpl|pred|fb|msg|run|und|opit)[_-][A-Za-z0-9]+")

SETTLED: tuple[JobStatus, ...] = (*ENDED, "paused")
"""Jobs that read nothing for the time being."""


class Example(NamedTuple):
    """An example of a data set."""

    dataset: str
    id: str


def feedback_of(connection: Connection, project: str, user: str, targets: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Feedback that the user gave, and what others said of these targets: id → type and id of what it is on."""
    table = feedback.c
    found: dict[str, tuple[str, str]] = {}
    of_item = func.substr(table.target_id, 1, len("opit_") + 24)  # an item's id stands before its company's
    which = [table.end_user == user, *(table.target_id.in_(part) for part in _parts(targets))]
    items = [one for one in targets if one.startswith("opit_")]
    which += [and_(table.target_type == "opinion_item", of_item.in_(part)) for part in _parts(items)]
    for one in which:
        query = select(table.id, table.target_type, table.target_id).where(table.project_id == project, one)
        found |= {row.id: (row.target_type, row.target_id) for row in connection.execute(query)}
    return found


def forget_feedback(connection: Connection, ids: Sequence[str]) -> int:
    """Delete these, with their reviews; how many it were."""
    gone = 0
    for part in _parts(ids):
        connection.execute(delete(feedback_reviews).where(feedback_reviews.c.feedback_id.in_(part)))
        gone += connection.execute(delete(feedback).where(feedback.c.id.in_(part))).rowcount
    return gone


def examples_of(connection: Connection, project: str, user: str, sources: Sequence[str]) -> set[Example]:
    """Examples whose words are the user's, or that came of these sources, and that are still in their logs."""
    table = dataset_entries.c
    own = select(datasets.c.id).where(datasets.c.project_id == project)
    found: set[Example] = set()
    which = [table.end_user == user, *(table.source_id.in_(part) for part in _parts(sources))]
    for one in which:
        query = select(table.dataset_id, table.example_id).where(
            table.dataset_id.in_(own), table.body.is_not(None), one
        )
        found |= {Example(row.dataset_id, row.example_id) for row in connection.execute(query)}
    return found


def examples_on_threads(
    connection: Connection, project: str, own: Collection[str], *, after: int
) -> tuple[set[Example], int | None]:
    """Examples that entries place on these threads, among AT_ONCE entries with a thread; the next place."""
    table = dataset_entries.c
    of_project = select(datasets.c.id).where(datasets.c.project_id == project)
    query = select(table.seq, table.dataset_id, table.example_id, table.body).where(
        table.dataset_id.in_(of_project), table.seq > after, table.body.contains('"thread_id":"')
    )
    rows = connection.execute(query.order_by(table.seq).limit(AT_ONCE)).all()
    found = {
        Example(row.dataset_id, row.example_id)
        for row in rows
        if orjson.loads(row.body)["provenance"].get("thread_id") in own
    }
    return found, rows[-1].seq if len(rows) == AT_ONCE else None


def forget_examples(connection: Connection, examples: Iterable[Example]) -> int:
    """Empty all entries of these, what reviewers made of them too, and note that they are gone; how many it were."""
    table, gone = dataset_entries.c, 0
    for one in sorted(examples):
        emptied = connection.execute(
            update(dataset_entries)
            .where(table.dataset_id == one.dataset, table.example_id == one.id, table.body.is_not(None))
            .values(body=None, end_user=None, source_id=None)
        )
        if emptied.rowcount:
            stored.append(connection, one.dataset, [NewEntry("remove", one.id, None, DELETED)])
            gone += 1
    return gone


def versions_of(connection: Connection, project: str, user: str, sources: Sequence[str]) -> list[DataSetVersion]:
    """Versions that have seen the user, also those out of which they are by now."""
    table = dataset_version_sources.c
    named = and_(table.kind == "user", table.source_id.in_([user, digest_of(project, user)]))
    ids: set[str] = set()
    for one in (named, *(table.source_id.in_(part) for part in _parts(sources))):
        query = (
            select(table.version_id)
            .join(dataset_versions, dataset_versions.c.id == table.version_id)
            .where(dataset_versions.c.project_id == project, one)
        )
        ids.update(connection.execute(query).scalars())
    found: list[DataSetVersion] = []
    for part in _parts(sorted(ids)):
        query_ = select(dataset_versions.c.body).where(dataset_versions.c.id.in_(part))
        bodies = connection.execute(query_.order_by(dataset_versions.c.seq)).scalars()
        found += [DataSetVersion.model_validate_json(body) for body in bodies]
    return found


def has_seen(connection: Connection, project: str, version_id: str, user: str, sources: Collection[str]) -> bool:
    """Whether the version still names the user, or something of theirs, among what it came of."""
    table = dataset_version_sources.c
    query = select(table.kind, table.source_id).where(table.version_id == version_id)
    rows = connection.execute(query)
    return any(row.source_id == user if row.kind == "user" else row.source_id in sources for row in rows)


def redacted(
    connection: Connection,
    project: str,
    version: DataSetVersion,
    user: str,
    sources: Collection[str],
    *,
    sizes: dict[str, int],
    now: float,
) -> None:
    """The version is without the user from now on; that it had seen them stays known, not who it was. sizes: of its files."""
    table = dataset_version_sources.c
    connection.execute(select(dataset_versions.c.seq).where(dataset_versions.c.id == version.id).with_for_update())
    of_version = table.version_id == version.id
    mark = digest_of(project, user)
    connection.execute(
        delete(dataset_version_sources).where(
            of_version, or_(*(table.source_id.in_(part) for part in (*_parts(sorted(sources)), [mark, user])))
        )
    )
    row = {"version_id": version.id, "kind": "user", "source_id": mark, "deleted_at": now}
    connection.execute(dataset_version_sources.insert(), row)
    collections.replace(connection, dataset_versions, version)
    for file_id, size in sizes.items():
        body = connection.execute(select(files.c.body).where(files.c.id == file_id)).scalar()
        if body is not None:
            file = File.model_validate_json(body)
            collections.replace(connection, files, file.model_copy(update={"bytes": size}))


def readers_of(connection: Connection, project: str, version: DataSetVersion) -> list[FineTuningRecord]:
    """Fine-tuning jobs that were given a file of the version."""
    found = {version.training_file, version.validation_file}
    query = select(fine_tuning_jobs.c.body).where(
        fine_tuning_jobs.c.project_id == project,
        fine_tuning_jobs.c.body.contains(f'"{version.training_file}"', autoescape=True)
        | fine_tuning_jobs.c.body.contains(f'"{version.validation_file or version.training_file}"', autoescape=True),
    )
    records = map(FineTuningRecord.model_validate_json, connection.execute(query).scalars())
    return [one for one in records if {one.training_file, one.validation_file, one.tuning.test_file} & found]


def forget_doubts(connection: Connection, dataset_id: str) -> int:
    """Take out of results on the data set what they tell of examples that are gone; how many results it were."""
    changed = 0
    query = select(dataset_tasks.c.body).where(dataset_tasks.c.dataset_id == dataset_id)
    for body in connection.execute(query).scalars().all():
        task = DataSetTask.model_validate_json(body)
        told = (task.result or {}).get("data") if task.kind == "label_noise" else None
        if not told:
            continue
        there = stored.newest(connection, dataset_id, [one["example"] for one in told])
        left = [one for one in told if there.get(one["example"], ("remove", None))[1] is not None]
        if len(left) < len(told):
            changed += 1
            result = {**(task.result or {}), "data": left}
            collections.replace(connection, dataset_tasks, task.model_copy(update={"result": result}))
    return changed


def predictions_of(connection: Connection, project: str, user: str) -> list[str]:
    """Stored predictions that were asked for the user."""
    query = select(predictions.c.id).where(predictions.c.project_id == project, predictions.c.end_user == user)
    return list(connection.execute(query).scalars())


def forget_predictions(connection: Connection, project: str, ids: Sequence[str], askers: Sequence[str]) -> int:
    """Delete these stored predictions, and of what was served the same and all that was for these users or threads."""
    gone, served = 0, served_predictions.c
    for part in _parts(ids):
        gone += connection.execute(
            delete(predictions).where(predictions.c.project_id == project, predictions.c.id.in_(part))
        ).rowcount
        connection.execute(
            delete(served_predictions).where(served.project_id == project, served.prediction_id.in_(part))
        )
    for part in _parts(askers):
        gone += connection.execute(
            delete(served_predictions).where(served.project_id == project, served.asked_by.in_(part))
        ).rowcount
    return gone


def forget_items(connection: Connection, project: str, digests: Sequence[str]) -> int:
    """Delete items of evals with these contents; how many it were."""
    return sum(
        connection.execute(
            delete(eval_items).where(eval_items.c.project_id == project, eval_items.c.digest.in_(part))
        ).rowcount
        for part in _parts(digests)
    )


def forget_items_with(
    connection: Connection, project: str, ids: frozenset[str], *, after: int
) -> tuple[int, int | None]:
    """Of some items of evals delete those that name any of these; how many, and the next place."""
    table = eval_items.c
    query = select(table.seq, table.body, table.given).where(table.project_id == project, table.seq > after)
    rows = connection.execute(query.order_by(table.seq).limit(AT_ONCE)).all()
    gone = [row.seq for row in rows if not ids.isdisjoint(_IDS.findall(row.given + row.body))]
    if gone:
        connection.execute(delete(eval_items).where(table.seq.in_(gone)))
    return len(gone), rows[-1].seq if len(rows) == AT_ONCE else None


def forget_answers_with(
    connection: Connection, user: str, ids: Collection[str], *, after: str
) -> tuple[int, str | None]:
    """Of some kept answers delete those that name the user or any of these; how many, and the next place."""
    table = kept_answers.c
    query = select(table.id, table.answer).where(table.id > after, table.answer.is_not(None))
    rows = connection.execute(query.order_by(table.id).limit(AT_ONCE)).all()
    named = f'"user":{orjson.dumps(user).decode()}'
    own = frozenset(ids)
    gone = [row.id for row in rows if named in row.answer or not own.isdisjoint(_IDS.findall(row.answer))]
    if gone:
        connection.execute(delete(kept_answers).where(table.id.in_(gone)))
    return len(gone), rows[-1].id if len(rows) == AT_ONCE else None


def bodies(connection: Connection, kind: str, ids: Sequence[str]) -> list[str]:
    """JSON of these: kind is feedback or predictions."""
    table: Table = {"feedback": feedback, "predictions": predictions}[kind]
    found: list[str] = []
    for part in _parts(ids):
        query = select(table.c.body).where(table.c.id.in_(part)).order_by(table.c.seq)
        found += connection.execute(query).scalars()
    return found


def entries(connection: Connection, examples: Iterable[Example]) -> list[dict[str, Any]]:
    """Entries of logs on these examples."""
    table, found = dataset_entries.c, list[dict[str, Any]]()
    for one in sorted(examples):
        query = select(table.seq, table.example_id, table.kind, table.body).where(
            table.dataset_id == one.dataset, table.example_id == one.id, table.body.is_not(None)
        )
        for row in connection.execute(query.order_by(table.seq)):
            found.append({"dataset_id": one.dataset, **stored.entry_of(row).model_dump(mode="json")})
    return found


def served(connection: Connection, project: str, askers: Sequence[str]) -> list[dict[str, Any]]:
    """What is kept of what models answered these users or threads."""
    table = served_predictions.c
    names = ("alias", "model", "at", "prediction_id", "label", "confidence", "text")
    columns = [served_predictions.c[name] for name in names]
    found: list[dict[str, Any]] = []
    for part in _parts(askers):
        query = select(*columns).where(table.project_id == project, table.asked_by.in_(part))
        rows = connection.execute(query.order_by(table.seq)).all()
        found += [dict(zip(names, row, strict=True)) for row in rows]
    return found


def texts_of(
    connection: Connection, project: str, askers: Sequence[str], asked: Sequence[str], examples: Iterable[Example]
) -> list[str]:
    """All that was said in what models were asked for these users and threads, in these predictions and examples."""
    told: list[Any] = [row["text"] for row in served(connection, project, askers)]
    told += [orjson.loads(body)["input"] for body in bodies(connection, "predictions", asked)]
    for entry in entries(connection, examples):
        told.append({name: value for name, value in (entry["record"] or {}).items() if name not in ("label", "labels")})
    return [text for each in told for text in _strings(each)]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def _parts(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), AT_ONCE):
        yield list(ids[start : start + AT_ONCE])
