"""Alerts of opinion monitors: events are the log, the alert is its fold; deliveries are made with the events they tell of."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select, update

from zhuli.core.ids import new_id
from zhuli.store import collections, jobs
from zhuli.store.applications import opinion
from zhuli.store.jobs import Job
from zhuli.store.schema import opinion_alert_events, opinion_alerts, opinion_deliveries, opinion_monitors
from zhuli.types.applications.opinion import Alert, AlertEvent, AlertTerms, Destination, EventKind, Monitor
from zhuli.types.page import Page, PageParams

DELIVER = "opinion_deliver"
"""The kind of job that delivers; its key is the delivery's id."""

MOST_EVENTS = 200
"""Events that are shown with an alert: the last ones."""

_GROWING = ("severity", "last_hour", "evidence", "texts", "new_terms", "groups")

_DESTINATION: TypeAdapter[Destination] = TypeAdapter(Destination)

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something to deliver. kind: of the event that it tells of."""

    id: str
    project: str
    monitor: str
    alert: Alert
    kind: str
    destination: Destination
    attempts: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """An alert that nobody acknowledged in time."""

    project: str
    alert: Alert


def last_of_series(connection: Connection, monitor_id: str, series: Sequence[str]) -> dict[str, Alert]:
    """The newest alert of each of these series that has one."""
    table = opinion_alerts.c
    query = select(table.body).where(table.monitor_id == monitor_id, table.series.in_(series)).order_by(table.seq)
    found = (Alert.model_validate_json(body) for body in connection.execute(query.limit(10_000)).scalars())
    return {alert.series: alert for alert in found}


def record(
    connection: Connection,
    job: Job,
    alerts: Sequence[tuple[Alert, EventKind]],
    terms: AlertTerms,
    *,
    hour: int,
    now: float,
) -> None:
    """What an evaluation found, up to this hour: new alerts and such as grew, with what is to be delivered."""
    project = opinion.evaluate(connection, job, hour=hour)
    for found, kind in alerts:
        named = {text.id for text in found.texts}  # whose author may have been deleted since they were read
        gone = named - opinion.there(connection, found.monitor_id, named)
        alert = without(found, gone) or found
        if kind == "raised":
            _raise(connection, project, alert, terms, now=now)
        else:
            now_there = _locked(connection, project, alert.monitor_id, alert.id)  # a person may just have decided of it
            changed = {name: getattr(alert, name) for name in _GROWING}
            _write(connection, now_there.model_copy(update=changed))
            _add(connection, project, alert.id, kind, now=now, detail=_numbers(alert))


def _raise(connection: Connection, project: str, alert: Alert, terms: AlertTerms, *, now: float) -> None:
    escalates = alert.state == "open" and terms.escalation is not None
    columns = {
        "monitor_id": alert.monitor_id,
        "series": alert.series,
        "state": alert.state,
        "last_hour": alert.last_hour,
        "silenced_until": alert.silenced_until,
        "escalates_at": now + 60 * terms.escalation.after_minutes if escalates and terms.escalation else None,
    }
    collections.insert(connection, opinion_alerts, project, alert, columns)
    _add(connection, project, alert.id, "raised", now=now, detail=_numbers(alert))
    if alert.state == "open":
        deliver(connection, project, alert, "raised", terms.deliver, now=now)


def _numbers(alert: Alert) -> dict[str, Any]:
    return {"severity": alert.severity, "hour": alert.last_hour, **alert.evidence.model_dump()}


def _write(connection: Connection, alert: Alert, **columns: Any) -> None:
    values = {"body": alert.model_dump_json(), "state": alert.state, "last_hour": alert.last_hour, **columns}
    connection.execute(update(opinion_alerts).where(opinion_alerts.c.id == alert.id).values(values))


def _add(
    connection: Connection,
    project: str,
    alert_id: str,
    kind: EventKind,
    *,
    now: float,
    by: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    event = AlertEvent(id=new_id("opev"), kind=kind, at=int(now), by=by, detail=detail or {})
    collections.insert(connection, opinion_alert_events, project, event, {"alert_id": alert_id, "kind": kind})


def deliver(
    connection: Connection, project: str, alert: Alert, kind: str, destinations: Sequence[Destination], *, now: float
) -> None:
    """Have the alert delivered to each, as jobs of this transaction."""
    rows = [
        {
            "id": new_id("opdl"),
            "project_id": project,
            "monitor_id": alert.monitor_id,
            "alert_id": alert.id,
            "kind": kind,
            "destination": destination.model_dump_json(),
            "attempts": 0,
            "due_at": now,
        }
        for destination in destinations
    ]
    if rows:
        connection.execute(insert(opinion_deliveries), rows)
        jobs.enqueue_all(connection, DELIVER, [str(row["id"]) for row in rows])


def page(
    connection: Connection, project: str, monitor_id: str, params: PageParams, *, state: str | None, series: str | None
) -> Page[Alert]:
    """The monitor's alerts; NotFound for the monitor."""
    opinion.get(connection, project, monitor_id)
    only = {name: value for name, value in (("state", state), ("series", series)) if value is not None}
    return collections.page(
        connection, opinion_alerts, Alert, project, params, where={"monitor_id": monitor_id}, only=only
    )


def get(connection: Connection, project: str, monitor_id: str, alert_id: str) -> Alert:
    """With its events; NotFound."""
    opinion.get(connection, project, monitor_id)
    alert = collections.get(connection, opinion_alerts, Alert, project, alert_id, {"monitor_id": monitor_id})
    table = opinion_alert_events.c
    query = select(table.body).where(table.alert_id == alert_id).order_by(table.seq.desc()).limit(MOST_EVENTS)
    events = [AlertEvent.model_validate_json(body) for body in connection.execute(query).scalars()]
    return alert.model_copy(update={"events": events[::-1]})


def change(
    connection: Connection,
    project: str,
    monitor_id: str,
    alert_id: str,
    kind: EventKind,
    changes: dict[str, Any],
    *,
    now: float,
    by: str | None,
    comment: str | None,
) -> Alert:
    """What a person decides of an alert: an event, and the alert after it; it is not escalated any more. NotFound."""
    alert = _locked(connection, project, monitor_id, alert_id).model_copy(update=changes)
    _write(connection, alert, silenced_until=alert.silenced_until, escalates_at=None)
    detail = {**changes, **({"comment": comment} if comment else {})}
    _add(connection, project, alert_id, kind, now=now, by=by, detail=detail)
    return get(connection, project, monitor_id, alert_id)


def _locked(connection: Connection, project: str, monitor_id: str, alert_id: str) -> Alert:
    table = opinion_alerts.c
    query = select(table.body).where(table.id == alert_id, table.project_id == project, table.monitor_id == monitor_id)
    body = None if "\0" in alert_id + monitor_id else connection.execute(query.with_for_update()).scalar()
    if body is None:
        raise collections.missing(opinion_alerts, alert_id)
    return Alert.model_validate_json(body)


def silenced(connection: Connection, monitor_id: str, series: Sequence[str], *, now: float) -> dict[str, int]:
    """Those of the series whose alerts are not to be delivered, and until when."""
    table = opinion_alerts.c
    query = select(table.series, table.silenced_until).where(
        table.monitor_id == monitor_id, table.series.in_(series), table.silenced_until > now
    )
    return {row.series: int(row.silenced_until) for row in connection.execute(query.order_by(table.silenced_until))}


def overdue(connection: Connection, *, now: float) -> list[Overdue]:
    """Alerts that are to be escalated."""
    table = opinion_alerts.c
    query = select(table.project_id, table.body).where(table.escalates_at <= now).limit(_AT_ONCE)
    return [Overdue(row.project_id, Alert.model_validate_json(row.body)) for row in connection.execute(query)]


def escalate(connection: Connection, project: str, seen: Alert, *, now: float) -> bool:
    """Deliver an alert to those whom it is escalated to; False where somebody was first."""
    alert = _locked(connection, project, seen.monitor_id, seen.id)
    due = connection.execute(select(opinion_alerts.c.escalates_at).where(opinion_alerts.c.id == alert.id)).scalar()
    if due is None or due > now:
        return False
    monitor = collections.get(connection, opinion_monitors, Monitor, project, alert.monitor_id)
    made = alert.model_copy(update={"escalated_at": int(now)})
    _write(connection, made, escalates_at=None)
    _add(connection, project, alert.id, "escalated", now=now)
    if monitor.alerts.escalation is not None:
        deliver(connection, project, made, "escalated", monitor.alerts.escalation.to, now=now)
    return True


def delivery(connection: Connection, delivery_id: str) -> Delivery | None:
    """What a job is to deliver; None where it is done, or its alert gone."""
    table = opinion_deliveries
    query = (
        select(table, opinion_alerts.c.body)
        .join(opinion_alerts, opinion_alerts.c.id == table.c.alert_id)
        .where(table.c.id == delivery_id, table.c.due_at.is_not(None))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    destination = _DESTINATION.validate_json(row.destination)
    alert = Alert.model_validate_json(row.body)
    return Delivery(row.id, row.project_id, row.monitor_id, alert, row.kind, destination, row.attempts)


def delivered(
    connection: Connection, job: Job, to: Delivery | None, *, error: str | None, again_at: float | None, now: float
) -> None:
    """How an attempt ended; again_at: when the next is made, None for no more. The job is done."""
    jobs.check(connection, job)
    if to is not None:
        changed = {"attempts": to.attempts + 1, "due_at": again_at}
        connection.execute(update(opinion_deliveries).where(opinion_deliveries.c.id == to.id).values(changed))
        if error is None or again_at is None:
            where = to.destination.url if to.destination.type == "webhook" else to.destination.to
            detail = {"to": where, "of": to.kind, "attempts": to.attempts + 1, **({"error": error} if error else {})}
            kind: EventKind = "delivered" if error is None else "delivery_failed"
            _add(connection, to.project, to.alert.id, kind, now=now, detail=detail)
    jobs.finish(connection, DELIVER, job.key)


def due(connection: Connection, *, now: float) -> int:
    """Make jobs of deliveries whose time has come; how many."""
    table = opinion_deliveries.c
    ids = list(connection.execute(select(table.id).where(table.due_at <= now).limit(_AT_ONCE)).scalars())
    jobs.enqueue_all(connection, DELIVER, ids)
    return len(ids)


def redact(connection: Connection, project: str, monitor_id: str, without: Callable[[Alert], Alert | None]) -> int:
    """Write every alert anew that `without` makes another of; how many."""
    table = opinion_alerts.c
    after, changed = 0, 0
    while True:
        query = select(table.seq, table.body).where(
            table.monitor_id == monitor_id, table.project_id == project, table.seq > after
        )
        rows = connection.execute(query.order_by(table.seq).limit(_AT_ONCE)).all()
        for row in rows:
            alert = without(Alert.model_validate_json(row.body))
            if alert is not None:
                _write(connection, alert)
                changed += 1
        if len(rows) < _AT_ONCE:
            return changed
        after = rows[-1].seq


def without(alert: Alert, gone: Set[str]) -> Alert | None:
    """The alert without the texts of these items, and without words that may be theirs; None where there are no such items."""
    if not gone:
        return None
    texts = [text for text in alert.texts if text.id not in gone]
    groups = [group for group in alert.groups if group.example not in gone]
    return alert.model_copy(update={"texts": texts, "groups": groups, "new_terms": []})


def recent(connection: Connection, project: str, monitor_id: str, series: str) -> list[Alert]:
    """The last alerts of a series, for a picture."""
    table = opinion_alerts.c
    query = select(table.body).where(
        table.monitor_id == monitor_id, table.project_id == project, table.series == series
    )
    bodies = connection.execute(query.order_by(table.seq.desc()).limit(_AT_ONCE)).scalars()
    return [Alert.model_validate_json(body) for body in bodies]
