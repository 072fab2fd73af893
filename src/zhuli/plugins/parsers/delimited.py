"""CSV and TSV: rows of values as tables under their headers. Which row is the header is documents.value_tables' part."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mode

from zhuli.core.decoding import read_text
from zhuli.core.errors import Unreadable
from zhuli.knowledge.documents.value_tables import Row, row_of, table_blocks
from zhuli.types.knowledge.document import Block

MAX_COLUMNS = 16_384
"""As many as a spreadsheet has."""
MAX_CELL = 1_000_000
"""Characters."""
USUAL, RARE = ",\t;|", "^:"
"""Delimiters; the rare ones count only where every line agrees."""
SAMPLE = 20
"""Lines that are looked at."""


class Plugin:
    """The delimiter is what the file says (sep=;), else the one by which its first lines have the same number of cells."""

    extensions: Sequence[str] = (".csv", ".tsv")

    def parse(self, path: Path) -> Iterator[Block]:
        text = read_text(path).replace("\0", "")
        csv.field_size_limit(MAX_CELL)
        first, _, rest = text.partition("\n")
        if first.lower().startswith("sep=") and len(first.rstrip("\r")) == 5:
            delimiter, text = first[4], rest
        else:
            delimiter = _delimiter(text[:20_000])
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            yield from table_blocks(map(_row, reader))
        except csv.Error as error:
            raise Unreadable(
                f"The file is no table: line {reader.line_num:,} is no row of cells of up to {MAX_CELL:,} characters."
            ) from error


def _delimiter(sample: str) -> str:
    """The one by which most of the first lines have the same number of cells; of several the one with more cells."""
    lines = [line for line in sample.splitlines()[:SAMPLE] if line.strip()]
    scores = {mark: _score(lines, mark) for mark in USUAL + RARE}
    best = max(USUAL, key=lambda mark: scores[mark])
    if scores[best] == (0.0, 0):
        best = next((mark for mark in RARE if len(lines) > 1 and scores[mark][0] == 1), best)
    return best


def _score(lines: Sequence[str], mark: str) -> tuple[float, int]:
    """The share of lines with the usual number of cells, and that number; nothing for one cell."""
    try:
        widths = [width for row in csv.reader(lines, delimiter=mark) if (width := len(row)) > 1]
    except csv.Error:
        return 0.0, 0
    if not widths:
        return 0.0, 0
    usual = mode(widths)
    return round(widths.count(usual) / len(lines), 1), usual


def _row(cells: list[str]) -> Row:
    if len(cells) > MAX_COLUMNS:
        raise Unreadable(f"A row has {len(cells):,} columns; up to {MAX_COLUMNS:,} are read.")
    return row_of(cells)
