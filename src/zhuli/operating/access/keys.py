"""Make, list, rotate and revoke API keys, directly in the database; a running server notices within seconds."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite

from zhuli.core.clock import SystemClock
from zhuli.core.errors import ConfigurationError
from zhuli.operating.access.audited import Told, audited
from zhuli.operating.in_database import in_database
from zhuli.settings import Settings
from zhuli.store import limits as limits_set
from zhuli.store import projects
from zhuli.store.limits import Limits
from zhuli.store.projects import SCOPES, Scope

DAY = 86_400.0
MOST_DAYS = 36_500
"""A century: what is longer is a slip."""


async def create(
    settings: Settings,
    project: str,
    *,
    name: str | None,
    scopes: Collection[Scope],
    expires_at: float | None,
    limits: Limits = {},  # noqa: B006
) -> str:
    """A new key that opens the project of this name, which is made if there is none. expires_at: seconds since 1970."""
    now = SystemClock().now()
    async with in_database(settings) as database:
        _, secret = await audited(
            database,
            "keys create",
            lambda made: [_created(made[0], limits)],
            projects.create_key,
            project,
            now=now,
            name=name,
            scopes=scopes,
            expires_at=expires_at,
            limits=limits,
        )
        return secret


async def listed(settings: Settings) -> tuple[list[tuple[projects.ApiKey, str]], Mapping[str, Limits]]:
    """Every key with the name of its project; and the limits that are set, by the id of a key or a project."""
    async with in_database(settings) as database:
        return await database.run(projects.list_keys), await database.run(limits_set.every)


async def rotate(settings: Settings, key_id: str, *, grace_hours: float) -> str:
    """A new key in the place of this one, which opens for some hours more."""
    async with in_database(settings) as database:
        seconds = grace_hours * DAY / 24
        _, secret = await audited(
            database,
            "keys rotate",
            lambda made: [
                _created(made[0], {}),
                (
                    "api_key.updated",
                    made[0].project,
                    {"id": key_id, "changes_requested": {"expires_in_seconds": int(seconds)}},
                ),
            ],
            projects.rotate_key,
            key_id,
            now=SystemClock().now(),
            grace=seconds,
        )
        return secret


async def revoke(settings: Settings, key_id: str) -> int:
    """The key opens nothing any more; how many are left that do."""
    async with in_database(settings) as database:
        project = await database.run(projects.project_of, key_id)
        return await audited(
            database,
            "keys revoke",
            lambda _: [("api_key.deleted", project, {"id": key_id})],
            projects.revoke_key,
            key_id,
            now=SystemClock().now(),
        )


def _created(key: projects.ApiKey, limits: Limits) -> Told:
    data = {"scopes": sorted(key.scopes), "name": key.name, "expires_at": key.expires_at, "limits": dict(limits)}
    return "api_key.created", key.project, {"id": key.id, "data": data}


def scopes_of(words: Sequence[str]) -> list[Scope]:
    """The scopes of these names, separate or joined by commas; ConfigurationError for what is none."""
    names = [name.strip() for word in words for name in word.split(",")]
    if wrong := [name for name in names if name not in SCOPES]:
        raise ConfigurationError(f"There is no scope '{wrong[0]}'. There are {', '.join(SCOPES)}.")
    return [scope for scope in SCOPES if scope in names]


def expiry(text: str | None, *, now: float) -> float | None:
    """When a key expires, in seconds since 1970: so many days from now, or at a time in UTC; None for never.

    ConfigurationError for what is neither, and for a time that is past.
    """
    if text is None:
        return None
    try:
        days = float(text)
    except ValueError:
        return _at(text, now=now)
    if not (isfinite(days) and 0 <= days <= MOST_DAYS):
        raise ConfigurationError(f"A key can't expire in '{text}' days. Give a number from 0 to {MOST_DAYS}.")
    return now + days * DAY


def _at(text: str, *, now: float) -> float:
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(
            f"A key can't expire at '{text}'. Give days, like 30, or a time in UTC, like 2031-05-03 or 2031-05-03T18:00."
        ) from error
    at = (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()
    if at <= now:
        raise ConfigurationError(f"A key can't expire at '{text}': that is past.")
    return at
