"""What runs show of the models behind an alias for chats: how many, which failed, how long, what people said.

Nothing is written for it. Which of two models answered a thread is a function of the thread (core.sticky).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, select

from zhuli.store.learning.served import Votes
from zhuli.store.schema import feedback, messages, runs

_AT_ONCE = 500
_ANSWERED = ("completed", "incomplete", "failed", "expired")
"""How runs ended that say something of their model: who cancelled one said nothing."""


@dataclass(frozen=True, slots=True)
class ServedRun:
    """at: when it was made. seconds: from its start to its end."""

    id: str
    thread: str
    at: float
    seconds: float
    error: bool


def lately(connection: Connection, project: str, alias: str, *, most: int) -> list[ServedRun]:
    """Runs that asked for the alias and have ended, newest first. at: when they were made."""
    query = select(runs.c.id, runs.c.thread_id, runs.c.status, runs.c.ended_at, runs.c.body).where(
        runs.c.project_id == project,
        runs.c.ended_at.is_not(None),
        runs.c.status.in_(_ANSWERED),
        runs.c.body.contains(f'"model":{orjson.dumps(alias).decode()}', autoescape=True),
    )
    found: list[ServedRun] = []
    for row in connection.execute(query.order_by(runs.c.ended_at.desc()).limit(most)):
        body = orjson.loads(row.body)
        if body["model"] == alias:
            begun = body["started_at"] or body["created_at"]
            failed = row.status in ("failed", "expired")
            found.append(ServedRun(row.id, row.thread_id, body["created_at"], max(0.0, row.ended_at - begun), failed))
    return found


def votes(connection: Connection, project: str, run_ids: Sequence[str]) -> Votes:
    """Thumbs of people on these runs and on their messages; signals and what was rejected do not count."""
    said = {"up": 0, "down": 0}
    for start in range(0, len(run_ids), _AT_ONCE):
        part = run_ids[start : start + _AT_ONCE]
        of_messages = select(messages.c.id).where(messages.c.run_id.in_(part))
        query = select(feedback.c.body).where(
            feedback.c.project_id == project,
            feedback.c.source != "signal",
            feedback.c.state != "rejected",
            feedback.c.target_id.in_(part) | feedback.c.target_id.in_(of_messages),
        )
        for body in connection.execute(query).scalars():
            verdict = orjson.loads(body)["verdict"]
            if verdict is not None:
                said[verdict] += 1
    return Votes(said["up"], said["down"])
