"""`zhuli keys limit`: what a key or a project may use, directly in the database; a running server notices within seconds."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from zhuli.core.errors import ConfigurationError
from zhuli.core.limit_window import LIMIT_NAMES, LimitName
from zhuli.operating.access.audited import audited
from zhuli.operating.in_database import in_database
from zhuli.settings import Settings
from zhuli.store import limits, projects

Wanted = Mapping[LimitName, int | None]


async def limit(settings: Settings, whose: str, wanted: Wanted) -> Mapping[LimitName, int]:
    """Set limits of a key, by its id, or of a project, by its name; None takes one back. Those that are set then."""
    async with in_database(settings) as database:
        _, _, found = await audited(
            database,
            "keys limit",
            lambda done: [("rate_limit.updated", done[1], {"id": done[0], "changes_requested": dict(wanted)})],
            _limit,
            whose,
            wanted,
        )
        return found


def _limit(connection: Connection, whose: str, wanted: Wanted) -> tuple[str, str | None, Mapping[LimitName, int]]:
    """The subject, its project, and the limits that it has now."""
    of_key = whose.startswith("key_")
    project = projects.project_of(connection, whose) if of_key else projects.named(connection, whose)
    subject = whose if of_key else project
    limits.put(connection, subject, wanted)
    return subject, project, limits.every(connection).get(subject, {})


def limits_of(words: Sequence[str]) -> dict[LimitName, int | None]:
    """requests_per_minute=60, or =none; several may be joined by commas. ConfigurationError for what is no limit."""
    return dict(_limit_of(word.strip()) for given in words for word in given.split(",") if word.strip())


def _limit_of(word: str) -> tuple[LimitName, int | None]:
    name, _, amount = word.partition("=")
    known = next((one for one in LIMIT_NAMES if one == name.strip().replace("-", "_")), None)
    if known is None:
        raise ConfigurationError(f"There is no limit '{name.strip()}'. There are {', '.join(LIMIT_NAMES)}.")
    if amount.strip() == "none":
        return known, None
    if not (amount.strip().isascii() and amount.strip().isdigit() and 0 < int(amount) < 2**53):
        raise ConfigurationError(f"'{word}' is no limit. Give a number above 0, like {known}=600, or {known}=none.")
    return known, int(amount)


def told(found: Mapping[LimitName, int]) -> str:
    """In a few words: 600 requests/minute, 1,000,000 tokens/day."""
    named = ((name, found[name]) for name in LIMIT_NAMES if name in found)
    return ", ".join(f"{amount:,} {name.replace('_per_', '/')}" for name, amount in named)
