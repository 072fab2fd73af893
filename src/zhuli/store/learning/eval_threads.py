"""Which threads an eval's run takes its items from."""

from collections.abc import Mapping, Sequence

import orjson
from sqlalchemy import Connection, select

from zhuli.core.errors import NotFound
from zhuli.store.schema import threads

_AT_ONCE = 500
MARK = "eval_run"
"""In the metadata of threads on which evals ask assistants: they are nobody's conversations."""


def chosen(
    connection: Connection, project: str, *, ids: Sequence[str] | None, metadata: Mapping[str, str], most: int
) -> list[str]:
    """Ids of the newest `most` threads with all of this metadata, oldest first; of `ids`, if given, all in their order.

    NotFound names an id that the project does not have.
    """
    if ids is not None:
        return [_known(connection, project, thread_id) for thread_id in ids]
    found: list[str] = []
    query = select(threads.c.seq, threads.c.id, threads.c.body).where(threads.c.project_id == project)
    query = query.order_by(threads.c.seq.desc()).limit(_AT_ONCE)
    rows = connection.execute(query).all()
    while rows and len(found) < most:
        for row in rows:
            has = orjson.loads(row.body).get("metadata") or {}
            if MARK not in has and all(has.get(key) == value for key, value in metadata.items()):
                found.append(row.id)
        rows = connection.execute(query.where(threads.c.seq < rows[-1].seq)).all()
    return found[:most][::-1]


def _known(connection: Connection, project: str, thread_id: str) -> str:
    query = select(threads.c.id).where(threads.c.project_id == project, threads.c.id == thread_id)
    if "\0" in thread_id or connection.execute(query).scalar() is None:
        raise NotFound(f"No thread found with id '{thread_id}'.", param="data_source.source.ids")
    return thread_id
