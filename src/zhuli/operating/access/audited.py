"""What commands did goes into the audit log, in the transaction that does it."""

import getpass
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from zhuli.core.clock import SystemClock
from zhuli.store import audit_log
from zhuli.store.database import Database
from zhuli.types.audit_log import AuditLogEntry, at_terminal, entry

P = ParamSpec("P")
R = TypeVar("R")

Told = tuple[str, str | None, dict[str, Any]]
"""The type of an entry, the project, and details."""


async def audited(
    database: Database,
    command: str,
    tell: Callable[[R], list[Told]],
    function: Callable[Concatenate[Connection, P], R],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """Do it, and write down what was done. tell: of what the function gives, the entries."""

    def both(connection: Connection) -> R:
        result = function(connection, *args, **kwargs)
        for one in tell(result):
            audit_log.append(connection, made(command, one))
        return result

    return await database.run(both)


async def note(database: Database, command: str, told: Told) -> None:
    """Write down what was done in transactions of its own."""
    await database.run(audit_log.append, made(command, told))


def made(command: str, told: Told) -> AuditLogEntry:
    """An entry of whoever is at the terminal."""
    type_, project, details = told
    actor = at_terminal(_account())
    return entry(type_, at=SystemClock().now(), actor=actor, project=project, details=details, command=command)


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # of a container whose account has no name
        return "unknown"
