"""What is kept of predictions that were served under an alias: so many of the newest, and those that are the reference.

It is a sample, not a log: what a process had not written when it died is missing, and nothing depends on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Select, delete, func, insert, select

from zhuli.store.schema import drift_windows, feedback, served_predictions
from zhuli.types.learning.drift import WindowCheck
from zhuli.types.learning.feedback import Feedback

KEPT = 10_000
"""Predictions of an alias that are kept beside its reference."""


@dataclass(frozen=True, slots=True)
class Served:
    """One answer, or an error. vector: half floats, little-endian. asked_by: the thread or user. seq: 0 until it is kept."""

    project: str
    alias: str
    model: str
    role: str
    at: float
    seconds: float
    label: str | None = None
    confidence: float | None = None
    error: bool = False
    agreed: bool | None = None
    prediction_id: str | None = None
    text: str | None = None
    vector: bytes | None = None
    asked_by: str | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Votes:
    """Thumbs of people on a model's answers."""

    up: int = 0
    down: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """A window that was looked at: which predictions, and what came of it. number -1: the reference."""

    number: int
    first: int
    last: int
    fired: bool
    check: WindowCheck | None


def add(connection: Connection, served: Sequence[Served]) -> None:
    """Keep them, and drop what is too old."""
    rows = [
        {
            "project_id": each.project,
            **{name: getattr(each, name) for name in Served.__slots__ if name not in ("project", "seq")},
        }
        for each in served
    ]
    connection.execute(insert(served_predictions), rows)
    for project, alias in {(each.project, each.alias) for each in served}:
        _trim(connection, project, alias)


def _trim(connection: Connection, project: str, alias: str) -> None:
    of_alias = (served_predictions.c.project_id == project, served_predictions.c.alias == alias)
    newest = select(served_predictions.c.seq).where(*of_alias).order_by(served_predictions.c.seq.desc())
    oldest = connection.execute(newest.offset(KEPT).limit(1)).scalar()
    if oldest is None:
        return
    reference = _reference(connection, project, alias)
    gone = delete(served_predictions).where(*of_alias, served_predictions.c.seq <= oldest)
    if reference is not None:
        gone = gone.where(~served_predictions.c.seq.between(reference.first, reference.last))
    connection.execute(gone)


def _reference(connection: Connection, project: str, alias: str) -> Any:
    query = select(drift_windows.c.first, drift_windows.c.last).where(
        drift_windows.c.project_id == project, drift_windows.c.alias == alias, drift_windows.c.number == -1
    )
    return connection.execute(query.order_by(drift_windows.c.seq.desc()).limit(1)).one_or_none()


def answered(
    connection: Connection,
    project: str,
    alias: str,
    model: str,
    *,
    after: int,
    until: int | None = None,
    from_time: float = 0.0,
    most: int,
) -> list[Served]:
    """What a model answered and was heard with, oldest first; errors are left out."""
    table = served_predictions.c
    query = _of_model(project, alias, model, list(table), after)
    query = query.where(table.error.is_(False), table.role != "shadow", table.at >= from_time)
    if until is not None:
        query = query.where(table.seq <= until)
    return _read(connection, query.order_by(table.seq).limit(most))


def lately(connection: Connection, project: str, alias: str, model: str, *, after: int, most: int) -> list[Served]:
    """The newest of what a model was asked, errors and shadows too, newest first; without vectors and texts."""
    columns = [column for column in served_predictions.c if column.name not in ("vector", "text")]
    query = _of_model(project, alias, model, columns, after)
    return _read(connection, query.order_by(served_predictions.c.seq.desc()).limit(most))


def _of_model(project: str, alias: str, model: str, columns: Sequence[Any], after: int) -> Select[Any]:
    table = served_predictions.c
    return select(*columns).where(
        table.project_id == project, table.alias == alias, table.model == model, table.seq > after
    )


def _read(connection: Connection, query: Select[Any]) -> list[Served]:
    rows = (dict(row) for row in connection.execute(query).mappings())
    return [Served(project=row.pop("project_id"), **row) for row in rows]


def votes(connection: Connection, project: str, champion: str, candidate: str) -> tuple[Votes, Votes]:
    """What people said of the kept predictions of each of the two; signals that nobody meant to give are left out."""
    query = (
        select(served_predictions.c.model, feedback.c.body)
        .join(feedback, feedback.c.target_id == served_predictions.c.prediction_id)
        .where(
            served_predictions.c.project_id == project,
            feedback.c.project_id == project,
            feedback.c.target_type == "prediction",
            feedback.c.source != "signal",
            feedback.c.state != "rejected",
            served_predictions.c.model.in_([champion, candidate]),
            served_predictions.c.role != "shadow",
        )
    )
    found = {champion: Votes(), candidate: Votes()}
    for model, body in connection.execute(query):
        said = orjson.loads(body)["verdict"]
        before = found[model]
        found[model] = Votes(before.up + (said == "up"), before.down + (said == "down"))
    return found[champion], found[candidate]


def judged(connection: Connection, project: str, alias: str, model: str) -> list[tuple[float, bool]]:
    """(confidence, whether it was right) of the model's kept predictions that somebody has spoken of; the last word counts.

    A correction says what would have been right; without one the verdict says it. Signals, what was rejected, and what reviewers
    disagree about say nothing.
    """
    table = served_predictions.c
    query = (
        select(table.seq, table.label, table.confidence, feedback.c.body)
        .join(feedback, feedback.c.target_id == table.prediction_id)
        .where(
            table.project_id == project,
            table.alias == alias,
            table.model == model,
            table.role != "shadow",
            table.confidence.is_not(None),
            feedback.c.project_id == project,
            feedback.c.target_type == "prediction",
            feedback.c.source != "signal",
            feedback.c.state != "rejected",
        )
        .order_by(feedback.c.seq)
    )
    found: dict[int, tuple[float, bool]] = {}
    for row in connection.execute(query):
        right = Feedback.model_validate_json(row.body).says_right(row.label)
        if right is not None:
            found[row.seq] = (row.confidence, right)
    return list(found.values())


def newest(connection: Connection, project: str, alias: str) -> int:
    """The seq of the last prediction that was kept; 0 for none."""
    query = select(func.max(served_predictions.c.seq))
    query = query.where(served_predictions.c.project_id == project, served_predictions.c.alias == alias)
    return int(connection.execute(query).scalar() or 0)


def windows(connection: Connection, project: str, alias: str, since: int) -> list[Window]:
    """What was looked at since this move of the alias, oldest first; the reference first of all."""
    table = drift_windows.c
    query = select(drift_windows).where(table.project_id == project, table.alias == alias, table.since == since)
    return [
        Window(
            row.number,
            row.first,
            row.last,
            row.fired,
            WindowCheck.model_validate_json(row.body) if row.number >= 0 else None,
        )
        for row in connection.execute(query.order_by(table.number))
    ]


def add_window(connection: Connection, project: str, alias: str, since: int, window: Window) -> bool:
    """Whether it was still to be looked at: of several processes one is first."""
    table = drift_windows.c
    query = select(table.seq).where(
        table.project_id == project, table.alias == alias, table.since == since, table.number == window.number
    )
    if connection.execute(query).scalar() is not None:
        return False
    row = {
        "project_id": project,
        "alias": alias,
        "since": since,
        "number": window.number,
        "first": window.first,
        "last": window.last,
        "fired": window.fired,
        "body": window.check.model_dump_json() if window.check else "{}",
    }
    connection.execute(insert(drift_windows), row)
    return True
