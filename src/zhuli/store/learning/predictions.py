"""Predictions that were to be stored: what was asked of which model, and what it answered."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from zhuli.store import collections
from zhuli.store.schema import predictions as table
from zhuli.types.wire import Wire

_SWEPT = 200
"""Predictions that are forgotten in one transaction."""


class StoredPrediction(Wire):
    """model: under its own name, whatever alias was asked for. output: as the answer had it."""

    id: str
    created_at: int
    model: str
    task: str
    input: Any
    output: Any


def add(connection: Connection, project: str, items: Sequence[StoredPrediction], *, user: str | None) -> None:
    """They are stored from now on. user: whom they were asked for."""
    for item in items:
        columns = {"model": item.model, "created_at": item.created_at, "end_user": user}
        collections.insert(connection, table, project, item, columns)


def newest(connection: Connection, project: str, *, model: str | None, most: int) -> list[StoredPrediction]:
    """Of this model, or of all: the newest first."""
    query = select(table.c.body).where(table.c.project_id == project)
    if model is not None:
        query = query.where(table.c.model == model)
    bodies = connection.execute(query.order_by(table.c.seq.desc()).limit(most)).scalars()
    return [StoredPrediction.model_validate_json(body) for body in bodies]


def forget(connection: Connection, *, before: float) -> int:
    """Delete some of those that are older; how many it were."""
    old = select(table.c.seq).where(table.c.created_at < int(before)).limit(_SWEPT)
    return connection.execute(delete(table).where(table.c.seq.in_(old))).rowcount
