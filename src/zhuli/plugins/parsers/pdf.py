"""PDF: text in the order in which a page is read, columns and all; tables as rows; pages that are only images are named.

Text and its places come from PDFium, ruled tables from pdfplumber, the order from documents.page_layout. There is no
recognition of characters in images.
"""

import ctypes
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zhuli.core.errors import Unreadable
from zhuli.documents import paragraphs
from zhuli.documents.markdown_table import markdown_table
from zhuli.documents.page_layout import Piece, Row, reading_order
from zhuli.types.document import Block

LAYOUT_PAGES = 1_000
"""A longer document is read in the order of its content streams, which takes a tenth of the time."""
TABLE_PAGES = 100
"""Pages with rules that are searched for tables, which takes 0.1 to 1 s each."""
RULES = range(4, 3_000)
"""Lines and boxes drawn on a page that may have a table; with more it is a drawing."""
WIDE = 0.9
"""Space, in heights of the text, that ends a piece."""
PASSWORD = 4
"""FPDF_ERR_PASSWORD of PDFium's fpdfview.h."""

_PAGE_NUMBER = re.compile(
    r"^(?:page|seite|第)?[\s–—-]*\d{1,5}(?:\s*(?:/|of|von)\s*\d{1,5})?[\s–—-]*页?$", re.IGNORECASE
)


class Plugin:
    """Pages count from 1 in the file, whatever is printed on them."""

    extensions: Sequence[str] = (".pdf",)

    def parse(self, path: Path) -> Iterator[Block]:
        import pypdfium2

        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            if error.err_code == PASSWORD:
                raise Unreadable("The PDF is encrypted. Save it without a password.") from error
            raise Unreadable("The PDF is damaged or truncated: it can't be opened.") from error
        try:
            yield from _blocks(document, path)
        finally:
            document.close()


def _blocks(document: Any, path: Path) -> Iterator[Block]:
    count = len(document)
    pages, images, garbled = list[list[Row]](), list[int](), list[int]()
    tables: list[list[str]] = []
    ruled = _Tables(path)
    for number in range(1, count + 1):
        page = _opened(document, number)
        pieces = _pieces(page) if page is not None else []
        if page is not None and count > LAYOUT_PAGES:
            pieces = [Piece(piece.text, 0, top, 1, top + 1, 1) for top, piece in enumerate(pieces)]
        readable = [piece for piece in pieces if _is_text(piece.text)]
        if page is not None and not readable:
            (garbled if pieces else images if _has_image(page) else []).append(number)
        found = ruled.on_page(page, number) if readable and count <= LAYOUT_PAGES else []
        pages.append(reading_order(_with_tables(_without_page_number(readable), found)))
        tables.append([text for text, _ in found])
        if page is not None:
            page.close()
    ruled.close()
    if not any(pages):
        raise _nothing(count, images, garbled)
    kind = paragraphs.Type(pages)
    for number, rows in enumerate(pages, 1):
        if number in images:
            yield Block(f"[Page {number} is a scanned image without text.]", page=number)
        elif number in garbled:
            yield Block(f"[Page {number} is set in a font that does not say which characters it has.]", page=number)
        yield from paragraphs.page_blocks(rows, kind, number, tables[number - 1])


def _nothing(count: int, images: list[int], garbled: list[int]) -> Unreadable:
    if images:
        return Unreadable(f"The PDF has no text: {_numbers(images)} scanned images. Run OCR on it first.")
    if garbled:
        return Unreadable(f"The PDF's fonts don't say which characters they have: {_numbers(garbled)} not readable.")
    return Unreadable(f"The PDF has no text on its {count} pages." if count else "The PDF has no pages.")


def _numbers(pages: list[int]) -> str:
    """ "page 3 is", "pages 1, 2 and 7 are", and for many of them "pages 1 to 90 are"."""
    if len(pages) == 1:
        return f"page {pages[0]} is"
    if pages[-1] - pages[0] == len(pages) - 1:
        return f"pages {pages[0]} to {pages[-1]} are"
    return f"pages {', '.join(map(str, pages[:20]))}{' …' if len(pages) > 20 else ''} are"


def _opened(document: Any, number: int) -> Any:
    """The page, None when it can't be loaded."""
    import pypdfium2

    try:
        return document[number - 1]
    except pypdfium2.PdfiumError:
        return None


def _has_image(page: Any) -> bool:
    from pypdfium2 import raw

    return next(iter(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3)), None) is not None


def _is_text(text: str) -> bool:
    """Not a run of the characters that stand for unknown ones."""
    unknown = sum(
        1 for character in text if character == "\ufffd" or "\ue000" <= character <= "\uf8ff" or character < " "
    )
    return unknown * 2 <= len(text)


def _pieces(page: Any) -> list[Piece]:
    """Runs of characters without a wide gap, with their places on the page as it is shown."""
    from pypdfium2 import raw

    text_page = page.get_textpage()
    width, height, turn = page.get_width(), page.get_height(), page.get_rotation()
    box = raw.FS_RECTF()
    pieces, run = list[Piece](), _Run()
    for index in range(text_page.count_chars()):
        code = raw.FPDFText_GetUnicode(text_page, index)
        if code in {10, 13}:
            run.end(pieces)
        elif code in {9, 32, 160}:
            run.space()
        elif code and raw.FPDFText_GetLooseCharBox(text_page, index, ctypes.byref(box)):
            place = _turned((box.left, box.bottom, box.right, box.top), width, height, turn)
            run.add(chr(code) if code < 0x110000 else "\ufffd", place, pieces)
    run.end(pieces)
    text_page.close()
    return pieces


def _without_page_number(pieces: list[Piece]) -> list[Piece]:
    """A number alone at the top or at the bottom is no part of the text, and lies across the gutter of columns."""
    if len(pieces) < 3:
        return pieces
    edges = min(pieces, key=lambda piece: piece.top), max(pieces, key=lambda piece: piece.bottom)
    for edge in edges:
        level = [piece for piece in pieces if piece.top < edge.bottom and piece.bottom > edge.top]
        if _PAGE_NUMBER.match(edge.text) and level == [edge]:
            pieces = [piece for piece in pieces if piece is not edge]
    return pieces


def _turned(box: tuple[float, float, float, float], width: float, height: float, turn: int) -> tuple[float, ...]:
    """left, top, right, bottom on the page as it is shown, from PDF's left, bottom, right, top before it was turned."""
    x0, y0, x1, y1 = box
    if turn == 90:
        return y0, x0, y1, x1
    if turn == 180:
        return width - x1, y0, width - x0, y1
    if turn == 270:
        return width - y1, height - x1, width - y0, height - x0
    return x0, height - y1, x1, height - y0


class _Run:
    """A piece that is being gathered."""

    def __init__(self) -> None:
        self._letters: list[str] = []
        self._place = (0.0, 0.0, 0.0, 0.0)
        self._size = 0.0

    def add(self, letter: str, place: tuple[float, ...], pieces: list[Piece]) -> None:
        left, top, right, bottom = place
        old_left, old_top, old_right, old_bottom = self._place
        size = max(bottom - top, 0.1)
        apart = left - old_right > WIDE * size or left < old_left - size
        other_line = abs(top + bottom - old_top - old_bottom) > max(size, self._size)
        if self._letters and (apart or other_line):
            self.end(pieces)
        if self._letters:
            place = min(left, old_left), min(top, old_top), max(right, old_right), max(bottom, old_bottom)
        self._place = (place[0], place[1], place[2], place[3])
        self._size = max(self._size, size)
        self._letters.append(letter)

    def space(self) -> None:
        if self._letters and self._letters[-1] != " ":
            self._letters.append(" ")

    def end(self, pieces: list[Piece]) -> None:
        if text := "".join(self._letters).strip():
            pieces.append(Piece(text, *self._place, self._size))
        self._letters, self._size = [], 0.0


def _with_tables(pieces: list[Piece], tables: list[tuple[str, tuple[float, ...]]]) -> list[Piece]:
    """Each table as one piece in place of those inside it."""
    for number, (text, (left, top, right, bottom)) in enumerate(tables):
        inside = [piece for piece in pieces if left - 1 <= piece.left and piece.right <= right + 1]
        inside = [piece for piece in inside if top - 2 <= (piece.top + piece.bottom) / 2 <= bottom + 2]
        size = inside[0].size if inside else 1.0
        pieces = [piece for piece in pieces if piece not in inside]
        pieces.append(Piece(text, left, top, right, bottom, size, number))
    return pieces


class _Tables:
    """Ruled tables, looked for only where rules are drawn."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._document: Any = None
        self._left = TABLE_PAGES

    def on_page(self, page: Any, number: int) -> list[tuple[str, tuple[float, ...]]]:
        """The tables of a page with their places. A page that pdfplumber stumbles over has none: its text is still read."""
        from pypdfium2 import raw

        rules = sum(1 for _ in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=3))
        if rules not in RULES or not self._left:
            return []
        self._left -= 1
        return self._found(number)

    def _found(self, number: int) -> list[tuple[str, tuple[float, ...]]]:
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
            return []
        real = [(rows, box) for rows, box in tables if len(rows) > 1 and len(rows[0]) > 1]
        return [(markdown_table([cell or "" for cell in row] for row in rows), box) for rows, box in real]

    def close(self) -> None:
        if self._document is not None:
            self._document.close()
