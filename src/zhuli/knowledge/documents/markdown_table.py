"""A table as Markdown rows, the form in which parsers hand tables on: models read it, and each row keeps its cells."""

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

_BARS = re.compile(r"\n\|(?: --- \|)+|(?<!\\)\|")
_SPACE = re.compile(r"\s+")


def markdown_table(rows: Iterable[Sequence[str]]) -> str:
    """Rows of equal width, the first being the header; rows and trailing columns that are empty are left out; "" for none."""
    kept = [[_cell(cell) for cell in row] for row in rows]
    kept = [row for row in kept if any(row)]
    if not kept:
        return ""
    width = max(_last_used(row) for row in kept)
    lines = [_line(row, width) for row in kept]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def flat_table(text: str) -> str:
    """The words of a table in Markdown on one line, for where there is no room for rows, like a cell of another table."""
    return _SPACE.sub(" ", _BARS.sub(" ", text)).replace("\\|", "|").strip()


def _cell(text: str) -> str:
    return _SPACE.sub(" ", text).strip().replace("|", "\\|")


def _last_used(row: Sequence[str]) -> int:
    return max(number for number, cell in enumerate(row, 1) if cell)


def _line(row: Sequence[str], width: int) -> str:
    cells = [cell for cell, _ in zip_longest(row[:width], range(width), fillvalue="")]
    return "| " + " | ".join(cells) + " |"
