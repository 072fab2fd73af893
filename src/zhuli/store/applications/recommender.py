"""Recommenders: their items as they are now, the log of events, lists that were shown, trainings.

Whatever changes an item gives its row a new place, so that who holds a copy of the items can follow. What an event changes,
the next request sees: a user's history is read from the log.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from zhuli.core.errors import Conflict, InvalidRequest, NotFound
from zhuli.store import collections, jobs, work
from zhuli.store.database import hint
from zhuli.store.jobs import Job
from zhuli.store.learning import feedback
from zhuli.store.schema import recommender_events as events
from zhuli.store.schema import recommender_items as items
from zhuli.store.schema import recommender_lists as lists
from zhuli.store.schema import recommender_trainings as trainings
from zhuli.store.schema import recommenders
from zhuli.store.statement import Prepared, prepared
from zhuli.types.applications.recommender import (
    MOST_ITEMS,
    MOST_RECOMMENDERS,
    Event,
    EventCreate,
    EventKind,
    Item,
    ItemCreate,
    Recommendation,
    Recommendations,
    Recommender,
    Training,
)

VECTORS = "recommender_vectors"
"""The kind of job that makes the vectors of items' texts; its key is the recommender's id."""

TRAINING = "recommender_training"
"""The kind of job that trains; its key is the training's id."""

DISCARD = "recommender_discard"
"""The kind of job that deletes what a deleted recommender leaves behind; its key is the recommender's id."""

_AT_ONCE = 500


def create(connection: Connection, project: str, made: Recommender) -> Recommender:
    """A recommender without items."""
    query = select(func.count()).select_from(recommenders).where(recommenders.c.project_id == project)
    if (connection.execute(query).scalar() or 0) >= MOST_RECOMMENDERS:
        raise InvalidRequest(f"A project has at most {MOST_RECOMMENDERS} recommenders. Delete one first.")
    collections.insert(connection, recommenders, project, made)
    return made


def get(connection: Connection, project: str, id_: str) -> Recommender:
    """The project's recommender; NotFound."""
    return collections.get(connection, recommenders, Recommender, project, id_)


def by_id(connection: Connection, id_: str) -> tuple[str, Recommender] | None:
    """Of whichever project: with its name; None of one that was deleted."""
    row = connection.execute(
        select(recommenders.c.project_id, recommenders.c.body).where(recommenders.c.id == id_)
    ).first()
    return None if row is None else (row.project_id, Recommender.model_validate_json(row.body))


def remove(connection: Connection, project: str, id_: str) -> None:
    """The recommender is gone; a job deletes what it leaves. NotFound."""
    collections.remove(connection, recommenders, project, id_)
    jobs.enqueue(connection, DISCARD, id_)


def sweep(connection: Connection, recommender: str) -> int:
    """Delete some of what a deleted recommender left; how many rows it were."""
    for table in (items, events, lists, trainings):
        some = select(table.c.seq).where(table.c.recommender_id == recommender).limit(_AT_ONCE)
        if gone := connection.execute(delete(table).where(table.c.seq.in_(some))).rowcount:
            return int(gone)
    return 0


def put_items(connection: Connection, project: str, recommender: str, given: Sequence[ItemCreate]) -> tuple[int, int]:
    """Items that are new or changed, and how many are as they were. InvalidRequest where they would be too many."""
    get(connection, project, recommender)
    _lock(connection, recommender)
    wanted = {one.id: item_of(one).model_dump_json() for one in given}
    there = _bodies(connection, recommender, wanted)
    changed = [id_ for id_, body in wanted.items() if there.get(id_) != body]
    new = [id_ for id_ in changed if id_ not in there]
    if new and count(connection, recommender) + len(new) > MOST_ITEMS:
        raise InvalidRequest(f"A recommender has at most {MOST_ITEMS} items.", param="data")
    _place(connection, recommender, {id_: wanted[id_] for id_ in changed})
    if changed:
        jobs.enqueue(connection, VECTORS, recommender)
    return len(changed), len(wanted) - len(changed)


def item_of(given: ItemCreate) -> Item:
    """The item that a request describes."""
    return Item(**{**given.model_dump(), "metadata": given.metadata or {}})


def _lock(connection: Connection, recommender: str) -> None:
    """Items change one transaction after the other, so that their places rise as they are committed."""
    connection.execute(select(recommenders.c.seq).where(recommenders.c.id == recommender).with_for_update())


def _place(connection: Connection, recommender: str, bodies: dict[str, str | None]) -> None:
    ids = list(bodies)
    for start in range(0, len(ids), _AT_ONCE):
        piece = ids[start : start + _AT_ONCE]
        connection.execute(delete(items).where(items.c.recommender_id == recommender, items.c.item_id.in_(piece)))
        rows = [{"recommender_id": recommender, "item_id": id_, "body": bodies[id_]} for id_ in piece]
        connection.execute(insert(items), rows)
    if ids:
        hint(connection, topic(recommender))


def topic(recommender: str) -> str:
    """Where it is hinted that the items of a recommender have changed."""
    return f"recommender:{recommender}"


def _bodies(connection: Connection, recommender: str, ids: Iterable[str]) -> dict[str, str]:
    """Of those that are there."""
    wanted, found = list(ids), dict[str, str]()
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(items.c.item_id, items.c.body).where(
            items.c.recommender_id == recommender,
            items.c.item_id.in_(wanted[start : start + _AT_ONCE]),
            items.c.body.is_not(None),
        )
        found |= {row.item_id: row.body for row in connection.execute(query)}
    return found


def items_named(connection: Connection, recommender: str, ids: Iterable[str]) -> dict[str, Item]:
    """Those of these items that are there."""
    return {id_: Item.model_validate_json(body) for id_, body in _bodies(connection, recommender, ids).items()}


def items_page(connection: Connection, recommender: str, *, after: str, most: int) -> list[Item]:
    """Items in the order of their ids, behind one."""
    query = (
        select(items.c.body)
        .where(items.c.recommender_id == recommender, items.c.item_id > after, items.c.body.is_not(None))
        .order_by(items.c.item_id)
        .limit(most)
    )
    return [Item.model_validate_json(body) for body in connection.execute(query).scalars()]


def items_known(connection: Connection, recommender: str, ids: Iterable[str]) -> set[str]:
    """Which of these items are there."""
    wanted, found = list(ids), set[str]()
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(items.c.item_id).where(
            items.c.recommender_id == recommender,
            items.c.item_id.in_(wanted[start : start + _AT_ONCE]),
            items.c.body.is_not(None),
        )
        found.update(connection.execute(query).scalars())
    return found


def item(connection: Connection, project: str, recommender: str, id_: str) -> Item:
    """One item; NotFound."""
    get(connection, project, recommender)
    found = items_named(connection, recommender, [id_]).get(id_)
    if found is None:
        raise NotFound(f"No item found with id '{id_}' in the recommender.")
    return found


def remove_item(connection: Connection, project: str, recommender: str, id_: str) -> None:
    """The item is in no list any more; NotFound."""
    get(connection, project, recommender)
    _lock(connection, recommender)
    item(connection, project, recommender, id_)
    _place(connection, recommender, {id_: None})


def count(connection: Connection, recommender: str) -> int:
    """Rows of items, those that were removed among them."""
    query = select(func.count()).select_from(items).where(items.c.recommender_id == recommender)
    return int(connection.execute(query).scalar() or 0)


_LAST_CHANGE = prepared(
    select(func.max(items.c.seq).label("last")).where(items.c.recommender_id == bindparam("of_recommender"))
)


def last_change(connection: Connection, recommender: str) -> int:
    """The place of the newest change of an item; 0 without one."""
    return int(_LAST_CHANGE(connection, {"of_recommender": recommender}).scalar() or 0)


def changed_items(connection: Connection, recommender: str, *, after: int, most: int) -> list[Any]:
    """Rows of items that changed behind a place, in order: seq, item_id, body, vector."""
    query = (
        select(items.c.seq, items.c.item_id, items.c.body, items.c.vector)
        .where(items.c.recommender_id == recommender, items.c.seq > after)
        .order_by(items.c.seq)
        .limit(most)
    )
    return list(connection.execute(query))


def without_vector(connection: Connection, recommender: str, *, most: int) -> list[tuple[int, str]]:
    """Items whose text has no vector yet: place and text."""
    query = (
        select(items.c.seq, items.c.body)
        .where(items.c.recommender_id == recommender, items.c.body.is_not(None), items.c.vector.is_(None))
        .order_by(items.c.seq)
        .limit(most)
    )
    return [(row.seq, Item.model_validate_json(row.body).text) for row in connection.execute(query)]


def put_vectors(connection: Connection, recommender: str, made: Sequence[tuple[int, bytes]]) -> None:
    """The vectors of items that are still what they were; their rows move to the end, where followers see them."""
    _lock(connection, recommender)
    for seq, vector in made:
        query = select(items.c.item_id, items.c.body).where(items.c.seq == seq)
        row = connection.execute(query).first()
        if row is None:
            continue
        connection.execute(delete(items).where(items.c.seq == seq))
        values = {"recommender_id": recommender, "item_id": row.item_id, "body": row.body, "vector": vector}
        connection.execute(insert(items).values(values))
    hint(connection, topic(recommender))


def end_vectors(connection: Connection, job: Job) -> None:
    """No item is without a vector, or else the job stays for another look."""
    _lock(connection, job.key)
    jobs.check(connection, job)
    if not without_vector(connection, job.key, most=1) or by_id(connection, job.key) is None:
        jobs.finish(connection, job.kind, job.key)
    else:
        jobs.release(connection, job)


def end_discarding(connection: Connection, job: Job) -> None:
    """Nothing is left."""
    jobs.finish(connection, job.kind, job.key)


_EVENT = ("recommender_id", "event_id", "end_user", "item_id", "kind", "value", "at", "list_id")


def _add(dialect: Any) -> Prepared:
    row: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _EVENT}
    statement = dialect.insert(events).values(row)
    return prepared(statement.on_conflict_do_nothing(index_elements=["recommender_id", "event_id"]))


_ADD = {"sqlite": _add(sqlite), "postgresql": _add(postgresql)}


def add_events(connection: Connection, recommender: str, given: Sequence[EventCreate], *, now: float) -> int:
    """Add events to the log whose ids it does not know; how many those were."""
    known = _known(connection, recommender, [one.id for one in given])
    new = list({one.id: one for one in reversed(given) if one.id not in known}.values())[::-1]
    rows = [
        (recommender, one.id, one.user, one.item, one.kind, one.value, now if one.at is None else one.at, one.list)
        for one in new
    ]
    if rows:
        parameters = [{f"new_{name}": value for name, value in zip(_EVENT, row, strict=True)} for row in rows]
        _ADD[connection.dialect.name](connection, parameters)
    return len(rows)


def _known(connection: Connection, recommender: str, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(ids), _AT_ONCE):
        query = select(events.c.event_id).where(
            events.c.recommender_id == recommender, events.c.event_id.in_(ids[start : start + _AT_ONCE])
        )
        found.update(connection.execute(query).scalars())
    return found


_HISTORY = prepared(
    select(events.c.item_id, events.c.kind, events.c.value, events.c.at)
    .where(
        events.c.recommender_id == bindparam("of_recommender"),
        events.c.end_user == bindparam("of_user"),
        events.c.at <= bindparam("until"),
    )
    .order_by(events.c.at.desc(), events.c.seq.desc())
    .limit(bindparam("most"))
)


def history(connection: Connection, recommender: str, user: str, *, most: int, until: float | None = None) -> list[Any]:
    """The user's newest events, newest first: item_id, kind, value, at. until: none after that moment."""
    asked = {"of_recommender": recommender, "of_user": user, "most": most, "until": _EVER if until is None else until}
    return _HISTORY(connection, asked).all()


_EVER = 1e18
"""Behind every moment that an event may have."""


def log(connection: Connection, recommender: str, *, after: int, most: int, user: str | None = None) -> list[Event]:
    """Events behind a place, in order; of one user, or of all."""
    query = select(events).where(events.c.recommender_id == recommender, events.c.seq > after)
    if user is not None:
        query = query.where(events.c.end_user == user)
    return [_event(row) for row in connection.execute(query.order_by(events.c.seq).limit(most))]


def _event(row: Any) -> Event:
    return Event(
        id=row.event_id,
        position=row.seq,
        user=row.end_user,
        item=row.item_id,
        kind=row.kind,
        value=row.value,
        at=row.at,
        list=row.list_id,
    )


def event_rows(connection: Connection, recommender: str, *, after: int, most: int) -> list[Any]:
    """The same as rows, for trainings: seq, end_user, item_id, kind, value, at."""
    table = events.c
    query = (
        select(table.seq, table.end_user, table.item_id, table.kind, table.value, table.at)
        .where(table.recommender_id == recommender, table.seq > after)
        .order_by(table.seq)
        .limit(most)
    )
    return list(connection.execute(query))


def keep_list(connection: Connection, project: str, shown: Recommendations, *, ways: tuple[str, str] | None) -> None:
    """A list was shown. ways: of an interleaved one."""
    way_a, way_b = ways or (None, None)
    columns = {"recommender_id": shown.recommender_id, "end_user": shown.user, "way_a": way_a, "way_b": way_b}
    collections.insert(connection, lists, project, shown, columns)


@dataclass(frozen=True, slots=True)
class ShownList:
    """A list, and what became of it. events: that name it: item, kind, value. praised: items that accepted feedback is for."""

    user: str
    at: float
    places: list[Recommendation]
    events: list[tuple[str, EventKind, float | None]]
    praised: set[str]


def before_newest(connection: Connection, recommender: str, *, most: int) -> int:
    """The place behind which the newest lists are, so many at most."""
    query = select(lists.c.seq).where(lists.c.recommender_id == recommender)
    return int(connection.execute(query.order_by(lists.c.seq.desc()).offset(most).limit(1)).scalar() or 0)


def shown(connection: Connection, recommender: str, *, after: int, most: int) -> tuple[int | None, list[ShownList]]:
    """Lists behind a place, oldest first; and the last one's place, None where there is none any more."""
    query = select(lists.c.seq, lists.c.project_id, lists.c.body).where(lists.c.recommender_id == recommender)
    rows = connection.execute(query.where(lists.c.seq > after).order_by(lists.c.seq).limit(most)).all()
    if not rows:
        return None, []
    bodies = [Recommendations.model_validate_json(row.body) for row in rows]
    named = dict[str, list[tuple[str, EventKind, float | None]]]()
    those = select(events.c.list_id, events.c.item_id, events.c.kind, events.c.value).where(
        events.c.recommender_id == recommender, events.c.list_id.in_([body.id for body in bodies])
    )
    for event in connection.execute(those):
        named.setdefault(event.list_id, []).append((event.item_id, event.kind, event.value))
    ids = {f"{body.id}:{place.position}": (body.id, place.item) for body in bodies for place in body.data}
    praised = {ids[id_] for id_ in feedback.praised(connection, rows[0].project_id, "recommendation", list(ids))}
    return rows[-1].seq, [
        ShownList(
            body.user,
            float(body.created_at),
            body.data,
            named.get(body.id, []),
            {item for list_, item in praised if list_ == body.id},
        )
        for body in bodies
    ]


def lists_known(connection: Connection, recommender: str, ids: Iterable[str]) -> set[str]:
    """Which of these lists are the recommender's."""
    wanted = list(ids)
    found: set[str] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(lists.c.id).where(
            lists.c.recommender_id == recommender, lists.c.id.in_(wanted[start : start + _AT_ONCE])
        )
        found.update(connection.execute(query).scalars())
    return found


def compared(connection: Connection, recommender: str, a: str, b: str) -> list[tuple[Recommendations, set[str]]]:
    """Interleaved lists of these ways, each with the items of it that events name; those without any are left out."""
    found: dict[str, tuple[str, set[str]]] = {}
    query = (
        select(lists.c.id, lists.c.body, events.c.item_id)
        .join(events, (events.c.list_id == lists.c.id) & (events.c.recommender_id == lists.c.recommender_id))
        .where(lists.c.recommender_id == recommender, lists.c.way_a == a, lists.c.way_b == b)
        .order_by(lists.c.seq)
    )
    for row in connection.execute(query):
        found.setdefault(row.id, (row.body, set()))[1].add(row.item_id)
    return [(Recommendations.model_validate_json(body), named) for body, named in found.values()]


def begin_training(connection: Connection, project: str, training: Training) -> Training:
    """The training is queued; or the one that waits already, which will learn of the same. Conflict with another request."""
    get(connection, project, training.recommender_id)
    _lock(connection, training.recommender_id)
    waiting = _waiting(connection, training.recommender_id)
    if waiting is None:
        columns = {"recommender_id": training.recommender_id}
        return work.begin(connection, trainings, TRAINING, project, training, columns)
    if waiting.request != training.request:
        raise Conflict(f"The training {waiting.id} waits already, with another 'seed'. Ask again when it has begun.")
    return waiting


def _waiting(connection: Connection, recommender: str) -> Training | None:
    """The training that no worker has begun yet."""
    query = select(trainings.c.body).where(trainings.c.recommender_id == recommender, trainings.c.status == "queued")
    queued = [Training.model_validate_json(body) for body in connection.execute(query.with_for_update()).scalars()]
    return next((one for one in queued if one.started_at is None), None)


def take_up(connection: Connection, job: Job, *, now: int) -> tuple[str, Training] | None:
    """The project and the training of a job, begun; None, and no job any more, where it has ended or is gone."""
    found = work.take_up(connection, trainings, Training, job)
    if found is None:
        return None
    begun = found[1].model_copy(update={"started_at": found[1].started_at or now})
    work.keep(connection, trainings, job, begun)
    return found[0], begun


def keep_training(connection: Connection, job: Job, training: Training) -> None:
    """How far the training is. Raises LeaseLost."""
    work.keep(connection, trainings, job, training)


def end_training(connection: Connection, job: Job, training: Training) -> None:
    """The training has ended like this; what it made serves from now on."""
    work.end(connection, trainings, job, training)
    if training.status == "completed":
        query = select(recommenders.c.body).where(recommenders.c.id == training.recommender_id)
        body = connection.execute(query.with_for_update()).scalar()
        if body is not None:
            served = Recommender.model_validate_json(body).model_copy(update={"model": training.id})
            collections.replace(connection, recommenders, served)
            hint(connection, topic(training.recommender_id))


def forget_some(connection: Connection, project: str, user: str) -> dict[str, int]:
    """Some of the user's events and lists in any recommender of the project are gone: how many; {} once none are left."""
    own = select(recommenders.c.id).where(recommenders.c.project_id == project)
    for name, table in (("recommender_events", events), ("recommender_lists", lists)):
        mine = select(table.c.seq).where(table.c.recommender_id.in_(own), table.c.end_user == user).limit(_AT_ONCE)
        if gone := connection.execute(delete(table).where(table.c.seq.in_(mine))).rowcount:
            return {name: int(gone)}
    return {}


def spoken_of(connection: Connection, project: str, user: str) -> list[str]:
    """Places of the user's lists that feedback is on, as LIST:POSITION."""
    mine = select(lists.c.id).where(lists.c.project_id == project, lists.c.end_user == user)
    ids, found = list(connection.execute(mine).scalars()), list[str]()
    for start in range(0, len(ids), _AT_ONCE):
        found += feedback.targets_below(connection, project, "recommendation", ids[start : start + _AT_ONCE])
    return found


def of_user(
    connection: Connection, project: str, user: str, *, after: tuple[str, int] | None
) -> tuple[list[tuple[str, str]], tuple[str, int] | None]:
    """Some of the user's events and lists in all recommenders of the project, kinds and JSON; and the next place."""
    own = select(recommenders.c.id).where(recommenders.c.project_id == project)
    kind, seq = after or ("recommender_event", 0)
    table = events if kind == "recommender_event" else lists
    query = select(table).where(table.c.recommender_id.in_(own), table.c.end_user == user, table.c.seq > seq)
    rows = connection.execute(query.order_by(table.c.seq).limit(_AT_ONCE)).all()
    bodies = [_event(row).model_dump_json() if table is events else row.body for row in rows]
    found = [
        (kind, f'{{"recommender_id":"{row.recommender_id}",{body[1:]}') for row, body in zip(rows, bodies, strict=True)
    ]
    if len(rows) == _AT_ONCE:
        return found, (kind, rows[-1].seq)
    return found, ("recommender_list", 0) if table is events else None
