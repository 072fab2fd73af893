"""Tables of HTML: which are tables at all and which only place parts of a page, and their cells as a grid."""

from collections.abc import Callable, Iterator

from selectolax.lexbor import LexborNode

SECTIONS = frozenset(("thead", "tbody", "tfoot"))
MAX_SPAN = 1_000
"""As in HTML's algorithm for colspan; a rowspan is cut there too."""
MAX_REPEATED = 50_000
"""Cells of one table that repeat another; behind them, cells that span are said once."""
LONG = 500
"""Characters from which on a cell that spans is said once."""
HEADER_ROWS = 4
_PARTS = "table, h1, h2, h3, h4, h5, h6, form, main, nav, article, section, header, footer"
"""What cells of data don't have in them, unless they are short."""


def caption_of(table: LexborNode) -> LexborNode | None:
    """The element that says what the table is about."""
    return next((child for child in table.iter() if child.tag == "caption"), None)


def is_layout(table: LexborNode) -> bool:
    """Whether the table has no data: it says so, holds long parts of a page, or is one row or column without a header."""
    role = (table.attributes.get("role") or "").lower()
    if role in {"presentation", "none"}:
        return True
    rows = [_cells(row) for row in _rows(table)]
    is_said = role in {"table", "grid"} or caption_of(table) is not None
    if is_said or any(cell.tag == "th" for row in rows for cell in row):
        return False
    if len(rows) < 2 or max(map(len, rows)) < 2:
        return True
    return any(cell.css_first(_PARTS) is not None and len(cell.text()) > LONG for row in rows for cell in row)


class Grid:
    """The cells of a table in their places. What spans rows and columns is said in each of them."""

    def __init__(
        self, table: LexborNode, *, hidden: Callable[[LexborNode], bool], text: Callable[[LexborNode], str]
    ) -> None:
        self._repeated = 0
        self._waiting: dict[int, tuple[str, int]] = {}
        self._rows: list[tuple[bool, list[str]]] = []
        for row in _rows(table):
            if not hidden(row) and not (row.parent and hidden(row.parent)):
                cells = [cell for cell in _cells(row) if not hidden(cell)]
                in_head = row.parent is not None and row.parent.tag == "thead"
                is_header = bool(cells) and (in_head or all(cell.tag == "th" for cell in cells))
                self._rows.append((is_header, self._row(cells, text)))

    def rows(self) -> list[list[str]]:
        """The rows; those of a header one below the other are one, each column's texts joined from top to bottom."""
        head = 0
        while head < min(len(self._rows), HEADER_ROWS) and self._rows[head][0]:
            head += 1
        rows = [cells for _, cells in self._rows]
        if head < 2 or head == len(rows):
            return rows
        width = max(map(len, rows[:head]))
        header = [[row[column] if column < len(row) else "" for row in rows[:head]] for column in range(width)]
        return [[" › ".join(dict.fromkeys(filter(None, texts))) for texts in header], *rows[head:]]

    def _row(self, cells: list[LexborNode], text: Callable[[LexborNode], str]) -> list[str]:
        row: list[str] = []
        for cell in cells:
            row += self._above(len(row))
            said = " ".join(text(cell).split())
            across, down = self._span(cell, said)
            for again in range(across):
                shown = said if not again or len(said) <= LONG else ""
                if down > 1:
                    self._waiting[len(row)] = (shown if len(said) <= LONG else "", down - 1)
                row.append(shown)
        return row + self._above(len(row))

    def _above(self, column: int) -> list[str]:
        """What cells of rows above say from this column on."""
        found = []
        while column in self._waiting:
            said, left = self._waiting.pop(column)
            if left > 1:
                self._waiting[column] = (said, left - 1)
            found.append(said)
            column += 1
        return found

    def _span(self, cell: LexborNode, said: str) -> tuple[int, int]:
        across, down = (_number(cell.attributes.get(name)) for name in ("colspan", "rowspan"))
        if across * down == 1:
            return 1, 1
        self._repeated += across * down - 1
        return (across, down) if self._repeated <= MAX_REPEATED else (1, 1)


def _rows(table: LexborNode) -> Iterator[LexborNode]:
    """Its own, not those of tables in it."""
    for child in table.iter():
        if child.tag == "tr":
            yield child
        elif child.tag in SECTIONS:
            yield from (row for row in child.iter() if row.tag == "tr")


def _cells(row: LexborNode) -> list[LexborNode]:
    return [cell for cell in row.iter() if cell.tag in {"td", "th"}]


def _number(text: str | None) -> int:
    digits = (text or "").strip()
    return max(1, min(int(digits), MAX_SPAN)) if digits.isdecimal() and len(digits) < 10 else 1
