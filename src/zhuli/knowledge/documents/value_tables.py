"""Rows of values as tables under their headers, in pieces that each repeat the header, so that a piece can be understood alone.

The header is found: titles and remarks above it are text, a row of data is none. Behind an empty row another table may begin.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from zhuli.knowledge.documents.markdown_table import markdown_table
from zhuli.types.knowledge.document import Block

ROWS = 40
"""Of one block."""
AHEAD = 25
"""Rows that are looked at to find the header."""
LIKE = 4
"""Rows below that a header must be unlike."""

_NUMBER = re.compile(r"^[\s$€£¥+(-]*\d[\d\s.,'’/:-]*\s*(?:[%‰$€£¥)]|e[+-]?\d+|[A-Z]{3})?\s*$", re.IGNORECASE)
_YEAR = re.compile(r"^(?:19|20)\d\d$")


class Row(NamedTuple):
    """The cells as shown; own: how many of them hold something of their own, and not what a merged cell repeats."""

    cells: list[str]
    own: int


def row_of(cells: list[str]) -> Row:
    """Of cells none of which is merged with others."""
    return Row(cells, sum(1 for cell in cells if cell.strip()))


def table_blocks(rows: Iterable[Row], page: int | None = None) -> Iterator[Block]:
    """The tables of a sheet or file; a single column is a list, and text."""
    ahead = _Ahead(iter(rows))
    while ahead.skip_empty():
        yield from _one_table(ahead, page)


class _Ahead:
    """Rows that may be looked at before they are taken."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._waiting: deque[Row] = deque()

    def peek(self, most: int) -> list[Row]:
        """The next rows, up to `most`, fewer at the end."""
        self._waiting.extend(islice(self._rows, max(0, most - len(self._waiting))))
        return list(islice(self._waiting, most))

    def take(self) -> Row:
        """The next row; there must be one."""
        self.peek(1)
        return self._waiting.popleft()

    def skip_empty(self) -> bool:
        """Whether a row with something in it comes."""
        while (found := self.peek(1)) and not found[0].own:
            self.take()
        return bool(found)


def _one_table(ahead: _Ahead, page: int | None) -> Iterator[Block]:
    above, has_header, widest = _header(ahead.peek(AHEAD))
    titles = [ahead.take() for _ in range(above)]
    if lines := [_line(row) for row in titles if row.own]:
        yield Block("\n".join(lines), page=page)
    rows = _until_next_table(ahead)
    first = next(rows, None)
    if first is None:
        return
    if widest < 2:
        yield Block("\n".join(_line(row) for row in [first, *rows]), page=page)
        return
    header = first.cells if has_header else _letters(max(len(row.cells) for row in [first, *ahead.peek(AHEAD)]))
    waiting = [] if has_header else [first.cells]
    piece = [*waiting, *(row.cells for row in islice(rows, ROWS - len(waiting)))]
    yield Block(markdown_table([header, *piece]), "table", page=page)
    while piece := [row.cells for row in islice(rows, ROWS)]:
        yield Block(markdown_table([header, *piece]), "table", page=page)


def _line(row: Row) -> str:
    return " ".join(dict.fromkeys(filter(None, map(str.strip, row.cells))))


def _header(rows: list[Row]) -> tuple[int, bool, int]:
    """How many rows stand above the header, whether there is one, and how many cells the fullest row has.

    The header is the first row that is about as full as those below.
    """
    end = next((number for number in range(1, len(rows)) if _begins(rows, number)), len(rows))
    filled = sorted(row.own for row in rows[:end] if row.own)
    usual = filled[len(filled) // 2] if filled else 0
    enough = max(2, usual / 2)
    place = next((number for number, row in enumerate(rows[:end]) if row.own >= enough), 0)
    below = [row for row in rows[place + 1 : end] if row.own][:LIKE]
    return place, not below or not _is_like(rows[place], below), max(filled, default=0)


def _is_like(row: Row, below: list[Row]) -> bool:
    """Whether the row is of the same kind as all below: numbers where they have numbers, and some there that are no years."""
    numbers = {column for column, cell in enumerate(row.cells) if _NUMBER.match(cell)}
    if not numbers or all(_YEAR.match(row.cells[column].strip()) for column in numbers):
        return False
    for other in below:
        filled = [column for column, cell in enumerate(other.cells) if cell.strip()]
        shared = [column for column in filled if column < len(row.cells) and row.cells[column].strip()]
        if any((column in numbers) != bool(_NUMBER.match(other.cells[column])) for column in shared):
            return False
    return True


def _until_next_table(ahead: _Ahead) -> Iterator[Row]:
    """Rows with something in them, up to an empty one behind which another table begins."""
    first = True
    while found := ahead.peek(1):
        if not first and not found[0].own and _begins(ahead.peek(AHEAD), 0):
            return
        row, first = ahead.take(), False
        if row.own:
            yield row


def _begins(rows: list[Row], at: int) -> bool:
    """Whether at an empty row another table begins: next comes, under a title or not, a row of words, and then numbers."""
    if rows[at].own:
        return False
    behind = [row for row in rows[at:] if row.own][:3]
    if len(behind) > 2 and behind[0].own == 1:
        behind = behind[1:]
    if len(behind) < 2 or behind[0].own < 2:
        return False
    return not _has_number(behind[0]) and _has_number(behind[1])


def _has_number(row: Row) -> bool:
    return any(_NUMBER.match(cell) for cell in row.cells)


def _letters(width: int) -> list[str]:
    """What spreadsheets call their columns."""
    return [_letter(number) for number in range(1, width + 1)]


def _letter(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
