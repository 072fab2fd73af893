"""Limits of keys and projects, and what was taken of them: a row a limit, which processes lock to lease a part of it.

A limit belongs to a subject: the id of a key or of a project. Where none is set, the settings' default holds, which is no
row here. Of a window there is a row as soon as somebody took something.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from zhuli.core.limit_window import LimitName, Window
from zhuli.store.schema import limit_windows, limits
from zhuli.store.statement import prepared

Limits = Mapping[LimitName, int]


def every(connection: Connection) -> dict[str, dict[LimitName, int]]:
    """All limits that are set, by subject."""
    found: dict[str, dict[LimitName, int]] = {}
    for row in _EVERY(connection, {}):
        found.setdefault(row.subject, {})[cast("LimitName", row.name)] = row.amount
    return found


_EVERY = prepared(select(limits.c.subject, limits.c.name, limits.c.amount))


def put(connection: Connection, subject: str, wanted: Mapping[LimitName, int | None]) -> None:
    """Set these limits of a subject; None takes one back, so that the default holds."""
    for name, amount in wanted.items():
        connection.execute(delete(limits).where(limits.c.subject == subject, limits.c.name == name))
        if amount is not None:
            connection.execute(limits.insert().values(subject=subject, name=name, amount=amount))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of one limit: changes by slot of what was taken before, and a new lease of at least and at most so much."""

    subject: str
    name: LimitName
    limit: int
    least: int = 0
    most: int = 0
    changes: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lease:
    """granted: 0 if there is not enough. slot: to which it counts. left: what the others may still take.

    wait: seconds until the least that was wanted may be there. reset: until nothing that was taken counts.
    """

    granted: int
    slot: int
    left: int
    wait: float
    reset: float


def lease(connection: Connection, wanted: Sequence[Wanted], *, now: float) -> list[Lease]:
    """Settle what was taken, and lease; in the order of `wanted`. Rows are locked in one order, whoever asks."""
    found = {id(one): _lease(connection, one, now) for one in sorted(wanted, key=lambda one: (one.subject, one.name))}
    return [found[id(one)] for one in wanted]


def _lease(connection: Connection, wanted: Wanted, now: float) -> Lease:
    window = _locked(connection, wanted.subject, wanted.name)
    for slot, amount in wanted.changes.items():
        window.add(slot, amount)
    free, slot = wanted.limit - window.used(now), window.slot(now)
    granted = min(wanted.most, free) if wanted.most and free >= wanted.least else 0
    wait = 0.0 if granted or not wanted.most else window.wait(now, limit=wanted.limit, wanted=wanted.least)
    if granted:
        window.add(slot, granted)
    _WRITE(connection, {"of": wanted.subject, "called": wanted.name, "body": _written(window), "now": now})
    return Lease(granted, slot, max(0, free - granted), wait, window.reset(now))


def _locked(connection: Connection, subject: str, name: LimitName) -> Window:
    key = {"of": subject, "called": name}
    body = _LOCK(connection, key).scalar()
    if body is None:
        _FIRST[connection.dialect.name](
            connection, {"subject": subject, "name": name, "slots": "{}", "changed_at": 0.0}
        )
        body = _LOCK(connection, key).scalar()
    return _read(name, str(body))


def window(connection: Connection, subject: str, name: LimitName) -> Window:
    """What was taken, as it was last written down: for the one process that has a database of its own."""
    return _read(name, str(_LOCK(connection, {"of": subject, "called": name}).scalar() or "{}"))


def keep_windows(connection: Connection, windows: Sequence[tuple[str, LimitName, Window]], *, now: float) -> None:
    """Write down what was taken: by the one process that has a database of its own."""
    for subject, name, taken in windows:
        row = {"subject": subject, "name": name, "slots": "{}", "changed_at": 0.0}
        _FIRST[connection.dialect.name](connection, row)
        _WRITE(connection, {"of": subject, "called": name, "body": _written(taken), "now": now})


def forget(connection: Connection, *, before: float) -> int:
    """Delete windows that nobody has touched since; how many it were."""
    return connection.execute(delete(limit_windows).where(limit_windows.c.changed_at < before)).rowcount


def _read(name: LimitName, body: str) -> Window:
    return Window(name, {int(slot): amount for slot, amount in orjson.loads(body).items()})


def _written(window: Window) -> str:
    return orjson.dumps({str(slot): amount for slot, amount in window.slots.items()}).decode()


_IS = (limit_windows.c.subject == bindparam("of"), limit_windows.c.name == bindparam("called"))
_LOCK = prepared(select(limit_windows.c.slots).where(*_IS).with_for_update())
_WRITE = prepared(update(limit_windows).where(*_IS).values(slots=bindparam("body"), changed_at=bindparam("now")))
_ROW: dict[str, Any] = {name: bindparam(name) for name in ("subject", "name", "slots", "changed_at")}
_FIRST = {
    "sqlite": prepared(sqlite.insert(limit_windows).values(_ROW).on_conflict_do_nothing()),
    "postgresql": prepared(postgresql.insert(limit_windows).values(_ROW).on_conflict_do_nothing()),
}
