"""Thresholds of moderation that a project has set: a row a project, absent where it has set none."""

import orjson
from sqlalchemy import Connection, delete, insert, select

from zhuli.store.schema import moderation_thresholds


def read(connection: Connection, project: str) -> dict[str, float]:
    """The project's own thresholds by category; empty where it has none."""
    query = select(moderation_thresholds.c.body).where(moderation_thresholds.c.project_id == project)
    body = connection.execute(query).scalar()
    found: dict[str, float] = orjson.loads(body) if body else {}
    return found


def write(connection: Connection, project: str, own: dict[str, float]) -> None:
    """Put these in the place of the project's thresholds."""
    connection.execute(delete(moderation_thresholds).where(moderation_thresholds.c.project_id == project))
    if own:
        values = {"project_id": project, "body": orjson.dumps(own).decode()}
        connection.execute(insert(moderation_thresholds).values(values))
