"""Spreadsheets (.xlsx, .xlsm, .xlsb, .xls, .ods): a sheet is a page, its name a heading, its rows tables under their headers.

Which row is a header is documents.value_tables' part; how a number is shown, documents.cell_formats'.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from zhuli.core.errors import Unreadable
from zhuli.knowledge.documents import cell_formats
from zhuli.knowledge.documents.value_tables import Row, table_blocks
from zhuli.types.knowledge.document import Block

MAX_CELLS = 20_000_000
"""Of a sheet, empty ones in between included: they are all held in memory."""
MAX_REPEATED = 100_000
"""Cells of a sheet that repeat the one that they are merged with."""
LONG = 500
"""Characters of a merged cell from which on it is not repeated."""


class Plugin:
    """Values as last computed and as they are shown; formulas where nothing computed them. Hidden sheets are read too."""

    extensions: Sequence[str] = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".xltx", ".xltm")

    def parse(self, path: Path) -> Iterator[Block]:
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError

        shown = cell_formats.sheets(path)
        try:
            with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as workbook:
                for page, name in enumerate(workbook.sheet_names, 1):
                    yield from _sheet(workbook, name, page, shown.get(name, cell_formats.Sheet()))
        except PasswordError as error:
            raise Unreadable("The workbook is encrypted. Save it without a password.") from error
        except CalamineError as error:
            raise Unreadable("The file is a damaged workbook. Open it where it was made and save it again.") from error


def _sheet(workbook: Any, name: str, page: int, shown: cell_formats.Sheet) -> Iterator[Block]:
    heading: Block | None = Block(name, "heading", 1, page)
    for block in table_blocks(_rows(workbook, name, shown), page):
        if heading is not None:
            yield heading
            heading = None
        yield block
    if heading is not None:
        return
    for place, words in shown.remarks:
        yield Block(f"Comment on {place}: {words}", page=page)
    if shown.formulas:
        yield Block(f"[Formulas without a value, which no program has computed yet: {shown.formulas:,}.]", page=page)


def _rows(workbook: Any, name: str, shown: cell_formats.Sheet) -> Iterator[Row]:
    """All rows of a worksheet, empty ones too; none for a sheet that is a chart."""
    kinds = {sheet.name: str(sheet.typ) for sheet in workbook.sheets_metadata}
    if kinds[name].endswith(("ChartSheet", "MacroSheet", "DialogSheet")):
        return
    sheet = workbook.get_sheet_by_name(name)
    if sheet.height * sheet.width > MAX_CELLS:
        raise Unreadable(f"The sheet '{name}' spans {sheet.height:,} × {sheet.width:,} cells, which is too many.")
    first = sheet.start[1] if sheet.start else 0
    merged = _Merged(sheet.merged_cell_ranges or ())
    beyond: dict[int, dict[int, str]] = {}
    for (row, column), text in shown.shown.items():
        beyond.setdefault(row, {})[column] = text
    number = -1
    for number, values in enumerate(sheet.iter_rows()):
        cells = [_shown(value, shown.formats.get((number, first + column), "")) for column, value in enumerate(values)]
        yield merged.row(number, first, _filled(cells, beyond.pop(number, {}), first))
    for number in sorted(row for row in beyond if row > number):
        yield merged.row(number, first, _filled([], beyond[number], first))


def _filled(cells: list[str], more: Mapping[int, str], first: int) -> list[str]:
    for column, text in more.items():
        if (place := column - first) >= 0:
            cells += [""] * (place + 1 - len(cells))
            cells[place] = cells[place] or text
    return cells


class _Merged:
    """Cells that are merged say the same in each of their places."""

    def __init__(self, ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> None:
        self._begin: dict[int, list[tuple[int, int, int]]] = {}
        for (top, left), (bottom, right) in ranges:
            self._begin.setdefault(top, []).append((bottom, left, right))
        self._open: list[tuple[int, int, int, str]] = []
        self._left = MAX_REPEATED

    def row(self, number: int, first: int, cells: list[str]) -> Row:
        own = sum(1 for cell in cells if cell.strip())
        self._open = [one for one in self._open if one[0] >= number]
        for bottom, left, right in self._begin.get(number, ()):
            place = left - first
            text = cells[place] if 0 <= place < len(cells) else ""
            if text and len(text) <= LONG:
                self._open.append((bottom, left, right, text))
        for _, left, right, text in self._open:
            for place in range(max(0, left - first), min(right - first + 1, len(cells))):
                if not cells[place] and self._left:
                    self._left -= 1
                    cells[place] = text
        return Row(cells, own)


def _shown(cell: Any, code: str) -> str:
    """As people see it: by the cell's format, else 3 and not 3.0, a day without a time where it has none."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float | int) and code and (text := cell_formats.shown_number(cell, code)) is not None:
        return text
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    return str(cell)
