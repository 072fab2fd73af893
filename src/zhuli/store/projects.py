"""Projects and their API keys. Of a key only its SHA-256 is kept: a key holds 142 random bits, so no slow hash is needed."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from sqlalchemy import Connection, insert, select, update

from zhuli.core.errors import NotFound
from zhuli.core.ids import new_id
from zhuli.store.limits import Limits
from zhuli.store.limits import every as all_limits
from zhuli.store.limits import put as put_limits
from zhuli.store.schema import api_keys, projects

DEFAULT_PROJECT = "proj_default"
"""The project of a server without keys."""


Scope = Literal["read", "write", "admin", "feedback"]
"""read: look, search, ask models for labels and vectors. write: everything that makes, changes or runs. admin: also what an
operator does: deleting models, moving aliases. Each has what those before it have. feedback stands for itself: giving
feedback and nothing else, for apps in the hands of end users; write and admin may do that too."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

_GRANTED_BY: dict[Scope, frozenset[Scope]] = {
    "read": frozenset(("read", "write", "admin")),
    "write": frozenset(("write", "admin")),
    "admin": frozenset(("admin",)),
    "feedback": frozenset(("feedback", "write", "admin")),
}


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key; `hint` is its beginning and end. Times are seconds since 1970."""

    id: str
    project: str
    hint: str
    created_at: float
    name: str | None = None
    scopes: frozenset[str] = frozenset(("admin",))
    expires_at: float | None = None
    used_at: float | None = None
    revoked_at: float | None = None

    def opens(self, now: float) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def may(self, scope: Scope) -> bool:
        return bool(_GRANTED_BY[scope] & self.scopes)


def ensure_default(connection: Connection, *, now: float) -> None:
    """The default project exists."""
    if connection.execute(select(projects.c.id).where(projects.c.id == DEFAULT_PROJECT)).scalar() is None:
        connection.execute(insert(projects), {"id": DEFAULT_PROJECT, "name": "default", "created_at": now})


def create_key(
    connection: Connection,
    project_name: str,
    *,
    now: float,
    name: str | None = None,
    scopes: Collection[str] = ("admin",),
    expires_at: float | None = None,
    limits: Limits = {},  # noqa: B006
) -> tuple[ApiKey, str]:
    """Make a key for the project of this name, and the project if there is none; the key itself is given only here."""
    project = connection.execute(select(projects.c.id).where(projects.c.name == project_name)).scalar()
    if project is None:
        project = new_id("proj")
        connection.execute(insert(projects), {"id": project, "name": project_name, "created_at": now})
    key = ApiKey(new_id("key"), project, "", now, name, frozenset(scopes), expires_at)
    put_limits(connection, key.id, limits)
    return _insert(connection, key)


def rotate_key(connection: Connection, key_id: str, *, now: float, grace: float) -> tuple[ApiKey, str]:
    """A new key in the place of another one, which opens for `grace` seconds more. NotFound if there is none that opens."""
    old = _open_key(connection, key_id, now)
    until = now + grace if old.expires_at is None else min(old.expires_at, now + grace)
    connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(expires_at=until))
    new = replace(old, id=new_id("key"), created_at=now, used_at=None)
    put_limits(connection, new.id, all_limits(connection).get(old.id, {}))
    return _insert(connection, new)


def _insert(connection: Connection, key: ApiKey) -> tuple[ApiKey, str]:
    secret = new_id("sk")
    key = replace(key, hint=f"{secret[:6]}…{secret[-4:]}")
    row = {
        "id": key.id,
        "project_id": key.project,
        "hint": key.hint,
        "digest": _digest(secret),
        "created_at": key.created_at,
        "name": key.name,
        "scopes": " ".join(sorted(key.scopes)),
        "expires_at": key.expires_at,
    }
    connection.execute(insert(api_keys), row)
    return key, secret


def list_keys(connection: Connection) -> list[tuple[ApiKey, str]]:
    """Every key with the name of its project, oldest first; those that open nothing any more too."""
    query = select(api_keys, projects.c.name.label("project")).join(projects, projects.c.id == api_keys.c.project_id)
    rows = connection.execute(query.order_by(api_keys.c.created_at))
    return [(_key(row), row.project) for row in rows]


def revoke_key(connection: Connection, key_id: str, *, now: float) -> int:
    """The key opens nothing any more; how many are left that open something."""
    _open_key(connection, key_id, now)
    connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=now))
    return sum(_key(row).opens(now) for row in connection.execute(select(api_keys)))


def project_of(connection: Connection, key_id: str) -> str:
    """The project that a key opens or opened; NotFound."""
    found = connection.execute(select(api_keys.c.project_id).where(api_keys.c.id == key_id)).scalar()
    if found is None:
        raise NotFound(f"No API key found with id '{key_id}'.")
    return str(found)


def _open_key(connection: Connection, key_id: str, now: float) -> ApiKey:
    row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).first()
    if row is None or not (key := _key(row)).opens(now):
        raise NotFound(f"No API key found with id '{key_id}'.")
    return key


def _key(row: Any) -> ApiKey:
    return ApiKey(
        row.id,
        row.project_id,
        row.hint,
        row.created_at,
        row.name,
        frozenset(row.scopes.split()),
        row.expires_at,
        row.used_at,
        row.revoked_at,
    )


def name_of(connection: Connection, project: str) -> str:
    return str(connection.execute(select(projects.c.name).where(projects.c.id == project)).scalar_one())


def name_or_id(connection: Connection, project: str) -> str:
    """The name of a project; of one that is gone its id."""
    return str(connection.execute(select(projects.c.name).where(projects.c.id == project)).scalar() or project)


def named(connection: Connection, name: str) -> str:
    """The id of the project of this name, the oldest if there are several."""
    query = select(projects.c.id).where(projects.c.name == name).order_by(projects.c.created_at).limit(1)
    found = connection.execute(query).scalar()
    if found is None:
        raise NotFound(f"There is no project '{name}'.")
    return str(found)


def had_keys(connection: Connection) -> bool:
    """Whether there is or ever was a key: from then on nobody comes in without one."""
    return connection.execute(select(api_keys.c.id).limit(1)).scalar() is not None


def key_of(connection: Connection, secret: str, *, now: float) -> ApiKey | None:
    """The key, if it opens something."""
    row = connection.execute(select(api_keys).where(api_keys.c.digest == _digest(secret))).first()
    return key if row is not None and (key := _key(row)).opens(now) else None


def used(connection: Connection, key_id: str, *, now: float) -> None:
    """Note when a key was used last."""
    connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(used_at=now))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
