"""One page of a PDF through PDFium: pieces of text with their places, in reading order, with the ruled tables as pieces."""

import ctypes
import re
from dataclasses import dataclass, field
from typing import Any

from zhuli.knowledge.documents.page_layout import Row, TextPiece, reading_order
from zhuli.knowledge.documents.pdf_tables import Found, RuledTables

WIDE = 0.9
"""Space, in heights of the text, that ends a piece."""
SCANNED = "is a scanned image without text"
UNMAPPED = "is set in a font that does not say which characters it has"
DAMAGED = "is damaged"

_PAGE_NUMBER = re.compile(
    r"^(?:page|seite|第)?[\s–—-]*\d{1,5}(?:\s*(?:/|of|von)\s*\d{1,5})?[\s–—-]*页?$", re.IGNORECASE
)


@dataclass(frozen=True)
class Page:
    """tables: what the pieces with a `block` stand for. missing: why a page that is not blank has no rows."""

    rows: list[Row] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    missing: str | None = None


def read_page(document: Any, number: int, ruled: RuledTables | None) -> Page:
    """The page `number`, from 1. Without `ruled`: in the order of the file, which is faster and mostly right."""
    import pypdfium2

    try:
        page = document[number - 1]
    except pypdfium2.PdfiumError:
        return Page(missing=DAMAGED)
    try:
        return _read(page, number, ruled)
    finally:
        page.close()


def _read(page: Any, number: int, ruled: RuledTables | None) -> Page:
    found = _pieces(page)
    pieces = [piece for piece in found if _is_text(piece.text)]
    if not pieces:
        return Page(missing=UNMAPPED if found else SCANNED if _has_image(page) else None)
    if ruled is None:
        return Page([[piece] for piece in pieces])
    tables = ruled.on_page(page, number)
    rows = reading_order(_with_tables(_without_page_number(pieces), tables))
    return Page(rows, [table.text for table in tables])


def _has_image(page: Any) -> bool:
    from pypdfium2 import raw

    return next(iter(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3)), None) is not None


def _is_text(text: str) -> bool:
    """Not a run of the characters that stand for unknown ones."""
    unknown = sum(1 for letter in text if letter == "\ufffd" or "\ue000" <= letter <= "\uf8ff" or letter < " ")
    return unknown * 2 <= len(text)


def _pieces(page: Any) -> list[TextPiece]:
    """Runs of characters without a wide gap, with their places on the page as it is shown."""
    from pypdfium2 import raw

    text_page = page.get_textpage()
    width, height, turn = page.get_width(), page.get_height(), page.get_rotation()
    box = raw.FS_RECTF()
    pieces, run = list[TextPiece](), _Run()
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

    def add(self, letter: str, place: tuple[float, ...], pieces: list[TextPiece]) -> None:
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

    def end(self, pieces: list[TextPiece]) -> None:
        if text := "".join(self._letters).strip():
            pieces.append(TextPiece(text, *self._place, self._size))
        self._letters, self._size = [], 0.0


def _without_page_number(pieces: list[TextPiece]) -> list[TextPiece]:
    """A number alone at the top or at the bottom is no part of the text, and lies across the gutter of columns."""
    if len(pieces) < 3:
        return pieces
    edges = min(pieces, key=lambda piece: piece.top), max(pieces, key=lambda piece: piece.bottom)
    for edge in edges:
        level = [piece for piece in pieces if piece.top < edge.bottom and piece.bottom > edge.top]
        if _PAGE_NUMBER.match(edge.text) and level == [edge]:
            pieces = [piece for piece in pieces if piece is not edge]
    return pieces


def _with_tables(pieces: list[TextPiece], tables: list[Found]) -> list[TextPiece]:
    """Each table as one piece in place of those inside it."""
    for number, table in enumerate(tables):
        inside = [piece for piece in pieces if _is_inside(piece, table)]
        size = inside[0].size if inside else 1.0
        pieces = [piece for piece in pieces if piece not in inside]
        pieces.append(TextPiece(table.text, table.left, table.top, table.right, table.bottom, size, number))
    return pieces


def _is_inside(piece: TextPiece, table: Found) -> bool:
    across = table.left - 1 <= piece.left and piece.right <= table.right + 1
    return across and table.top - 2 <= (piece.top + piece.bottom) / 2 <= table.bottom + 2
