"""API keys for the terminal: never the keys themselves, which only their owners have."""

from collections.abc import Mapping
from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from zhuli.operating.access.limits import told
from zhuli.operating.terminal import table
from zhuli.settings import Settings
from zhuli.store.limits import Limits
from zhuli.store.projects import ApiKey


def keys_table(
    keys: list[tuple[ApiKey, str]], limits: Mapping[str, Limits], settings: Settings, *, now: float
) -> Table:
    """One line a key, oldest first. Times are UTC. limits: those that are set, by key and project; else the settings' hold."""
    made = table("Key", "Name", "Begins and ends with", "Project", "Scopes", "Limits", "Made", "Last used", "Opens")
    for key, project in keys:
        scopes = " ".join(sorted(key.scopes))
        times = (_time(key.created_at), _time(key.used_at) or "never", _opens(key, now))
        made.add_row(
            key.id, escape(key.name or ""), key.hint, escape(project), scopes, _limits(key, limits, settings), *times
        )
    return made


def _limits(key: ApiKey, limits: Mapping[str, Limits], settings: Settings) -> str:
    own = told({**settings.key_limits, **limits.get(key.id, {})})
    together = told({**settings.project_limits, **limits.get(key.project, {})})
    return "; ".join(filter(None, (own, together and f"project: {together}"))) or "none"


def _opens(key: ApiKey, now: float) -> str:
    if key.revoked_at is not None:
        return f"no: revoked {_time(key.revoked_at)}"
    if key.expires_at is None:
        return "yes"
    return f"until {_time(key.expires_at)}" if now < key.expires_at else f"no: expired {_time(key.expires_at)}"


def _time(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
