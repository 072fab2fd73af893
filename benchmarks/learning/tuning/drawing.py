"""Draw parts out of records, with the splitter that tunings use."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from zhuli.learning.training.data.finding import Finding
from zhuli.learning.training.data.reading import records
from zhuli.learning.training.data.report import Part
from zhuli.learning.training.data.splitting import split
from zhuli.types.learning.hyperparameters import TaskName
from zhuli.types.learning.tuning import DataFormat

Fields = dict[str, Any]
Parts = dict[Part, list[Fields]]


def read(
    path: Path, task: TaskName, format: DataFormat = "auto", columns: Mapping[str, str] | None = None
) -> list[Fields]:
    """The entries of a file that can be read."""
    entries = records(path, format, columns or {}, task=task)
    return [entry.fields for entry in entries if not isinstance(entry, Finding)]


def drawn(
    whole: list[Fields],
    shares: Mapping[Part, float],
    *,
    text: Callable[[Fields], str],
    labels: Callable[[Fields], list[str]] = lambda _: [],
    group: Callable[[Fields], str] = lambda _: "",
    seed: int,
) -> Parts:
    """Parts of these shares, and what is left as train."""
    indexes = split(
        [text(one) for one in whole],
        [group(one) for one in whole],
        [labels(one) for one in whole],
        shares=shares,
        seed=seed,
    )
    return {part: [whole[index] for index in chosen] for part, chosen in indexes.items()}


def of_label(one: Fields) -> list[str]:
    return [str(one["label"])]


def of_text(one: Fields) -> str:
    return str(one["text"])


def only(entries: Iterable[Fields], *names: str) -> list[Fields]:
    """The fields of these names."""
    return [{name: one[name] for name in names} for one in entries]
