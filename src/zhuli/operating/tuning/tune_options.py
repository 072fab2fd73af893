"""From the options of `zhuli tune` to the folder of a new tuning: hyperparameters, a search, its space, workers.

Each mistake is a ConfigurationError that says how it is written. Loads nothing heavy, so that mistakes are told at once.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zhuli.core.errors import ConfigurationError
from zhuli.learning.training import new_folder
from zhuli.settings import Settings
from zhuli.types.learning.hyperparameters import Search, Workers


@dataclass(frozen=True, slots=True)
class Asked:
    """A new tuning, as the options say it."""

    task: str | None
    base: str | None
    train: Path | None
    validation: Path | None
    test: Path | None
    hyperparameters: dict[str, Any]
    search: Search | None
    workers: Workers | None
    format: str
    columns: dict[str, str]
    language: str | None
    seed: int
    threads: int

    def spec(self) -> dict[str, Any]:
        """The fields of a tuning's spec, without those of the data."""
        for option, value in (("--task", self.task), ("--base", self.base), ("--train", self.train)):
            if value is None:
                raise ConfigurationError(f"{option} is missing. A new tuning has --task, --base and --train.")
        return {
            "task": self.task,
            "base": new_folder.base_of(str(self.base)),
            "sources": {"format": self.format, "columns": self.columns},
            "hyperparameters": self.hyperparameters,
            "search": self.search,
            "workers": self.workers,
            "language": self.language,
            "seed": self.seed,
            "threads": self.threads,
        }


def new(asked: Asked, folder: Path | None, settings: Settings) -> Path:
    """Make the folder of a new tuning."""
    moment = datetime.now().strftime("%Y%m%d-%H%M%S")
    place = folder or settings.data_dir / "tunings" / f"{asked.task}-{moment}"
    spec = {
        **asked.spec(),
        "data_dir": str(settings.data_dir.resolve()),
        "models_file": None if settings.models is None else str(settings.models.resolve()),
    }
    new_folder.write(place, spec, {"train": asked.train, "validation": asked.validation, "test": asked.test})
    return place


def settings_of(pairs: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE, each; "lora.rank=4" is one inside lora. Values are JSON, or else text."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, value = _pair(pair, "--set learning_rate=3e-5")
        outer, _, inner = name.rpartition(".")
        (settings.setdefault(outer, {}) if outer else settings)[inner] = _value(value)
    return settings


def columns_of(pairs: Sequence[str]) -> dict[str, str]:
    """FIELD=COLUMN, each: the task's field and the file's column."""
    return dict(_pair(pair, "--column text=sentence") for pair in pairs)


def search_of(text: str | None, space: Sequence[str]) -> Search | None:
    """ "trials=20,minutes=30" with the space's NAME=CHOICES or NAME=RANGE; None when neither is given."""
    if text is None and not space:
        return None
    given = {name: _value(value) for name, value in (_pair(part, "--search trials=20") for part in _parts(text or ""))}
    try:
        return Search(**given, space=dict(_dimension(entry) for entry in space))
    except ValidationError as error:
        first = error.errors()[0]
        name = first["loc"][0]
        if first["type"] == "extra_forbidden":
            known = ", ".join(known for known in Search.model_fields if known != "space")
            raise ConfigurationError(f"--search has no '{name}'. There are: {known}.") from error
        raise ConfigurationError(f"--search: '{name}' can't be {first['input']!r}: {first['msg']}.") from error


def workers_of(text: str | None) -> Workers | None:
    """ "2" on this machine, "8@ADDRESS" on a Ray cluster."""
    if text is None:
        return None
    number, _, address = text.partition("@")
    try:
        return Workers(number=int(number), address=address or "local")
    except ValueError as error:
        raise ConfigurationError(f"--workers is a number from 1 to 64, or NUMBER@ADDRESS, not {text!r}.") from error


def _dimension(entry: str) -> tuple[str, Any]:
    """ "batch_size=8,16" or "learning_rate=1e-5..1e-3"; ranges over more than a factor of ten are logarithmic."""
    name, text = _pair(entry, "--space learning_rate=1e-5..1e-3 or --space batch_size=8,16")
    ends = re.fullmatch(r"(.+)\.\.(.+)", text)
    if ends is None:
        return name, [_value(part) for part in _parts(text)]
    low, high = (_value(end) for end in ends.groups())
    if isinstance(low, str) or isinstance(high, str):
        raise ConfigurationError(f"--space {name}: a range is two numbers, like 1e-5..1e-3, not {text!r}.")
    return name, {"low": low, "high": high, "log": low > 0 and high / low > 10}


def _pair(text: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (equals and name.strip() and value.strip()):
        raise ConfigurationError(f"{text!r} is not NAME=VALUE. An example: {example}.")
    return name.strip(), value.strip()


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
