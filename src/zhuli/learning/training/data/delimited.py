"""CSV and TSV: a row an example. Which delimiter, whether quoted, whether with a header is seen from the first rows.

A file without a header has its columns named "1", "2", … from the left; fields.named knows which is what in a task.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from zhuli.learning.training.data.finding import Entry, Finding
from zhuli.learning.training.data.text_file import opened
from zhuli.types.learning.example import Record

DELIMITERS = ",\t;|"

_QUOTED = re.compile(r'(^|\t)"([^"\t]|"")*""([^"\t]|"")*"(\t|\r?$)')
"""A cell between tabs that is surely quoted: the quotation marks in it are doubled."""

MOST_CELL = 4_000_000
"""Characters of a cell. Python's own limit of 131,072 is less than what a report or a book chapter has."""

LOOKED_AT = 100
"""Rows that decide on the dialect."""


@dataclass(frozen=True)
class Dialect:
    delimiter: str
    quoted: bool
    columns: int

    def rows(self, lines: Iterable[str]) -> Any:
        """A csv.reader."""
        csv.field_size_limit(MOST_CELL)
        spaced = self.delimiter == ","
        if self.quoted:
            return csv.reader(lines, delimiter=self.delimiter, skipinitialspace=spaced)
        return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, skipinitialspace=spaced)


def read(path: Path, *, delimiters: str, names: Iterable[str], columns: Mapping[str, str]) -> Iterator[Entry]:
    """delimiters: those it may be. names: what a header may call its columns, in lower case; columns: as of a Source."""
    with opened(path, newline="") as file:
        dialect = _dialect(list(islice(file, LOOKED_AT)), delimiters)
        file.seek(0)
        reader = dialect.rows(file)
        header = [str(number + 1) for number in range(dialect.columns)]
        yield from _entries(reader, header, names={*names, *(name.lower() for name in columns.values())})


def _entries(reader: Any, header: list[str], *, names: set[str]) -> Iterator[Entry]:
    begins = True
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Finding(line, _unreadable(error))
            continue
        if not any(cell.strip() for cell in row):
            continue
        if begins and _is_header(row, names):
            header = [cell.strip() or f"column {number + 1}" for number, cell in enumerate(row)]
        elif len(row) != len(header):
            yield Finding(line, _uneven(row, header))
        else:
            yield Record(line=line, fields=dict(zip(header, row, strict=True)))
        begins = False


def _unreadable(error: csv.Error) -> str:
    if "field larger than" in str(error):
        return f'A cell of this row has more than {MOST_CELL:,} characters. Is a quotation mark (") not closed?'
    return f"This row can't be read: {error}. Is a quotation mark (\") not closed?"


def _is_header(row: Sequence[str], names: set[str]) -> bool:
    return any(cell.strip().lower() in names for cell in row if not cell.strip().isdigit())


def _uneven(row: list[str], header: list[str]) -> str:
    return (
        f"This row has {len(row)} columns, but the file has {len(header)} ({', '.join(header[:6])}). "
        'A text that contains the delimiter or a line break must stand in quotation marks ("…").'
    )


def _dialect(lines: list[str], delimiters: str) -> Dialect:
    """The one that gives the most rows the same number of columns, which is more than one."""
    ways = [
        _tried(lines, delimiter, quoted=quoted) for delimiter in delimiters for quoted in _quotings(delimiter, lines)
    ]
    return max(ways, key=lambda way: way[0])[1]


def _quotings(delimiter: str, lines: list[str]) -> tuple[bool, ...]:
    """Texts between tabs are seldom quoted and often have quotation marks; the first way wins where both are as good."""
    if delimiter != "\t":
        return (True,)
    return (True, False) if any(_QUOTED.search(line) for line in lines) else (False, True)


def _tried(lines: list[str], delimiter: str, *, quoted: bool) -> tuple[float, Dialect]:
    try:
        widths = Counter(len(row) for row in Dialect(delimiter, quoted, 0).rows(lines) if row)
    except csv.Error:
        return 0.0, Dialect(delimiter, quoted, 1)
    if not widths:
        return 0.0, Dialect(delimiter, quoted, 1)
    width, rows = widths.most_common(1)[0]
    share = rows / widths.total() if width > 1 else 0.0
    return share, Dialect(delimiter, quoted, width)
