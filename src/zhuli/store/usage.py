"""What models were asked for, by minute, project, key and model: each process writes its own counts, hours are their fold.

A process writes of each minute what it has counted so far, in rows of its own: no two processes write one row, and writing
again what is there already changes nothing. Minutes that are old are folded into hours and deleted, in one transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from sqlalchemy import Connection, Select, bindparam, delete, func, select, union_all
from sqlalchemy.dialects import postgresql, sqlite

from zhuli.store.schema import usage_hours, usage_minutes
from zhuli.store.statement import prepared

Kind = Literal["completions", "embeddings", "moderations", "predictions"]

MINUTE, HOUR, DAY = 60, 3600, 86_400

KEEP_MINUTES_SECONDS = 2 * DAY
"""For so long minutes are told apart; then only hours."""

_FOLDED = 500
"""Rows in one transaction: some milliseconds on SQLite."""

GROUPS = ("project_id", "api_key_id", "model")

_NUMBERS = ("requests", "input_tokens", "cached_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class Counted:
    """Of whom, of what, and when: start is the minute's, in seconds since 1970. key: "" where no key is asked for."""

    start: int
    kind: Kind
    project: str
    key: str
    model: str


@dataclass(slots=True)
class Counts:
    """How often a model was asked, and tokens; `cached` are among the input."""

    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


def write(connection: Connection, process: str, counted: Mapping[Counted, Counts]) -> None:
    """So much this process has counted by now."""
    rows = [
        {
            "start": of.start,
            "process": process,
            "kind": of.kind,
            "project_id": of.project,
            "api_key_id": of.key,
            "model": of.model,
            **{name: getattr(counts, name) for name in _NUMBERS},
        }
        for of, counts in counted.items()
    ]
    if rows:
        _WRITE[connection.dialect.name](connection, rows)


def _writing(dialect: Any) -> Any:
    insert = dialect.insert(usage_minutes)
    names = [column.name for column in usage_minutes.c if column.name != "seq"]
    values = insert.values({name: bindparam(name) for name in names})
    return prepared(
        values.on_conflict_do_update(
            index_elements=[name for name in names if name not in _NUMBERS],
            set_={name: insert.excluded[name] for name in _NUMBERS},
        )
    )


_WRITE = {"sqlite": _writing(sqlite), "postgresql": _writing(postgresql)}


def fold(connection: Connection, *, now: float) -> int:
    """Fold some of the minutes that are old into their hours; how many rows it were."""
    old = select(usage_minutes.c.seq).where(usage_minutes.c.start < int(now) - KEEP_MINUTES_SECONDS).limit(_FOLDED)
    gone = connection.execute(
        delete(usage_minutes).where(usage_minutes.c.seq.in_(old)).returning(*usage_minutes.c)
    ).all()
    hours: dict[tuple[Any, ...], Counts] = {}
    for row in gone:  # the rows that this transaction deleted, and no other one
        of = (row.start // HOUR * HOUR, row.kind, row.project_id, row.api_key_id, row.model)
        counts = hours.setdefault(of, Counts())
        for name in _NUMBERS:
            setattr(counts, name, getattr(counts, name) + getattr(row, name))
    keys = ("start", "kind", "project_id", "api_key_id", "model")
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    for of, counts in sorted(hours.items()):
        insert = dialect.insert(usage_hours)
        added = insert.values(
            {**dict(zip(keys, of, strict=True)), **{name: getattr(counts, name) for name in _NUMBERS}}
        )
        sums = {name: usage_hours.c[name] + insert.excluded[name] for name in _NUMBERS}
        connection.execute(added.on_conflict_do_update(index_elements=list(keys), set_=sums))
    return len(gone)


def forget(connection: Connection, *, before: float) -> int:
    """Delete hours that are older; how many rows it were."""
    return connection.execute(delete(usage_hours).where(usage_hours.c.start < int(before))).rowcount


@dataclass(frozen=True, slots=True)
class Asked:
    """Which usage: of a kind, from start to before end, in buckets of so many seconds that begin at the start.

    project: None for all. groups: by which of GROUPS the numbers of a bucket are told apart.
    """

    kind: Kind
    start: int
    end: int
    width: int
    project: str | None = None
    groups: Sequence[str] = ()
    keys: Collection[str] = ()
    models: Collection[str] = ()


@dataclass(slots=True)
class Used:
    """group: of the groups that were asked for, which. Numbers as of Counts."""

    bucket: int
    group: Mapping[str, str]
    counts: Counts = field(default_factory=Counts)


def used(connection: Connection, asked: Asked) -> list[Used]:
    """What was used, in the order of buckets and groups; buckets without use have none. Hours are where minutes are gone."""
    tables = [usage_minutes] if asked.width < HOUR else [usage_minutes, usage_hours]
    both = union_all(*(_of(table, asked) for table in tables)).subquery()
    bucket = _bucket(both.c.start, asked)
    groups = [both.c[name] for name in asked.groups]
    sums = [func.sum(both.c[name]).label(name) for name in _NUMBERS]
    rows = connection.execute(select(bucket, *groups, *sums).group_by(bucket, *groups).order_by(bucket, *groups))
    return [
        Used(
            int(row.bucket),
            {name: getattr(row, name) for name in asked.groups},
            Counts(*(int(getattr(row, name)) for name in _NUMBERS)),
        )
        for row in rows
    ]


def _bucket(start: Any, asked: Asked) -> Any:
    """The bucket's start; whole numbers divide as such on both databases."""
    return (start - (start - asked.start) % asked.width).label("bucket")


def _of(table: Any, asked: Asked) -> Select[Any]:
    columns = [table.c[name] for name in ("start", *GROUPS, *_NUMBERS)]
    query = select(*columns).where(table.c.kind == asked.kind, table.c.start >= asked.start, table.c.start < asked.end)
    if asked.project is not None:
        query = query.where(table.c.project_id == asked.project)
    if asked.keys:
        query = query.where(table.c.api_key_id.in_(asked.keys))
    if asked.models:
        query = query.where(table.c.model.in_(asked.models))
    return cast("Select[Any]", query)
