"""`zhuli audit-log`: who did what, when and from where, as a table or as JSON Lines; from the database, of all projects."""

import time
from datetime import UTC, datetime
from pathlib import Path

import orjson
from rich.markup import escape
from rich.table import Table

from zhuli.core.errors import ConfigurationError
from zhuli.operating.in_database import in_database
from zhuli.operating.terminal import table
from zhuli.settings import Settings
from zhuli.store import audit_log, projects
from zhuli.store.audit_log import Wanted
from zhuli.store.database import Database
from zhuli.types.audit_log import AuditLogEntry

_DAY = 86_400
_SHOWN = 1000
"""Entries of a table; an export has all."""


async def shown(settings: Settings, *, days: int, project: str | None) -> Table:
    """The newest entries of the last days, newest first. Times are UTC."""
    made = table("When (UTC)", "What", "To what", "Who", "From where", "Project")
    async with in_database(settings) as database:
        found, _ = await database.run(audit_log.page, await _wanted(database, days, project), limit=_SHOWN)
    for one in found:
        when = datetime.fromtimestamp(one.effective_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        owner = one.project.name or one.project.id if one.project else ""
        cells = (one.type, one.resource, one.who or "anybody (no keys)", _place(one), owner)
        made.add_row(when, *map(escape, cells))
    return made


async def export_to(settings: Settings, path: Path, *, days: int, project: str | None) -> int:
    """Write the entries of the last days, oldest first, a line each; how many. ConfigurationError where that can't be."""
    count, behind = 0, 0
    try:
        with path.open("wb") as file:
            async with in_database(settings) as database:
                wanted = await _wanted(database, days, project)
                while found := await database.run(audit_log.oldest, wanted, behind=behind):
                    file.writelines(orjson.dumps(one.shown()) + b"\n" for _, one in found)
                    count, behind = count + len(found), found[-1][0]
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error.strerror}.") from error
    return count


async def _wanted(database: Database, days: int, project: str | None) -> Wanted:
    own = None if project is None else await database.run(projects.named, project)
    return Wanted(project=own, since=time.time() - days * _DAY)


def _place(one: AuditLogEntry) -> str:
    return f"zhuli {one.command}" if one.command else (one.actor.session.ip_address or "")
