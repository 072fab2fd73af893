"""API keys for the terminal: never the keys themselves, which only their owners have."""

from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from zhuli.operating.terminal import table
from zhuli.store.projects import ApiKey


def keys_table(keys: list[tuple[ApiKey, str]]) -> Table:
    """One line a key, oldest first."""
    made = table("Key", "Begins and ends with", "Made (UTC)", "Project")
    for key, project in keys:
        when = datetime.fromtimestamp(key.created_at, UTC).strftime("%Y-%m-%d %H:%M")
        made.add_row(key.id, key.hint, when, escape(project))
    return made
