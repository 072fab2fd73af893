"""Which format a data file has, by its name where that says it, else by how it begins."""

import json
import re
from pathlib import Path

from zhuli.core.errors import Unreadable
from zhuli.learning.training.data import tags
from zhuli.learning.training.data.text_file import beginning
from zhuli.types.learning.tuning import DataFormat

BY_EXTENSION: dict[str, DataFormat] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".conll": "conll",
    ".conllu": "conll",
    ".bio": "conll",
    ".iob": "conll",
    ".bioes": "conll",
    ".yml": "rasa",
    ".yaml": "rasa",
    ".parquet": "parquet",
    ".arrow": "parquet",
}

WRAPPERS = frozenset({"data", "examples", "records", "rows"})
"""Keys under which a file of one line has its examples."""

LOOKED_AT = 300
"""Lines that decide between formats of text."""


def recognised(path: Path) -> DataFormat:
    """Unreadable for an empty file, and for one that looks like none of the formats."""
    if path.is_dir() or _is_parquet(path):
        return "parquet"
    start = beginning(path).lstrip("\ufeff")
    if not start.strip():
        raise Unreadable("The file is empty.")
    if known := BY_EXTENSION.get(path.suffix.lower()):
        return known
    if start.lstrip()[0] in "[{":
        return _json(start)
    return _lines(start.splitlines()[:LOOKED_AT])


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _json(start: str) -> DataFormat:
    """JSON Lines when the first line is a whole object; SQuAD when there are paragraphs with questions."""
    if re.search(r'"(qas|paragraphs)"\s*:', start):
        return "squad"
    first = start.lstrip().splitlines()[0]
    if first.rstrip().endswith("}"):
        try:
            value = json.loads(first)
        except (ValueError, RecursionError):
            return "json"
        wraps = isinstance(value, dict) and len(value.keys() & WRAPPERS) == 1
        return "json" if wraps and start.strip() == first.strip() else "jsonl"
    return "json"


def _lines(lines: list[str]) -> DataFormat:
    full = [line for line in lines if line.strip()]
    if any(re.match(r"nlu\s*:", line) for line in full):
        return "rasa"
    if sum(_ends_with_tag(line) for line in full) > len(full) * (0.5 if len(full) < len(lines) else 0.95):
        return "conll"
    if sum("\t" in line for line in full) > len(full) / 2:
        return "tsv"
    if sum(any(mark in line for mark in ",;|") for line in full) > len(full) / 2:
        return "csv"
    raise Unreadable(
        "The file's format can't be told. Name it: jsonl, json, csv, tsv, conll, squad, rasa or parquet; docs/data-formats.md "
        "has an example of each."
    )


def _ends_with_tag(line: str) -> bool:
    cells = line.split()
    return len(cells) > 1 and tags.is_tag(cells[-1])
