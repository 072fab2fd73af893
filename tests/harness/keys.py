"""Keys of every kind for a server that runs, made at once: by the command each takes a second."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection

from tests.harness.server import Server
from zhuli.core.hints import Hints
from zhuli.store import projects
from zhuli.store.opening import open_database


def make(server: Server, project: str, scopes: Iterable[str]) -> dict[str, str]:
    """A key for the project with each of these scopes, by its scope."""

    def add(connection: Connection) -> dict[str, str]:
        return {scope: projects.create_key(connection, project, now=time.time(), scopes=[scope])[1] for scope in scopes}

    made: dict[str, str] = _in_database(server, add)
    return made


def make_closed(server: Server, project: str) -> dict[str, str]:
    """Keys for the project that open nothing any more, by why."""

    def add(connection: Connection) -> dict[str, str]:
        now = time.time()
        _, expired = projects.create_key(connection, project, now=now, expires_at=now - 1)
        key, revoked = projects.create_key(connection, project, now=now)
        projects.revoke_key(connection, key.id, now=now)
        key, rotated = projects.create_key(connection, project, now=now)
        projects.rotate_key(connection, key.id, now=now, grace=0)
        return {"expired": expired, "revoked": revoked, "rotated": rotated}

    made: dict[str, str] = _in_database(server, add)
    return made


def revoke(server: Server, secret: str) -> None:
    """The key opens nothing any more."""

    def close(connection: Connection) -> None:
        key = projects.key_of(connection, secret, now=time.time())
        assert key is not None
        projects.revoke_key(connection, key.id, now=time.time())

    _in_database(server, close)


def _in_database(server: Server, call: Callable[[Connection], Any]) -> Any:
    async def run() -> Any:
        database = open_database(server.database_url, Hints())
        try:
            return await database.run(call)
        finally:
            await database.aclose()

    return asyncio.run(run())
