"""`zhuli usage`: what models were asked for, as a table; from the database, of all projects."""

import time
from datetime import UTC, datetime
from typing import get_args

from rich.markup import escape
from rich.table import Table
from sqlalchemy import Connection

from zhuli.core.errors import ConfigurationError
from zhuli.operating.in_database import in_database
from zhuli.operating.terminal import table
from zhuli.settings import Settings
from zhuli.store import projects, usage
from zhuli.store.usage import DAY, GROUPS, HOUR, Asked, Kind, Used

_GROUPS = {"project": "project_id", "key": "api_key_id", "model": "model"}


async def used(settings: Settings, *, days: int, by: str, hourly: bool, project: str | None) -> Table:
    """Of the last days, today among them, a line for each day or hour (UTC), kind and group.

    by: project, key and model, joined by commas. ConfigurationError for another word.
    """
    groups = _groups(by)
    width = HOUR if hourly else DAY
    end = int(time.time()) + 1
    start = end - end % DAY - (days - 1) * DAY
    async with in_database(settings) as database:
        return await database.run(_table, start, end, width, groups, project)


def _groups(by: str) -> list[str]:
    words = [word.strip() for word in by.split(",") if word.strip()]
    if wrong := [word for word in words if word not in _GROUPS]:
        raise ConfigurationError(f"Usage can't be grouped by '{wrong[0]}'. It can by {', '.join(_GROUPS)}.")
    return [name for name in GROUPS if name in {_GROUPS[word] for word in words}]


def _table(connection: Connection, start: int, end: int, width: int, groups: list[str], project: str | None) -> Table:
    own = None if project is None else projects.named(connection, project)
    made = table(
        "From (UTC)", "Kind", *(name.removesuffix("_id") for name in groups), "Requests", "In", "Cached", "Out"
    )
    names: dict[str, str] = {}
    found: list[tuple[Used, Kind]] = [
        (one, kind)
        for kind in get_args(Kind)
        for one in usage.used(connection, Asked(kind, start, end, width, project=own, groups=groups))
    ]
    for one, kind in sorted(found, key=lambda pair: pair[0].bucket):
        if (of := one.group.get("project_id")) is not None and of not in names:
            names[of] = projects.name_or_id(connection, of)
        group = [escape(names.get(one.group[name], one.group[name]) or "–") for name in groups]
        counts = one.counts
        numbers = (counts.requests, counts.input_tokens, counts.cached_tokens, counts.output_tokens)
        made.add_row(_time(one.bucket, width), kind, *group, *(f"{number:,}" for number in numbers))
    return made


def _time(start: int, width: int) -> str:
    return datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%d %H:%M" if width < DAY else "%Y-%m-%d")
