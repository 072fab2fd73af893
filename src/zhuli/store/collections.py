"""Objects with a JSON body: insert, read, page through, overwrite, delete. Every query is within one project.

What is one table's alone (a thread's lock, a run's log) is in that table's own file.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import Connection, Table, bindparam, delete, select, update

from zhuli.core.errors import NotFound
from zhuli.store.statement import Prepared, prepared
from zhuli.types.page import Page, PageParams

W = TypeVar("W", bound=BaseModel)

NOWHERE: Mapping[str, str] = MappingProxyType({})
"""No further condition: `where` gives columns that must have these values."""

NOUNS = {
    "assistants": "assistant",
    "threads": "thread",
    "messages": "message",
    "runs": "run",
    "run_steps": "run step",
    "files": "File object",
    "vector_store_file_batches": "vector store file batch",
    "fine_tuning_events": "fine-tuning event",
    "fine_tuning_checkpoints": "fine-tuning checkpoint",
    "domains": "domain",
    "understandings": "understanding",
    "chat_completions": "chat completion",
    "feedback": "feedback",
    "feedback_reviews": "review",
    "predictions": "prediction",
    "datasets": "data set",
    "dataset_tasks": "data set task",
    "dataset_versions": "data set version",
    "evals": "eval",
    "eval_runs": "eval run",
    "eval_items": "output item",
    "audits": "audit",
    "end_user_deletions": "deletion",
    "alias_decisions": "decision",
    "alias_candidates": "candidate",
    "opinion_monitors": "opinion monitor",
    "opinion_alerts": "alert",
    "recommenders": "recommender",
    "recommender_lists": "recommendations",
    "recommender_trainings": "training",
    "support_desks": "support desk",
    "support_tasks": "support task",
    "support_proposals": "proposal",
    "support_handoffs": "handoff",
}


def insert(connection: Connection, table: Table, project: str, item: Any, columns: Mapping[str, Any] = NOWHERE) -> None:
    """Insert `item`, which has an id."""
    values = {"id": item.id, "project_id": project, "body": item.model_dump_json(), **columns}
    _insert(table, tuple(values))(connection, values)


def get(
    connection: Connection, table: Table, kind: type[W], project: str, id_: str, where: Mapping[str, str] = NOWHERE
) -> W:
    """The object, or NotFound in the API's words."""
    return kind.model_validate_json(body(connection, table, project, id_, where))


def body(connection: Connection, table: Table, project: str, id_: str, where: Mapping[str, str] = NOWHERE) -> str:
    """The object as it is kept, or NotFound in the API's words."""
    found: str | None = _find(connection, table, "body", project, id_, where)
    if found is None:
        raise missing(table, id_)
    return found


def exists(connection: Connection, table: Table, project: str, id_: str) -> bool:
    """Whether the project has the object."""
    return _find(connection, table, "seq", project, id_, NOWHERE) is not None


def missing(table: Table, id_: str) -> NotFound:
    """The error for an id that this project does not have."""
    if table.name == "files":
        return NotFound(f"No such File object: {id_}", param="id")
    if table.name == "fine_tuning_jobs":
        text = f"Could not find fine tune: {id_}"
        return NotFound(text, param="fine_tuning_job_id", code="fine_tune_not_found")
    if table.name == "vector_stores":
        return NotFound(f"Vector store with id {id_} not found.", param="vector_store_id")
    if table.name == "vector_store_files":
        store, _, file = id_.partition("/")
        return NotFound(f"No file found with id '{file}' in vector store '{store}'.", param="file_id")
    return NotFound(f"No {NOUNS[table.name]} found with id '{id_}'.")


@contextmanager
def named_by(param: str) -> Iterator[None]:
    """What is not found in here is what this parameter of the request names."""
    try:
        yield
    except NotFound as error:
        raise NotFound(error.message, param=param) from error


def replace(connection: Connection, table: Table, item: Any) -> None:
    """Overwrite the body of an object that exists."""
    _replace(table)(connection, {"key": item.id, "new_body": item.model_dump_json()})


def remove(connection: Connection, table: Table, project: str, id_: str, where: Mapping[str, str] = NOWHERE) -> None:
    """Delete the object, or raise NotFound."""
    query = delete(table).where(table.c.project_id == project, table.c.id == id_)
    for column, value in where.items():
        query = query.where(table.c[column] == value)
    if connection.execute(query).rowcount == 0:
        raise missing(table, id_)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the objects of a page stand, in its order. first: as JSON those of the first READ_AT_ONCE that are there."""

    table: Table
    seqs: Sequence[int]
    first: Sequence[str]
    has_more: bool


READ_AT_ONCE = 20


def page(
    connection: Connection,
    table: Table,
    kind: type[W],
    project: str,
    params: PageParams,
    where: Mapping[str, str] = NOWHERE,
    only: Mapping[str, str] = NOWHERE,
) -> Page[W]:
    """A page of the project's objects, in the order in which they were made: of such as are small.

    only: like where, but of what may change: a cursor's object need not fit it any more.
    """
    found = places(connection, table, project, params, where, only)
    stored = [*found.first, *bodies(connection, table, found.seqs[READ_AT_ONCE:])]
    return as_page([kind.model_validate_json(body) for body in stored], has_more=found.has_more)


def places(
    connection: Connection,
    table: Table,
    project: str,
    params: PageParams,
    where: Mapping[str, str] = NOWHERE,
    only: Mapping[str, str] = NOWHERE,
) -> Places:
    """A page whose objects may be large: it is read in pieces. Otherwise like page()."""
    query = select(table.c.seq).where(table.c.project_id == project)
    for column, value in (*where.items(), *only.items()):
        query = query.where(table.c[column] == value)
    forward = params.order == "asc"
    for cursor, newer in ((params.after, forward), (params.before, not forward)):
        if cursor is not None:
            seq = seq_of(connection, table, project, cursor, where)
            query = query.where(table.c.seq > seq if newer else table.c.seq < seq)
    # With only `before`, the page is the objects nearest to it, so they are read from that end.
    backwards = params.before is not None and params.after is None
    query = query.order_by(table.c.seq.asc() if forward != backwards else table.c.seq.desc())
    return placed(connection, table, query, params.limit, backwards=backwards)


def placed(connection: Connection, table: Table, query: Any, limit: int, *, backwards: bool = False) -> Places:
    """The places of what a query for column seq finds, `limit` at most. backwards: it finds a page's last one first."""
    found = list(connection.execute(query.limit(limit + 1)).scalars())
    seqs = found[:limit][::-1] if backwards else found[:limit]
    return Places(table, seqs, bodies(connection, table, seqs[:READ_AT_ONCE]), has_more=len(found) > limit)


def bodies(connection: Connection, table: Table, seqs: Sequence[int]) -> list[str]:
    """The JSON of these, in this order, without those that are gone."""
    if not seqs:
        return []
    rows = connection.execute(select(table.c.seq, table.c.body).where(table.c.seq.in_(seqs)))
    there = {row.seq: row.body for row in rows}
    return [there[seq] for seq in seqs if seq in there]


def as_page(data: list[W], *, has_more: bool) -> Page[W]:
    """The list object around `data`, whose members have ids."""
    ids = [getattr(item, "id", None) for item in data]
    return Page[W](data=data, first_id=ids[0] if ids else None, last_id=ids[-1] if ids else None, has_more=has_more)


def _find(
    connection: Connection, table: Table, column: str, project: str, id_: str, where: Mapping[str, str]
) -> Any | None:
    if "\0" in id_:
        raise missing(table, id_)  # PostgreSQL does not even take it as a parameter
    return _by_id(table, column, tuple(where))(connection, {"project": project, "key": id_, **where}).scalar()


@cache
def _by_id(table: Table, column: str, where: tuple[str, ...]) -> Prepared:
    query = select(table.c[column]).where(table.c.project_id == bindparam("project"), table.c.id == bindparam("key"))
    return prepared(query.where(*(table.c[name] == bindparam(name) for name in where)))


@cache
def _insert(table: Table, columns: tuple[str, ...]) -> Prepared:
    return prepared(table.insert().values({name: bindparam(name) for name in columns}))


@cache
def _replace(table: Table) -> Prepared:
    return prepared(update(table).where(table.c.id == bindparam("key")).values(body=bindparam("new_body")))


def seq_of(connection: Connection, table: Table, project: str, id_: str, where: Mapping[str, str] = NOWHERE) -> int:
    """Where the object stands among the others, for cursors; NotFound if there is none."""
    seq = _find(connection, table, "seq", project, id_, where)
    if seq is None:
        raise missing(table, id_)
    return int(seq)
