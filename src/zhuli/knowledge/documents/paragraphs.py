"""From lines of pages to blocks: lines joined to paragraphs, large type as headings, grids as tables. No PDF here."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from zhuli.knowledge.documents.markdown_table import markdown_table
from zhuli.knowledge.documents.page_layout import Row, cells
from zhuli.types.knowledge.document import Block

LARGE = 1.15
"""Type from this many times the usual size on is a heading."""
MAX_HEADING = 150
"""Characters."""
MAX_LINES = 3
"""Of a heading."""
BODY = 0.15
"""Share of all text that no heading's size has: a document may be set in two sizes."""
LEVELS = 4
LOOSE = 0.35
"""White between two lines, beyond what lines of a paragraph have, that ends a paragraph; in heights of a line."""
MIN_GRID = 3
"""Rows of several pieces that make a table."""
FILLED = 0.6
"""Share of its cells that hold something in a table; lines with wide spaces fill a grid of chance less."""

ENDS = (".", "。", "!", "?", "！", "？", ":", "：")
_ITEM = re.compile(r"^(?:[•◦▪‣·●○■□*–—-]|\(?\d{1,3}[.)、]|\(?[a-z][.)])\s")
_NUMBERED = re.compile(r"^(?:\d+\.)+\d*\s|^[IVX]+\.\s|^[A-Z]\.\s")
_HYPHEN = ("\u00ad", "\x02", "\ufffe")
"""How PDFium hands on the hyphen of a word that goes on in the next line."""
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f]")


class Type:
    """What a document is set in: which heading each larger size is, and `white`, the leading in heights of a line."""

    def __init__(self, pages: Sequence[Sequence[Row]]) -> None:
        sizes: Counter[float] = Counter()
        for row in (row for rows in pages for row in rows):
            for piece in row:
                sizes[_rounded(piece.size)] += len(piece.text)
        self._usual = max(sizes, key=lambda size: sizes[size], default=0.0)
        most = max(MAX_HEADING, BODY * sum(sizes.values()))
        larger = [size for size in sizes if size >= LARGE * self._usual and sizes[size] <= most]
        larger.sort(reverse=True)
        self.white = _usual_white(pages)
        self._levels = {size: min(level, LEVELS) for level, size in enumerate(larger, 1)}

    def level(self, row: Row) -> int:
        """Of the heading that the row is, 0 for none."""
        return self._levels.get(_rounded(max(piece.size for piece in row)), 0)


def _usual_white(pages: Sequence[Sequence[Row]]) -> float:
    """Between lines of a paragraph, in heights of a line: the lower quartile of all, since white ends paragraphs too."""
    pairs = [(before[0], row[0]) for rows in pages for before, row in pairwise(rows)]
    whites = [(row.top - before.bottom) / before.size for before, row in pairs if row.top > before.top]
    close = sorted(white for white in whites if white < 1)
    return max(0.0, close[len(close) // 4]) if len(close) > 2 else 0.0


def page_blocks(rows: Sequence[Row], kind: Type, page: int, tables: Sequence[str]) -> Iterator[Block]:
    """The blocks of one page. `tables` are those that pieces with a `block` stand for."""
    waiting: list[Row] = []
    for is_grid, run in groupby(rows, key=lambda row: len(row) > 1):
        part = list(run)
        grid = cells(part) if is_grid and len(part) >= MIN_GRID else []
        if grid and _is_table(grid):
            yield from _text_blocks(waiting, kind, page, tables)
            yield Block(markdown_table(grid), "table", page=page)
            waiting = []
        else:
            waiting += part
    yield from _text_blocks(waiting, kind, page, tables)


def _is_table(grid: list[list[str]]) -> bool:
    filled = sum(1 for row in grid for cell in row if cell)
    return len(grid[0]) > 1 and filled >= FILLED * len(grid) * len(grid[0])


def _text_blocks(rows: Sequence[Row], kind: Type, page: int, tables: Sequence[str]) -> Iterator[Block]:
    for paragraph in _paragraphs(rows, kind):
        first = paragraph[0][0]
        text, level = joined(paragraph), kind.level(paragraph[0])
        if first.block is not None:
            yield Block(tables[first.block], "table", page=page)
        elif level and len(paragraph) <= MAX_LINES and _is_heading(text):
            yield Block(text, "heading", level, page)
        else:
            yield Block(text, page=page)


def _is_heading(text: str) -> bool:
    """Whether large type may be a heading: words that are no sentence, no part of one and no large number."""
    letters = sum(1 for character in text if character.isalpha())
    digits = sum(1 for character in text if character.isdecimal())
    if len(text) > MAX_HEADING or letters < max(1, digits) or text[0].islower():
        return False
    return not text.endswith((".", "。", ",", "，", ";", "；", "、")) or bool(_NUMBERED.match(text))


def _paragraphs(rows: Sequence[Row], kind: Type) -> Iterator[list[Row]]:
    paragraph: list[Row] = []
    for row in rows:
        if paragraph and _begins(row, paragraph[-1], kind):
            yield paragraph
            paragraph = []
        paragraph.append(row)
    if paragraph:
        yield paragraph


def _begins(row: Row, before: Row, kind: Type) -> bool:
    """Whether a new paragraph begins with this row."""
    this, last = row[0], before[0]
    if this.block is not None or last.block is not None or kind.level(row) != kind.level(before):
        return True
    white = this.top - last.bottom
    if white > (kind.white + LOOSE) * last.size:
        return True
    if this.top < last.top:  # another column, where a sentence may go on
        return before[-1].text.endswith(ENDS)
    indented = 0.8 * this.size < this.left - last.left < 4 * this.size
    return bool(_ITEM.match(this.text)) or (indented and before[-1].text.endswith(ENDS))


def joined(rows: Sequence[Row]) -> str:
    """One line of text: words that were divided are whole again, and wide characters get no spaces."""
    text = ""
    for row in rows:
        line = " ".join(piece.text for piece in row)
        if text.endswith(_HYPHEN) or (text.endswith("-") and line[:1].islower() and text[-2:-1].isalpha()):
            text = text[:-1] + line
        elif text and not (_WIDE.match(text[-1]) and _WIDE.match(line[:1])):
            text += " " + line
        else:
            text += line
    return text


def _rounded(size: float) -> float:
    """To half a point."""
    return round(size * 2) / 2
