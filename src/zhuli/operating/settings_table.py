"""What can be set, and what is set: every setting with its value, its default and its sentence. Passwords are not shown."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from rich.markup import escape
from rich.table import Table

from zhuli.operating.terminal import table
from zhuli.settings import Settings

_PASSWORD = re.compile(r"(?<=://)([^/@:]*):([^/@]*)@")
_SECRET = re.compile(r"(?<=[?&])([^=&]*(?:key|secret|token|password)[^=&]*)=([^&]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """`name` is the one in the file; ZHULI_ and the name in capitals, with __ for the dot, is the variable."""

    name: str
    value: str
    default: str
    sentence: str

    @property
    def variable(self) -> str:
        return f"ZHULI_{self.name.upper().replace('.', '__')}"

    @property
    def changed(self) -> bool:
        return self.value != self.default


def settings_table(settings: Settings) -> Table:
    """For the terminal; what is not at its default stands out."""
    made = table("Setting", "Value", "Default", "What it is")
    for row in rows(settings):
        value = f"[bold green]{escape(row.value)}[/]" if row.changed else escape(row.value)
        made.add_row(row.name, value, escape(row.default), escape(row.sentence))
    return made


def rows(settings: BaseModel, prefix: str = "") -> Iterator[Row]:
    """Every setting, those of inner tables by their dotted names."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from rows(value, f"{prefix}{name}.")
        else:
            default = field.get_default(call_default_factory=True)
            yield Row(f"{prefix}{name}", _shown(value), _shown(default), field.description or "")


def masked(url: str) -> str:
    """The URL without its password, and without the secrets in its query."""
    return _SECRET.sub(r"\1=***", _PASSWORD.sub(r"\1:***@", url))


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):  # of tools, whose settings may be secrets: their names
        return ", ".join(value) or "{}"
    return f"{value:g}" if isinstance(value, float) else masked(str(value))
