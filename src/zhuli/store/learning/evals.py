"""Evals: what is evaluated by which criteria; deleting one deletes its runs."""

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import Connection, and_, delete, or_, select, update

from zhuli.store import collections, jobs
from zhuli.store.collections import as_page
from zhuli.store.learning.eval_runs import JOB
from zhuli.store.schema import eval_items, eval_runs, evals
from zhuli.types.learning.evals import Eval
from zhuli.types.page import Page, PageParams


def create(connection: Connection, project: str, made: Eval) -> None:
    """The eval exists."""
    collections.insert(connection, evals, project, made, {"updated_at": made.updated_at})


def get(connection: Connection, project: str, eval_id: str) -> Eval:
    """The project's eval, or NotFound."""
    return collections.get(connection, evals, Eval, project, eval_id)


def page(
    connection: Connection, project: str, params: PageParams, *, by: Literal["created_at", "updated_at"]
) -> Page[Eval]:
    """Evals by when they were made or changed last."""
    if by == "created_at":
        return collections.page(connection, evals, Eval, project, params)
    query = select(evals.c.body).where(evals.c.project_id == project)
    forward = params.order == "asc"
    if params.after is not None:
        seq = collections.seq_of(connection, evals, project, params.after)
        at = connection.execute(select(evals.c.updated_at).where(evals.c.seq == seq)).scalar_one()
        later = evals.c.updated_at > at if forward else evals.c.updated_at < at
        beside = evals.c.seq > seq if forward else evals.c.seq < seq
        query = query.where(or_(later, and_(evals.c.updated_at == at, beside)))
    columns = (evals.c.updated_at, evals.c.seq)
    query = query.order_by(*(column if forward else column.desc() for column in columns)).limit(params.limit + 1)
    found = [Eval.model_validate_json(body) for body in connection.execute(query).scalars()]
    return as_page(found[: params.limit], has_more=len(found) > params.limit)


def modify(
    connection: Connection,
    project: str,
    eval_id: str,
    *,
    name: str | None,
    metadata: Mapping[str, str] | None,
    now: int,
) -> Eval:
    """The eval with what is not None."""
    known = get(connection, project, eval_id)
    changes = {
        "updated_at": now,
        **({} if name is None else {"name": name}),
        **({} if metadata is None else {"metadata": dict(metadata)}),
    }
    changed = known.model_copy(update=changes)
    collections.replace(connection, evals, changed)
    connection.execute(update(evals).where(evals.c.id == eval_id).values(updated_at=now))
    return changed


def remove(connection: Connection, project: str, eval_id: str) -> None:
    """Delete the eval with its runs, or raise NotFound; a run that is at work ends."""
    collections.remove(connection, evals, project, eval_id)
    ids = list(connection.execute(select(eval_runs.c.id).where(eval_runs.c.eval_id == eval_id)).scalars())
    for run_id in ids:
        connection.execute(delete(eval_items).where(eval_items.c.run_id == run_id))
    connection.execute(delete(eval_runs).where(eval_runs.c.eval_id == eval_id))
    if ids:
        jobs.finish_all(connection, JOB, ids)
