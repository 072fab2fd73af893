"""One page of a PDF: pieces of text with their places, in reading order, with the ruled tables as pieces.

All text comes from one reader of the page (documents.pdf_letters): what stands in a table's cell are its letters, so that a
table neither loses a word nor says it otherwise.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from zhuli.knowledge.documents.markdown_table import markdown_table
from zhuli.knowledge.documents.page_layout import Row, TextPiece, in_rows, reading_order
from zhuli.knowledge.documents.paragraphs import joined
from zhuli.knowledge.documents.pdf_letters import OBLIQUE, RIGHTWARDS, Letter, Sheet, letters_of, main_direction
from zhuli.knowledge.documents.pdf_notes import notes_of
from zhuli.knowledge.documents.pdf_tables import Box, Grid, RuledTables

WIDE = 0.9
"""Space, in heights of the text, that ends a piece."""
TOUCHING = 0.15
"""Space, in heights of the text, up to which two letters are of one word."""
NOTE_SIZE = 10.0
"""Points; the height of the text that is taken of a note."""
SCANNED = "is a scanned image without text"
UNMAPPED = "is set in a font that does not say which characters it has"
DAMAGED = "is damaged"

_PAGE_NUMBER = re.compile(
    r"^(?:page|seite|第)?[\s–—-]*\d{1,5}(?:\s*(?:/|of|von)\s*\d{1,5})?[\s–—-]*页?$", re.IGNORECASE
)


@dataclass(frozen=True)
class Page:
    """tables: what the pieces with a `block` stand for. height: in points. missing: why a page that is not blank has no rows."""

    rows: list[Row] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    height: float = 0.0
    missing: str | None = None


def read_page(document: Any, number: int, ruled: RuledTables | None) -> Page:
    """The page `number`, from 1. Without `ruled`: in the order of the file, which is faster and mostly right."""
    import pypdfium2

    try:
        page = document[number - 1]
    except pypdfium2.PdfiumError:
        return Page(missing=DAMAGED)
    try:
        return _read(page, document, ruled)
    finally:
        page.close()


def _read(page: Any, document: Any, ruled: RuledTables | None) -> Page:
    sheet = Sheet(page)
    letters = letters_of(page, sheet)
    main = main_direction(letters)
    placed = sheet.placer(main)
    grids = [] if ruled is None else ruled.on_page(page, placed)
    by_direction: dict[int, list[TextPiece]] = {main: []}
    cells: dict[tuple[int, int], list[TextPiece]] = {}
    for direction, cell, piece in _pieces(letters, sheet, main, grids):
        (by_direction.setdefault(direction, []) if cell is None else cells.setdefault(cell, [])).append(piece)
    for note in _notes(page, document, placed):
        cell = _cell((note.left + note.right) / 2, (note.top + note.bottom) / 2, grids)
        (by_direction[main] if cell is None else cells.setdefault(cell, [])).append(note)
    tables, loose = _tables(grids, cells)
    found = [*loose, *(piece for pieces in by_direction.values() for piece in pieces)]
    readable = [piece for piece in found if _is_text(piece.text)]
    if not readable and not tables:
        return Page(missing=UNMAPPED if found else SCANNED if _has_image(page) else None)
    if ruled is None:
        return Page([[piece] for piece in readable], height=sheet.height)
    rows: list[Row] = []
    for direction, pieces in by_direction.items():
        pieces = [piece for piece in pieces if _is_text(piece.text)]
        if direction == main:
            pieces = [*_without_page_number([*pieces, *loose]), *(table for _, table in tables)]
        rows += reading_order(pieces)
    height = sheet.height if main % 2 == 0 else sheet.width
    return Page(rows, [text for text, _ in tables], height)


def _has_image(page: Any) -> bool:
    from pypdfium2 import raw

    return next(iter(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3)), None) is not None


def _is_text(text: str) -> bool:
    """Not a run of the characters that stand for unknown ones."""
    unknown = sum(1 for letter in text if letter == "\ufffd" or "\ue000" <= letter <= "\uf8ff" or letter < " ")
    return unknown * 2 <= len(text)


Cell = tuple[int, int]
"""The number of a grid, and that of a cell in it."""


def _cell(across: float, down: float, grids: Sequence[Grid]) -> Cell | None:
    for number, grid in enumerate(grids):
        if (cell := grid.cell_at(across, down)) >= 0:
            return number, cell
    return None


def _pieces(
    letters: Sequence[Letter], sheet: Sheet, main: int, grids: Sequence[Grid]
) -> Iterator[tuple[int, Cell | None, TextPiece]]:
    """Runs of letters without a wide gap, of one direction and in one cell, with their places on the page turned upright."""
    run, direction, cell = _Run(), RIGHTWARDS, None
    for letter in letters:
        if letter.text == "\n":
            yield from run.end(direction, cell)
        elif letter.text == " ":
            run.space()
        elif letter.text:
            box = sheet.upright(letter.box, letter.direction) if letter.direction else letter.box
            here = None
            if grids and letter.direction == main:
                here = _cell((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, grids)
            is_apart = letter.direction != OBLIQUE and run.is_behind(box)
            if here != cell and letter.direction == direction and not is_apart and run.goes_on(box):
                here = cell  # a word that reaches over a rule is of the cell where it began
            if letter.direction != direction or here != cell or is_apart:
                yield from run.end(direction, cell)
                direction, cell = letter.direction, here
            run.add(letter.text, box)
    yield from run.end(direction, cell)


class _Run:
    """A piece that is being gathered."""

    def __init__(self) -> None:
        self._letters: list[str] = []
        self._place: Box = (0.0, 0.0, 0.0, 0.0)
        self._size = 0.0

    def is_behind(self, box: Box) -> bool:
        """Whether the letter there belongs to another piece."""
        if not self._letters:
            return False
        left, top, right, bottom = box
        old_left, old_top, old_right, old_bottom = self._place
        size = max(bottom - top, 0.1)
        apart = left - old_right > WIDE * size or right < old_left - WIDE * size
        return apart or abs(top + bottom - old_top - old_bottom) > max(size, self._size)

    def goes_on(self, box: Box) -> bool:
        """Whether the letter there touches the one before."""
        touches = box[0] - self._place[2] < TOUCHING * self._size
        return bool(self._letters) and self._letters[-1] != " " and touches

    def add(self, letter: str, box: Box) -> None:
        left, top, right, bottom = box
        if self._letters:
            old_left, old_top, old_right, old_bottom = self._place
            box = min(left, old_left), min(top, old_top), max(right, old_right), max(bottom, old_bottom)
        self._place = box
        self._size = max(self._size, bottom - top, 0.1)
        self._letters.append(letter)

    def space(self) -> None:
        if self._letters and self._letters[-1] != " ":
            self._letters.append(" ")

    def end(self, direction: int, cell: Cell | None) -> Iterator[tuple[int, Cell | None, TextPiece]]:
        if text := "".join(self._letters).strip():
            yield direction, cell, TextPiece(text, *self._place, self._size)
        self._letters, self._size = [], 0.0


def _notes(page: Any, document: Any, placed: Any) -> Iterator[TextPiece]:
    """A line of a note is a piece, in the middle of its place if it is the only one."""
    for text, box in notes_of(page, document.formenv):
        left, top, right, bottom = placed(box)
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        first = max(top, (top + bottom) / 2 - NOTE_SIZE / 2) if len(lines) == 1 else top
        for number, line in enumerate(lines):
            if line.strip():
                start = first + 1.2 * NOTE_SIZE * number
                yield TextPiece(line.strip(), left, start, max(right, left + 1), start + NOTE_SIZE, NOTE_SIZE)


def _tables(
    grids: Sequence[Grid], cells: dict[Cell, list[TextPiece]]
) -> tuple[list[tuple[str, TextPiece]], list[TextPiece]]:
    """The tables with the pieces that stand for them, and the pieces in cells of what is none."""
    tables: list[tuple[str, TextPiece]] = []
    loose: list[TextPiece] = []
    for number, grid in enumerate(grids):
        own = [cells.get((number, place), []) for place in range(grid.cells)]
        texts = [joined(in_rows(pieces)) for pieces in own]
        if not grid.is_table(texts):
            loose += [piece for pieces in own for piece in pieces]
            continue
        size = next((piece.size for pieces in own for piece in pieces), 1.0)
        text = markdown_table(grid.rows(texts))
        tables.append((text, TextPiece(text, *grid.box, size, len(tables))))
    return tables, loose


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
