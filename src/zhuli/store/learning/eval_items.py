"""Outputs of a run's items, as they are listed and compared."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from zhuli.store import collections
from zhuli.store.collections import Places
from zhuli.store.schema import eval_items
from zhuli.types.learning.eval_runs import OutputItem
from zhuli.types.page import PageParams

READ = 200
"""Outputs that are read in one transaction."""


def get(connection: Connection, project: str, run_id: str, item_id: str) -> OutputItem:
    """The output; NotFound also while there is none yet."""
    query = select(eval_items.c.body).where(
        eval_items.c.project_id == project, eval_items.c.run_id == run_id, eval_items.c.id == item_id
    )
    body = None if "\0" in item_id else connection.execute(query).scalar()
    if not body:
        raise collections.missing(eval_items, item_id)
    return OutputItem.model_validate_json(body)


def places(connection: Connection, project: str, run_id: str, params: PageParams, status: str | None) -> Places:
    """Those that there are, in the order of the data. status: only pass, or only fail."""
    query = select(eval_items.c.seq).where(eval_items.c.project_id == project, eval_items.c.run_id == run_id)
    query = query.where(eval_items.c.status != "waiting" if status is None else eval_items.c.status == status)
    forward = params.order == "asc"
    if params.after is not None:
        seq = collections.seq_of(connection, eval_items, project, params.after, {"run_id": run_id})
        query = query.where(eval_items.c.seq > seq if forward else eval_items.c.seq < seq)
    query = query.order_by(eval_items.c.seq.asc() if forward else eval_items.c.seq.desc())
    return collections.placed(connection, eval_items, query, params.limit)


def graded(connection: Connection, run_id: str, *, after: int) -> Sequence[Any]:
    """Rows with number, digest and body of outputs that have a grade, numbered above `after`; READ of them."""
    query = select(eval_items.c.number, eval_items.c.digest, eval_items.c.body).where(
        eval_items.c.run_id == run_id, eval_items.c.status.in_(("pass", "fail")), eval_items.c.number > after
    )
    return connection.execute(query.order_by(eval_items.c.number).limit(READ)).all()
