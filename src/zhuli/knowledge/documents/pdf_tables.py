"""Ruled tables of a PDF, found by pdfplumber, which is slow: only pages on which rules are drawn are looked at."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhuli.knowledge.documents.markdown_table import markdown_table

PAGES = 100
"""With rules, that are searched; it takes 0.1 to 1 s each."""
RULES = range(4, 3_000)
"""Lines and boxes drawn on a page that may have a table; with more it is a drawing."""


@dataclass(frozen=True)
class Found:
    """A table as Markdown, and its place in points from the left and from the top."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


class RuledTables:
    """The tables of one file. Nothing is opened before a page has rules."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._document: Any = None
        self._pages_left = PAGES

    def on_page(self, page: Any, number: int) -> list[Found]:
        """Of PDFium's `page`, which is page `number` from 1. A page that pdfplumber stumbles over has none."""
        from pypdfium2 import raw

        rules = sum(1 for _ in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=3))
        if rules not in RULES or not self._pages_left:
            return []
        self._pages_left -= 1
        return self._find(number)

    def close(self) -> None:
        if self._document is not None:
            self._document.close()

    def _find(self, number: int) -> list[Found]:
        import pdfplumber
        from pdfminer.pdfexceptions import PDFException
        from pdfminer.psexceptions import PSException
        from pdfplumber.utils.exceptions import PdfminerException

        try:
            self._document = self._document or pdfplumber.open(self._path)
            page = self._document.pages[number - 1]
            tables = [(table.extract(), table.bbox) for table in page.find_tables()]
            page.close()
        except (PDFException, PSException, PdfminerException, ValueError, TypeError, LookupError, AttributeError):
            return []  # its text is still read
        real = [(rows, box) for rows, box in tables if len(rows) > 1 and len(rows[0]) > 1]
        return [Found(markdown_table([cell or "" for cell in row] for row in rows), *box) for rows, box in real]
