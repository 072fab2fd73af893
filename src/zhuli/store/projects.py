"""Projects and their API keys. Of a key only its SHA-256 is kept: a key holds 142 random bits, so no slow hash is needed."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from zhuli.core.errors import NotFound
from zhuli.core.ids import new_id
from zhuli.store.schema import api_keys, projects

DEFAULT_PROJECT = "proj_default"
"""The project of a server without keys."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key; `hint` is its beginning and end."""

    id: str
    project: str
    hint: str
    created_at: float


def ensure_default(connection: Connection, *, now: float) -> None:
    """The default project exists."""
    if connection.execute(select(projects.c.id).where(projects.c.id == DEFAULT_PROJECT)).scalar() is None:
        connection.execute(insert(projects), {"id": DEFAULT_PROJECT, "name": "default", "created_at": now})


def create_key(connection: Connection, project_name: str, *, now: float) -> tuple[ApiKey, str]:
    """Make a key for the project of this name, and the project if there is none; the key itself is given only here."""
    project = connection.execute(select(projects.c.id).where(projects.c.name == project_name)).scalar()
    if project is None:
        project = new_id("proj")
        connection.execute(insert(projects), {"id": project, "name": project_name, "created_at": now})
    secret = new_id("sk")
    key = ApiKey(new_id("key"), project, f"{secret[:6]}…{secret[-4:]}", now)
    row = {"id": key.id, "project_id": project, "hint": key.hint, "digest": _digest(secret), "created_at": now}
    connection.execute(insert(api_keys), row)
    return key, secret


def list_keys(connection: Connection) -> list[tuple[ApiKey, str]]:
    """Every key with the name of its project, oldest first."""
    query = select(api_keys, projects.c.name).join(projects, projects.c.id == api_keys.c.project_id)
    rows = connection.execute(query.order_by(api_keys.c.created_at))
    return [(ApiKey(row.id, row.project_id, row.hint, row.created_at), row.name) for row in rows]


def revoke_key(connection: Connection, key_id: str) -> None:
    """The key opens nothing any more."""
    if connection.execute(delete(api_keys).where(api_keys.c.id == key_id)).rowcount == 0:
        raise NotFound(f"No API key found with id '{key_id}'.")


def name_of(connection: Connection, project: str) -> str:
    return str(connection.execute(select(projects.c.name).where(projects.c.id == project)).scalar_one())


def named(connection: Connection, name: str) -> str:
    """The id of the project of this name, the oldest if there are several."""
    query = select(projects.c.id).where(projects.c.name == name).order_by(projects.c.created_at).limit(1)
    found = connection.execute(query).scalar()
    if found is None:
        raise NotFound(f"There is no project '{name}'.")
    return str(found)


def has_keys(connection: Connection) -> bool:
    return connection.execute(select(api_keys.c.id).limit(1)).scalar() is not None


def project_of(connection: Connection, secret: str) -> str | None:
    """The project that this key opens."""
    return connection.execute(select(api_keys.c.project_id).where(api_keys.c.digest == _digest(secret))).scalar()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
