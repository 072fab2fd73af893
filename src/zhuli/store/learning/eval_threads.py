"""Which threads an eval's run takes its items from, and what people found of what was said in them."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select

from zhuli.core.errors import NotFound
from zhuli.store.learning import conversations
from zhuli.store.schema import feedback, threads

_AT_ONCE = 500


def chosen(
    connection: Connection, project: str, *, ids: Sequence[str] | None, metadata: Mapping[str, str], most: int
) -> list[str]:
    """Ids of the newest `most` threads with all of this metadata, oldest first; of `ids`, if given, all in their order.

    NotFound names an id that the project does not have.
    """
    if ids is not None:
        return [_known(connection, project, thread_id) for thread_id in ids]
    return conversations.newest_threads(connection, project, most=most, metadata=metadata)[::-1]


def verdicts(connection: Connection, project: str, message_ids: Sequence[str]) -> dict[str, bool]:
    """Whether people found these messages good, by the most of their feedback; those of whom they said neither are left out.

    Signals don't count, nor what reviewers rejected or argue about. A correction says that it was not good.
    """
    votes: dict[str, int] = {}
    for at in range(0, len(message_ids), _AT_ONCE):
        query = select(feedback.c.target_id, feedback.c.body).where(
            feedback.c.project_id == project,
            feedback.c.target_type == "message",
            feedback.c.target_id.in_(message_ids[at : at + _AT_ONCE]),
            feedback.c.source != "signal",
            feedback.c.state != "rejected",
        )
        for target, body in connection.execute(query):
            votes[target] = votes.get(target, 0) + _vote(orjson.loads(body))
    return {message: number > 0 for message, number in votes.items() if number}


def _vote(body: Mapping[str, Any]) -> int:
    if body.get("disagreement"):
        return 0
    if body.get("correction") is not None or body.get("verdict") == "down" or (body.get("grade") or 3) < 3:
        return -1
    return 1 if body.get("verdict") == "up" or (body.get("grade") or 3) > 3 else 0


def _known(connection: Connection, project: str, thread_id: str) -> str:
    query = select(threads.c.id).where(threads.c.project_id == project, threads.c.id == thread_id)
    if "\0" in thread_id or connection.execute(query).scalar() is None:
        raise NotFound(f"No thread found with id '{thread_id}'.", param="data_source.source.ids")
    return thread_id
