"""CSV and TSV: one table of rows, in pieces that each repeat the header, so that a piece can be understood alone."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from zhuli.core.decoding import read_text
from zhuli.core.errors import Unreadable
from zhuli.knowledge.documents.markdown_table import markdown_table
from zhuli.types.knowledge.document import Block

ROWS = 40
"""Of one block."""
MAX_COLUMNS = 16_384
"""As many as a spreadsheet has."""
MAX_CELL = 1_000_000
"""Characters."""


class Plugin:
    """The delimiter is found in the first rows: comma, semicolon, tab or bar."""

    extensions: Sequence[str] = (".csv", ".tsv")

    def parse(self, path: Path) -> Iterator[Block]:
        text = read_text(path).replace("\0", "")
        csv.field_size_limit(MAX_CELL)
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text[:20_000]))
        try:
            yield from _tables(rows)
        except csv.Error as error:
            raise Unreadable(
                f"The file is no table: line {rows.line_num:,} is no row of cells of up to {MAX_CELL:,} characters."
            ) from error


def _delimiter(sample: str) -> str:
    """The one that occurs in most of the first lines, and most often."""
    lines = sample.splitlines()[:20]
    return max(",\t;|", key=lambda mark: (sum(mark in line for line in lines), sample.count(mark)))


def _tables(rows: Iterator[list[str]]) -> Iterator[Block]:
    header = next((row for row in rows if any(row)), [])
    _check_width(header)
    if len(header) < 2 and (lines := [cell for row in rows for cell in row]):
        yield Block("\n".join([*header, *lines]))  # one column is a list
        return
    first = list(islice(rows, ROWS))
    yield Block(markdown_table([header, *first]), "table")
    while piece := list(islice(rows, ROWS)):
        _check_width(max(piece, key=len))
        yield Block(markdown_table([header, *piece]), "table")


def _check_width(row: list[str]) -> None:
    if len(row) > MAX_COLUMNS:
        raise Unreadable(f"A row has {len(row):,} columns; up to {MAX_COLUMNS:,} are read.")
