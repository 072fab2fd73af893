"""Spreadsheets (.xlsx, .xlsm, .xlsb, .xls, .ods): a sheet is a page, its name a heading, its rows tables under the first row."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from zhuli.core.errors import Unreadable
from zhuli.knowledge.documents.markdown_table import markdown_table
from zhuli.types.knowledge.document import Block

ROWS = 40
"""Of one block; each repeats the header, so that it can be understood alone."""
MAX_CELLS = 20_000_000
"""Of a sheet, empty ones in between included: they are all held in memory."""


class Plugin:
    """Values as they were last computed, not formulas. Hidden sheets are read too."""

    extensions: Sequence[str] = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

    def parse(self, path: Path) -> Iterator[Block]:
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError

        try:
            with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as workbook:
                for page, name in enumerate(workbook.sheet_names, 1):
                    yield from _sheet(name, _rows(workbook, name), page)
        except PasswordError as error:
            raise Unreadable("The workbook is encrypted. Save it without a password.") from error
        except CalamineError as error:
            raise Unreadable("The file is a damaged workbook. Open it where it was made and save it again.") from error


def _rows(workbook: Any, name: str) -> Iterator[list[str]]:
    """The rows of a worksheet that hold something; none for a sheet that is a chart."""
    kinds = {sheet.name: str(sheet.typ) for sheet in workbook.sheets_metadata}
    if kinds[name].endswith(("ChartSheet", "MacroSheet", "DialogSheet")):
        return
    sheet = workbook.get_sheet_by_name(name)
    if sheet.height * sheet.width > MAX_CELLS:
        raise Unreadable(f"The sheet '{name}' spans {sheet.height:,} × {sheet.width:,} cells, which is too many.")
    for row in sheet.iter_rows():
        if any(cell != "" for cell in row):
            yield [_shown(cell) for cell in row]


def _sheet(name: str, rows: Iterator[list[str]], page: int) -> Iterator[Block]:
    header = next(rows, None)
    if header is None:
        return
    yield Block(name, "heading", 1, page)
    yield Block(markdown_table([header, *islice(rows, ROWS)]), "table", page=page)
    while piece := list(islice(rows, ROWS)):
        yield Block(markdown_table([header, *piece]), "table", page=page)


def _shown(cell: Any) -> str:
    """As people write it: 3 and not 3.0, a day without a time where it has none."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    return str(cell)
