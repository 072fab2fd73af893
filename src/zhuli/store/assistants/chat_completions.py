"""Chat completions that clients had stored, with the messages that they answer and metadata to find them by."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, delete, exists, insert, select

from zhuli.store import collections
from zhuli.store.collections import Places
from zhuli.store.schema import chat_completion_metadata as pairs
from zhuli.store.schema import chat_completions as table
from zhuli.types.models.chat import ChatCompletion
from zhuli.types.page import PageParams

_LONGEST_MODEL = 255
"""Characters of a model's name by which its completions are found."""

_LONGEST_USER = 256
_SWEPT = 100
"""Completions that are forgotten in one transaction."""


def add(
    connection: Connection,
    project: str,
    completion: ChatCompletion,
    messages: Sequence[dict[str, Any]],
    *,
    user: str | None,
) -> ChatCompletion:
    """The completion, which is stored from now on; its metadata is not None. messages: those that it answers; user: whom."""
    columns = {
        "model": _findable(completion.model),
        "created_at": completion.created,
        "messages": orjson.dumps(messages).decode(),
        "end_user": None if user is None else user.replace("\0", "")[:_LONGEST_USER],
    }
    collections.insert(connection, table, project, completion, columns)
    _write_pairs(connection, completion)
    return completion


def places(
    connection: Connection, project: str, params: PageParams, *, model: str | None, metadata: Mapping[str, str]
) -> Places:
    """Those of this model with all of this metadata, oldest or newest first."""
    query = select(table.c.seq).where(table.c.project_id == project)
    if model is not None:
        query = query.where(table.c.model == _findable(model))
    for key, value in metadata.items():
        query = query.where(
            exists().where(pairs.c.completion_id == table.c.id, pairs.c.key == key, pairs.c.value == value)
        )
    forward = params.order == "asc"
    if params.after is not None:
        seq = collections.seq_of(connection, table, project, params.after)
        query = query.where(table.c.seq > seq if forward else table.c.seq < seq)
    query = query.order_by(table.c.seq.asc() if forward else table.c.seq.desc())
    return collections.placed(connection, table, query, params.limit)


def get(connection: Connection, project: str, id_: str) -> ChatCompletion:
    """The completion, or NotFound."""
    return collections.get(connection, table, ChatCompletion, project, id_)


def messages(connection: Connection, project: str, id_: str) -> list[dict[str, Any]]:
    """The messages that it answers, oldest first; NotFound if there is no such completion."""
    get(connection, project, id_)
    found = connection.execute(select(table.c.messages).where(table.c.id == id_)).scalar_one()
    read: list[dict[str, Any]] = orjson.loads(found)
    return read


def modify(connection: Connection, project: str, id_: str, metadata: dict[str, str]) -> ChatCompletion:
    """Overwrite the metadata."""
    modified = get(connection, project, id_).model_copy(update={"metadata": metadata})
    collections.replace(connection, table, modified)
    connection.execute(delete(pairs).where(pairs.c.completion_id == id_))
    _write_pairs(connection, modified)
    return modified


def remove(connection: Connection, project: str, id_: str) -> None:
    """Delete it with its messages, or raise NotFound."""
    collections.remove(connection, table, project, id_)
    connection.execute(delete(pairs).where(pairs.c.completion_id == id_))


def forget(connection: Connection, *, before: float) -> int:
    """Delete some of those that were made before; how many it were."""
    old = select(table.c.id).where(table.c.created_at < int(before)).order_by(table.c.created_at).limit(_SWEPT)
    ids = list(connection.execute(old).scalars())
    if ids:
        connection.execute(delete(pairs).where(pairs.c.completion_id.in_(ids)))
        connection.execute(delete(table).where(table.c.id.in_(ids)))
    return len(ids)


def _write_pairs(connection: Connection, completion: ChatCompletion) -> None:
    rows = [
        {"completion_id": completion.id, "key": key, "value": value}
        for key, value in (completion.metadata or {}).items()
        if "\0" not in key + value  # which no query can have, and PostgreSQL does not take
    ]
    if rows:
        connection.execute(insert(pairs), rows)


def _findable(model: str) -> str:
    """What the column takes: by a pattern of the models file any name may be asked for."""
    return model.replace("\0", "")[:_LONGEST_MODEL]
