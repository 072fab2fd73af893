"""Any data file as a stream of entries whose fields have the task's names and shapes. Whether they are examples, a Task says."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from zhuli.core.errors import Unreadable
from zhuli.learning.training.data import arrow, conll, delimited, json_array, jsonl, rasa, squad
from zhuli.learning.training.data.field_names import SEPARATOR, header_names, named
from zhuli.learning.training.data.finding import Entry, Finding
from zhuli.learning.training.data.formats import recognised
from zhuli.learning.training.data.shapes import shaped
from zhuli.types.learning.example import BadExample, Record
from zhuli.types.learning.tuning import DataFormat


def records(path: Path, format: DataFormat, columns: Mapping[str, str], *, task: str) -> Iterator[Entry]:
    """Entries in the order of the file; a Finding for each that can't be read.

    Unreadable when nothing of the file can be read as this format, or a column of `columns` is nowhere.
    """
    kind = recognised(path) if format == "auto" else format
    for entry in _read(path, kind, columns, task):
        yield _ready(entry, columns if kind != "conll" else {}, task) if isinstance(entry, Record) else entry


def _read(path: Path, kind: DataFormat, columns: Mapping[str, str], task: str) -> Iterator[Entry]:
    match kind:
        case "csv" | "tsv":
            cells = {field: column for field, column in columns.items() if field != SEPARATOR}
            delimiters = "\t" if kind == "tsv" else delimited.DELIMITERS
            return delimited.read(path, delimiters=delimiters, names=header_names(task), columns=cells)
        case "conll":
            return conll.read(path, columns)
        case "json":
            return json_array.read(path)
        case "squad":
            return squad.read(path)
        case "rasa":
            return rasa.read(path)
        case "parquet":
            return arrow.read(path)
        case _:
            return jsonl.read(path)


def _ready(record: Record, columns: Mapping[str, str], task: str) -> Entry:
    try:
        return Record(record.line, shaped(named(record.fields, columns, task), task, columns))
    except KeyError as error:
        there = ", ".join(list(record.fields)[:10])
        raise Unreadable(
            f"There is no column {error} (from `columns`) in line {record.line}, which has: {there}."
        ) from error
    except BadExample as error:
        return Finding(record.line, str(error))
