"""Parquet files, and folders that the library `datasets` saved. Numbers of classes become their names.

A table has no lines; its rows are counted from 1.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zhuli.core.errors import Unreadable
from zhuli.learning.training.data import jsonl
from zhuli.learning.training.data.finding import Entry


def read(path: Path) -> Iterator[Entry]:
    """Unreadable when the file is broken, or the folder has several splits."""
    table = _table(path)
    names = {name: classes for name, feature in table.features.items() if (classes := _classes(feature))}
    for number, row in enumerate(table, start=1):
        yield jsonl.entry(number, _named(row, names))


def _table(path: Path) -> Any:
    from datasets import Dataset, DatasetDict, load_from_disk  # heavy, and no other format needs it
    from pyarrow import ArrowInvalid, parquet

    try:
        if not path.is_dir():
            return Dataset(parquet.read_table(path, memory_map=True))
        parts = sorted(path.glob("*.parquet"))
        table = Dataset(parquet.read_table(parts)) if parts else load_from_disk(str(path))
    except (ArrowInvalid, FileNotFoundError, ValueError) as error:
        raise Unreadable(
            f"{path.name} is no Parquet file, and no folder that datasets' save_to_disk() wrote."
        ) from error
    if isinstance(table, DatasetDict):
        raise Unreadable(f"{path.name} has several splits ({', '.join(table)}); name the folder of one of them.")
    return table


def _classes(feature: Any) -> list[str] | None:
    """Of a ClassLabel, or of a list of them."""
    inner = getattr(feature, "feature", feature)
    names = getattr(inner, "names", None)
    return list(names) if names else None


def _named(row: dict[str, Any], names: Mapping[str, list[str]]) -> dict[str, Any]:
    return {key: _name(value, names[key]) if key in names else value for key, value in row.items()}


def _name(value: Any, names: list[str]) -> Any:
    if isinstance(value, list):
        return [_name(item, names) for item in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value
