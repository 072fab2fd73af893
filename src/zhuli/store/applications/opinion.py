"""The opinion monitor's rows: entries are the log, items and counts its fold; a monitor's position says how much is folded.

Whoever pushes locks the monitor's progress first, so that its entries are numbered in the order of commits. Whoever folds does
it as a job, in one transaction with the position: nothing is counted twice, and nothing is missed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.store import collections, jobs
from zhuli.store.database import hint
from zhuli.store.jobs import Job
from zhuli.store.schema import (
    opinion_alert_events,
    opinion_alerts,
    opinion_counts,
    opinion_deliveries,
    opinion_entries,
    opinion_items,
    opinion_monitors,
    opinion_progress,
)
from zhuli.types.applications.opinion import (
    Item,
    ItemCreate,
    ItemList,
    Monitor,
    MonitorStatus,
    Pushed,
    Reading,
)

READ = "opinion_read"
"""The kind of job that reads a monitor's items; its key is the monitor's id."""

HOUR = 3_600

COLUMNS = ("positive", "neutral", "negative", "unknown", "reach", "negative_reach")

_AT_ONCE = 500
"""Keys in one query."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A monitor with its project."""

    project: str
    monitor: Monitor


@dataclass(frozen=True, slots=True)
class Entry:
    """A piece of the log. item: None once its person was deleted."""

    number: int
    key: str
    revision: int
    item: ItemCreate | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a monitor is; evaluated: an hour since the epoch."""

    received: int
    read: int
    watermark: float | None
    evaluated: int | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What an item adds: hour since the epoch, by series its column of sentiment, and whether it is a story of its own."""

    hour: int
    labels: Mapping[str, str]
    story: bool

    def cells(self) -> dict[tuple[str, int, str], int]:
        """By series, hour and column."""
        found: dict[tuple[str, int, str], int] = {}
        for series, label in self.labels.items():
            if self.story:
                found[series, self.hour, label] = 1
            found[series, self.hour, "reach"] = 1
            if label == "negative":
                found[series, self.hour, "negative_reach"] = 1
        return found

    def dump(self) -> str:
        """As JSON."""
        return orjson.dumps({"hour": self.hour, "labels": dict(self.labels), "story": self.story}).decode()

    @classmethod
    def load(cls, stored: str) -> "Counts":
        """Of what dump() gave."""
        return cls(**orjson.loads(stored))


@dataclass(frozen=True, slots=True)
class Folded:
    """What was read in an entry."""

    entry: Entry
    reading: Reading
    counts: Counts
    signature: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A story with its signature."""

    number: int
    key: str
    signature: bytes


def create(connection: Connection, project: str, monitor: Monitor) -> None:
    """The monitor exists."""
    collections.insert(connection, opinion_monitors, project, monitor)
    connection.execute(insert(opinion_progress).values(monitor_id=monitor.id, project_id=project))


def get(connection: Connection, project: str, monitor_id: str) -> Monitor:
    """The project's, or NotFound."""
    return collections.get(connection, opinion_monitors, Monitor, project, monitor_id)


def number(connection: Connection, project: str) -> int:
    """Of the project's monitors."""
    query = select(func.count()).select_from(opinion_monitors).where(opinion_monitors.c.project_id == project)
    return int(connection.execute(query).scalar_one())


def change(connection: Connection, project: str, monitor_id: str, fields: Mapping[str, Any]) -> Monitor:
    """The monitor with these fields from now on; NotFound."""
    _locked(connection, project, monitor_id)
    changed = get(connection, project, monitor_id).model_copy(update=dict(fields))
    collections.replace(connection, opinion_monitors, changed)
    return changed


def stored(connection: Connection, monitor_id: str) -> Stored | None:
    """The monitor of a job, in whatever project; None where it was deleted."""
    row = connection.execute(
        select(opinion_monitors.c.project_id, opinion_monitors.c.body).where(opinion_monitors.c.id == monitor_id)
    ).one_or_none()
    return None if row is None else Stored(row.project_id, Monitor.model_validate_json(row.body))


def remove(connection: Connection, project: str, monitor_id: str) -> None:
    """The monitor and all that is of it; NotFound."""
    collections.remove(connection, opinion_monitors, project, monitor_id)
    alerts = select(opinion_alerts.c.id).where(opinion_alerts.c.monitor_id == monitor_id)
    connection.execute(delete(opinion_alert_events).where(opinion_alert_events.c.alert_id.in_(alerts)))
    for table in (
        *(opinion_deliveries, opinion_alerts, opinion_counts, opinion_items, opinion_entries, opinion_progress),
    ):
        connection.execute(delete(table).where(table.c.monitor_id == monitor_id))
    jobs.finish(connection, READ, monitor_id)


def item_id(monitor_id: str, key: str) -> str:
    """The id of an item beyond its monitor, for feedback: always the same."""
    return f"opit_{blake2b(f'{monitor_id}/{key}'.encode(), digest_size=12).hexdigest()}"


def _locked(connection: Connection, project: str, monitor_id: str) -> Progress:
    query = select(opinion_progress).where(
        opinion_progress.c.monitor_id == monitor_id, opinion_progress.c.project_id == project
    )
    row = None if "\0" in monitor_id else connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise collections.missing(opinion_monitors, monitor_id)
    return _progress(row)


def _progress(row: Row[Any]) -> Progress:
    return Progress(row.received, row.read, row.watermark, row.evaluated, row.failure)


def push(connection: Connection, project: str, monitor_id: str, items: Sequence[ItemCreate]) -> list[Pushed]:
    """Add to the log what is new or otherwise than before, and have it read; NotFound."""
    progress = _locked(connection, project, monitor_id)
    known = _known(connection, monitor_id, {item.id for item in items})
    number, entries, pushed = progress.received, list[dict[str, Any]](), list[Pushed]()
    current: dict[str, dict[str, Any]] = {}
    for item in items:
        body = item.model_dump_json()
        digest = blake2b(body.encode(), digest_size=16).hexdigest()
        before = known.get(item.id)
        if before is not None and before[1] == digest:
            pushed.append(Pushed(id=item.id, state="unchanged", revision=before[0]))
            continue
        number += 1
        revision = before[0] + 1 if before else 1
        known[item.id] = revision, digest
        entries.append({"monitor_id": monitor_id, "number": number, "key": item.id, "revision": revision, "body": body})
        current[item.id] = {
            "monitor_id": monitor_id,
            "key": item.id,
            "id": item_id(monitor_id, item.id),
            "project_id": project,
            "number": number,
            "revision": revision,
            "at": item.published_at,
            "digest": digest,
            "end_user": item.user,
            "body": body,
        }
        pushed.append(Pushed(id=item.id, state="corrected" if before else "added", revision=revision))
    if entries:
        connection.execute(insert(opinion_entries), entries)
        _UPSERT_ITEM[connection.dialect.name](connection, list(current.values()))
        connection.execute(
            update(opinion_progress).where(opinion_progress.c.monitor_id == monitor_id).values(received=number)
        )
        jobs.enqueue(connection, READ, monitor_id)
    return pushed


def _known(connection: Connection, monitor_id: str, keys: Iterable[str]) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    asked = sorted(keys)
    for start in range(0, len(asked), _AT_ONCE):
        query = select(opinion_items.c.key, opinion_items.c.revision, opinion_items.c.digest).where(
            opinion_items.c.monitor_id == monitor_id, opinion_items.c.key.in_(asked[start : start + _AT_ONCE])
        )
        found |= {row.key: (row.revision, row.digest) for row in connection.execute(query)}
    return found


_ITEM = ("monitor_id", "key", "id", "project_id", "number", "revision", "at", "digest", "end_user", "body")


def _upsert_item(dialect: Any) -> Any:
    row = dialect.insert(opinion_items).values({name: bindparam(name) for name in _ITEM})
    changed = {name: row.excluded[name] for name in ("number", "revision", "at", "digest", "end_user", "body")}
    statement = row.on_conflict_do_update(index_elements=["monitor_id", "key"], set_=changed)
    return lambda connection, rows: connection.execute(statement, rows)


_UPSERT_ITEM = {"sqlite": _upsert_item(sqlite), "postgresql": _upsert_item(postgresql)}


def progress(connection: Connection, monitor_id: str) -> Progress:
    """How far the monitor is; NotFound."""
    row = connection.execute(select(opinion_progress).where(opinion_progress.c.monitor_id == monitor_id)).one_or_none()
    if row is None:
        raise collections.missing(opinion_monitors, monitor_id)
    return _progress(row)


def status(connection: Connection, project: str, monitor_id: str) -> MonitorStatus:
    """The same for clients; NotFound."""
    get(connection, project, monitor_id)
    now = progress(connection, monitor_id)
    return MonitorStatus(
        received=now.received,
        waiting=now.received - now.read,
        watermark=now.watermark,
        looked_until=None if now.evaluated is None else now.evaluated * HOUR,
        failure=now.failure,
    )


def entries(connection: Connection, monitor_id: str, *, after: int, most: int) -> list[Entry]:
    """The log behind a number."""
    query = select(opinion_entries).where(opinion_entries.c.monitor_id == monitor_id, opinion_entries.c.number > after)
    rows = connection.execute(query.order_by(opinion_entries.c.number).limit(most))
    return [
        Entry(row.number, row.key, row.revision, ItemCreate.model_validate_json(row.body) if row.body else None)
        for row in rows
    ]


def stories(connection: Connection, monitor_id: str, *, after: int, until: int, most: int) -> list[Signed]:
    """Signatures of stories that were read, of the last `most` entries in (after, until], oldest first."""
    query = (
        select(opinion_items.c.number, opinion_items.c.key, opinion_items.c.signature)
        .where(
            opinion_items.c.monitor_id == monitor_id,
            opinion_items.c.number > after,
            opinion_items.c.number <= until,
            opinion_items.c.signature.is_not(None),
            opinion_items.c.story.is_(None),
        )
        .order_by(opinion_items.c.number.desc())
        .limit(most)
    )
    return [Signed(row.number, row.key, row.signature) for row in connection.execute(query)][::-1]


def fold(connection: Connection, job: Job, folded: Sequence[Folded], *, until: int, now: float) -> Progress:
    """Items and counts as the entries up to number `until` have them; the job's claim must still stand.

    An item that was corrected meanwhile is read again by its later entry, and what it was counted as goes with it.
    """
    monitor_id = job.key
    query = select(opinion_progress).where(opinion_progress.c.monitor_id == monitor_id).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        raise collections.missing(opinion_monitors, monitor_id)
    jobs.check(connection, job)
    last = {each.entry.key: each for each in folded}
    before = _counted(connection, monitor_id, last)
    cells: Counter[tuple[str, int, str]] = Counter()
    watermark = row.watermark or 0.0
    for key, each in last.items():
        if key not in before:
            continue  # its person was deleted
        if before[key] is not None:
            cells.subtract(Counts.load(before[key]).cells())
        cells.update(each.counts.cells())
        assert each.entry.item is not None
        watermark = max(watermark, min(each.entry.item.published_at, now))
    rows = [
        {
            "of_monitor": monitor_id,
            "of_key": key,
            "new_reading": each.reading.model_dump_json(),
            "new_story": each.reading.story,
            "new_counted": each.counts.dump(),
            "new_signature": each.signature,
        }
        for key, each in last.items()
        if key in before
    ]
    if rows:
        connection.execute(_READ_ITEM, rows)
    add_counts(connection, monitor_id, cells)
    connection.execute(
        update(opinion_progress)
        .where(opinion_progress.c.monitor_id == monitor_id)
        .values(read=until, watermark=watermark or None, failure=None)
    )
    hint(connection, topic(monitor_id))
    return Progress(row.received, until, watermark or None, row.evaluated, None)


def topic(monitor_id: str) -> str:
    """Where it is hinted that something of a monitor's was read."""
    return f"opinion:{monitor_id}"


_READ_ITEM = (
    update(opinion_items)
    .where(opinion_items.c.monitor_id == bindparam("of_monitor"), opinion_items.c.key == bindparam("of_key"))
    .values(
        reading=bindparam("new_reading"),
        story=bindparam("new_story"),
        counted=bindparam("new_counted"),
        signature=bindparam("new_signature"),
    )
)


def _counted(connection: Connection, monitor_id: str, keys: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    asked = sorted(keys)
    for start in range(0, len(asked), _AT_ONCE):
        query = select(opinion_items.c.key, opinion_items.c.counted).where(
            opinion_items.c.monitor_id == monitor_id, opinion_items.c.key.in_(asked[start : start + _AT_ONCE])
        )
        found |= {row.key: row.counted for row in connection.execute(query)}
    return found


def add_counts(connection: Connection, monitor_id: str, cells: Mapping[tuple[str, int, str], int]) -> None:
    """Add to each series' hours; numbers may be negative."""
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for (series, hour, column), number in sorted(cells.items()):
        if number:
            key = {"monitor_id": monitor_id, "series": series, "hour": hour}
            rows.setdefault((series, hour), {**key, **dict.fromkeys(COLUMNS, 0)})[column] += number
    if rows:
        connection.execute(_ADD_COUNTS[connection.dialect.name], list(rows.values()))


def _add_counts(dialect: Any) -> Any:
    row = dialect.insert(opinion_counts).values(
        {name: bindparam(name) for name in ("monitor_id", "series", "hour", *COLUMNS)}
    )
    summed = {name: opinion_counts.c[name] + row.excluded[name] for name in COLUMNS}
    return row.on_conflict_do_update(index_elements=["monitor_id", "series", "hour"], set_=summed)


_ADD_COUNTS = {"sqlite": _add_counts(sqlite), "postgresql": _add_counts(postgresql)}


def rest(connection: Connection, job: Job) -> bool:
    """There is nothing more to read, and the job is done; False where something came meanwhile."""
    query = select(opinion_progress).where(opinion_progress.c.monitor_id == job.key).with_for_update()
    row = connection.execute(query).one_or_none()
    jobs.check(connection, job)
    if row is not None and row.read < row.received:
        return False
    jobs.finish(connection, READ, job.key)
    return True


def fail(connection: Connection, monitor_id: str, message: str) -> None:
    """Reading stopped; it goes on with the next push, or when a chore looks."""
    connection.execute(
        update(opinion_progress).where(opinion_progress.c.monitor_id == monitor_id).values(failure=message[:2048])
    )
    jobs.finish(connection, READ, monitor_id)


def behind(connection: Connection) -> list[str]:
    """Monitors that have something to read."""
    query = select(opinion_progress.c.monitor_id).where(opinion_progress.c.read < opinion_progress.c.received)
    return list(connection.execute(query).scalars())


def wake(connection: Connection, monitors: Sequence[str]) -> None:
    """Have these read what they have."""
    jobs.enqueue_all(connection, READ, monitors)


def items(
    connection: Connection,
    project: str,
    monitor_id: str,
    *,
    limit: int,
    after: tuple[float, str] | None = None,
    since: float | None = None,
    until: float | None = None,
) -> ItemList:
    """A page of items, the newest first. after: time and key of the last of the page before."""
    get(connection, project, monitor_id)
    table = opinion_items.c
    query = select(opinion_items).where(table.monitor_id == monitor_id)
    if since is not None:
        query = query.where(table.at >= since)
    if until is not None:
        query = query.where(table.at < until)
    if after is not None:
        query = query.where(table.at <= after[0], or_(table.at < after[0], table.key < after[1]))
    rows = connection.execute(query.order_by(table.at.desc(), table.key.desc()).limit(limit + 1)).all()
    data = [_item(row) for row in rows[:limit]]
    more = len(rows) > limit
    return ItemList(data=data, has_more=more, next=cursor(rows[limit - 1].at, rows[limit - 1].key) if more else None)


def item(connection: Connection, project: str, monitor_id: str, key: str) -> Item:
    """NotFound."""
    get(connection, project, monitor_id)
    query = select(opinion_items).where(opinion_items.c.monitor_id == monitor_id, opinion_items.c.key == key)
    row = None if "\0" in key else connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"The monitor has no item with the id '{key}'.", param="item_id")
    return _item(row)


def _item(row: Row[Any]) -> Item:
    given = ItemCreate.model_validate_json(row.body)
    return Item(
        item_id=row.id,
        id=given.id,
        revision=row.revision,
        text=given.text,
        title=given.title,
        source=given.source,
        published_at=given.published_at,
        url=given.url,
        user=given.user,
        reading=Reading.model_validate_json(row.reading) if row.reading else None,
    )


def cursor(at: float, key: str) -> str:
    """The place of an item, as the page behind it is asked for."""
    return f"{at!r}~{key}"


def place_of(cursor: str) -> tuple[float, str]:
    """What cursor() was given; InvalidRequest for another text."""
    at, _, key = cursor.partition("~")
    try:
        return float(at), key.replace("\0", "")
    except ValueError:
        raise InvalidRequest(
            "Invalid 'after': expected the 'next' of a page before.", param="after", code="invalid_value"
        ) from None


def reach(connection: Connection, monitor_id: str, keys: Sequence[str]) -> dict[str, int]:
    """How many items tell each of these stories, itself included."""
    if not keys:
        return {}
    query = (
        select(opinion_items.c.story, func.count())
        .where(opinion_items.c.monitor_id == monitor_id, opinion_items.c.story.in_(keys))
        .group_by(opinion_items.c.story)
    )
    found: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return {key: 1 + found.get(key, 0) for key in keys}


def in_hours(connection: Connection, monitor_id: str, *, since: int, until: int, most: int) -> list[Item]:
    """Stories that were read, of hours [since, until), the newest first."""
    table = opinion_items.c
    query = select(opinion_items).where(
        table.monitor_id == monitor_id,
        table.at >= since * HOUR,
        table.at < until * HOUR,
        table.story.is_(None),
        table.reading.is_not(None),
    )
    return [_item(row) for row in connection.execute(query.order_by(table.at.desc()).limit(most))]


def counts(connection: Connection, monitor_id: str, kinds: Sequence[str], *, since: int, until: int) -> list[Row[Any]]:
    """What surges are looked for in: series, hour, stories and negative ones, of hours [since, until).

    Of all always; of series of these kinds (company, topic, source) where something negative was told.
    """
    table = opinion_counts.c
    told = (table.positive + table.neutral + table.negative + table.unknown).label("stories")
    watched = [and_(table.negative > 0, table.series.startswith(f"{kind}:")) for kind in kinds if kind != "all"]
    query = select(table.series, table.hour, told, table.negative).where(
        table.monitor_id == monitor_id,
        table.hour >= since,
        table.hour < until,
        or_(table.series == "all", *watched),
    )
    return [*connection.execute(query.order_by(table.hour))]


def windows(
    connection: Connection, project: str, monitor_id: str, series: str, *, since: int, until: int, hours: int, most: int
) -> list[dict[str, int]]:
    """Sums of windows of so many hours that begin at multiples of them, oldest first; most + 1 where there are more."""
    get(connection, project, monitor_id)
    table = opinion_counts.c
    start = (table.hour - table.hour % hours).label("start")
    query = (
        select(start, *(func.sum(table[name]).label(name) for name in COLUMNS))
        .where(table.monitor_id == monitor_id, table.series == series, table.hour >= since, table.hour < until)
        .group_by(start)
        .having(func.sum(table.reach) > 0)
        .order_by(start)
        .limit(most + 1)
    )
    return [{name: int(value) for name, value in row.items()} for row in connection.execute(query).mappings()]


def totals(connection: Connection, project: str, monitor_id: str, *, since: int, until: int) -> list[Row[Any]]:
    """Every series with its sums: series, stories, negative, reach; the most negative first."""
    get(connection, project, monitor_id)
    table = opinion_counts.c
    told = func.sum(table.positive + table.neutral + table.negative + table.unknown).label("stories")
    query = (
        select(table.series, told, func.sum(table.negative).label("negative"), func.sum(table.reach).label("reach"))
        .where(table.monitor_id == monitor_id, table.hour >= since, table.hour < until)
        .group_by(table.series)
        .having(func.sum(table.reach) > 0)
        .order_by(func.sum(table.negative).desc(), table.series)
        .limit(10_000)
    )
    return [*connection.execute(query)]


def evaluate(connection: Connection, job: Job, *, hour: int) -> str:
    """Surges were looked for up to this hour; the project. The job's claim must still stand."""
    query = select(opinion_progress).where(opinion_progress.c.monitor_id == job.key).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        raise collections.missing(opinion_monitors, job.key)
    jobs.check(connection, job)
    connection.execute(update(opinion_progress).where(opinion_progress.c.monitor_id == job.key).values(evaluated=hour))
    return str(row.project_id)


def ids_of(connection: Connection, project: str, user: str) -> list[str]:
    """Ids beyond their monitors of the items that a person wrote."""
    return (
        []
        if "\0" in user
        else list(connection.execute(select(opinion_items.c.id).where(*_by(project, user))).scalars())
    )


def written(
    connection: Connection, project: str, user: str, *, after: tuple[str, str] | None
) -> tuple[list[Item], tuple[str, str] | None]:
    """Some of a person's items in all monitors, behind a monitor and key; and the next place."""
    table = opinion_items.c
    query = select(opinion_items).where(*_by(project, user.replace("\0", "")))
    if after is not None:
        query = query.where(tuple_(table.monitor_id, table.key) > after)
    rows = connection.execute(query.order_by(table.monitor_id, table.key).limit(_AT_ONCE)).all()
    place = (rows[-1].monitor_id, rows[-1].key) if len(rows) == _AT_ONCE else None
    return [_item(row) for row in rows], place


def _by(project: str, user: str) -> tuple[ColumnElement[bool], ...]:
    return opinion_items.c.project_id == project, opinion_items.c.end_user == user


def forget(connection: Connection, project: str, user: str) -> tuple[str | None, set[str]]:
    """Delete some of a person's items from a monitor, with their entries' texts and what they were counted as.

    The monitor, None where nothing is left, and the items' keys. The earliest repost of a story that goes becomes the story.
    """
    table = opinion_items.c
    query = select(table.monitor_id).where(*_by(project, user.replace("\0", "")))
    monitor_id = connection.execute(query.limit(1)).scalar()
    if monitor_id is None:
        return None, set()
    _locked(connection, project, monitor_id)
    cells: Counter[tuple[str, int, str]] = Counter()
    whose = select(table.key, table.counted).where(table.monitor_id == monitor_id, *_by(project, user))
    rows = connection.execute(whose.limit(_AT_ONCE)).all()
    for row in rows:
        if row.counted:
            cells.subtract(Counts.load(row.counted).cells())
    keys = [row.key for row in rows]
    connection.execute(delete(opinion_items).where(table.monitor_id == monitor_id, table.key.in_(keys)))
    gone = opinion_entries.c.monitor_id == monitor_id, opinion_entries.c.key.in_(keys)
    connection.execute(update(opinion_entries).where(*gone).values(body=None))
    of_story: dict[str, list[Any]] = {}
    told = table.monitor_id == monitor_id, table.story.in_(keys)
    for row in connection.execute(select(opinion_items).where(*told).order_by(table.at, table.key)):
        of_story.setdefault(row.story, []).append(row)
    for reposts in of_story.values():
        cells.update(_promote(connection, monitor_id, reposts))
    add_counts(connection, monitor_id, cells)
    return monitor_id, set(keys)


def there(connection: Connection, monitor_id: str, keys: Iterable[str]) -> set[str]:
    """Those of these items that the monitor still has."""
    return set(_known(connection, monitor_id, keys))


def _promote(connection: Connection, monitor_id: str, reposts: Sequence[Row[Any]]) -> dict[tuple[str, int, str], int]:
    """Make the first of these the story of the others; what the counts gain."""
    first = reposts[0]
    for row in reposts:
        story = None if row is first else first.key
        reading = Reading.model_validate_json(row.reading).model_copy(update={"story": story})
        values: dict[str, Any] = {"story": story, "reading": reading.model_dump_json()}
        if row is first:
            counted = Counts.load(row.counted)
            values["counted"] = Counts(counted.hour, counted.labels, story=True).dump()
        which = opinion_items.c.monitor_id == monitor_id, opinion_items.c.key == row.key
        connection.execute(update(opinion_items).where(*which).values(values))
    return {(series, counted.hour, label): 1 for series, label in counted.labels.items()}
