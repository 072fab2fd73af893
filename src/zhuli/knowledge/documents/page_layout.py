"""From pieces of text with places on a page to lines in reading order: columns, rows, and what stands in a grid.

Recursive XY cuts (Nagy and Seth, 1984): a white gutter from top to bottom separates columns, else the widest white band
separates what is above from what is below. A gutter between the cells of a table is none. Geometry only: no PDF here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

GUTTER = 1.0
"""Narrowest space between two columns, in heights of their text."""
NARROW = 12.0
"""Up to this width, in heights of their text, aligned pieces are cells and not lines of a column."""
MIN_COLUMN = 3
"""Lines that make a column."""
MAX_PIECES = 4000
"""Of a page; with more, as in drawings, pieces are read from top to bottom."""


_LEFTWARDS = re.compile(r"[\u0590-\u08ff]")
"""Letters of Hebrew, Arabic, Syriac and their neighbours."""


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Text without a wide gap in it. Places in points, from the left and from the top. size: the height of its letters."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float
    block: int | None = None
    """A number, where the piece stands for something that is not text, like a table found otherwise."""


Row = list[TextPiece]
"""Pieces side by side, from left to right."""


def reading_order(pieces: Sequence[TextPiece]) -> list[Row]:
    """The rows of a page as one reads them."""
    if len(pieces) > MAX_PIECES:
        return in_rows(pieces)
    rows: list[Row] = []
    waiting = [list(pieces)] if pieces else []
    while waiting:
        region = waiting.pop()
        first, second = _columns(region) or _bands(region) or ([], [])
        if first:
            waiting += [second, first]
        else:
            rows += in_rows(region)
    return rows


def _columns(region: list[TextPiece]) -> tuple[list[TextPiece], list[TextPiece]] | None:
    """Left and right of the widest gutter, if there is one between columns of text."""
    if len(region) < 2 * MIN_COLUMN:
        return None
    width, left_end = _widest_gap([(piece.left, piece.right) for piece in region])
    if width < GUTTER * median(piece.size for piece in region):
        return None
    left = [piece for piece in region if piece.left < left_end]
    right = [piece for piece in region if piece.left >= left_end]
    if min(len(left), len(right)) < MIN_COLUMN or _is_grid(left, right):
        return None
    return left, right


def _bands(region: list[TextPiece]) -> tuple[list[TextPiece], list[TextPiece]] | None:
    """Above and below the widest band, if anything white goes all across."""
    width, upper_end = _widest_gap([(piece.top, piece.bottom) for piece in region])
    if width <= 0:
        return None
    return (
        [piece for piece in region if piece.top < upper_end],
        [piece for piece in region if piece.top >= upper_end],
    )


def _widest_gap(spans: list[tuple[float, float]]) -> tuple[float, float]:
    """How wide the widest gap between spans is, and where what comes before it ends; 0 without any."""
    spans.sort()
    end, best = spans[0][1], (0.0, 0.0)
    for start, stop in spans[1:]:
        if start - end > best[0]:
            best = start - end, start
        end = max(end, stop)
    return best


def _is_grid(left: list[TextPiece], right: list[TextPiece]) -> bool:
    """Whether two sides are columns of cells: narrow, and level with each other."""
    few, many = sorted((left, right), key=len)
    tops = [piece.top for piece in many]
    level = sum(1 for piece in few if any(abs(piece.top - top) < 0.3 * piece.size for top in tops))
    narrow = min(median((piece.right - piece.left) / piece.size for piece in side) for side in (left, right))
    return level >= 0.7 * len(few) and narrow < NARROW


def in_rows(pieces: Sequence[TextPiece]) -> list[Row]:
    """Pieces whose middles are level make a row."""
    rows: list[Row] = []
    for piece in sorted(pieces, key=lambda piece: (piece.top + piece.bottom, piece.left)):
        last = rows[-1][-1] if rows else None
        if last and abs(piece.top + piece.bottom - last.top - last.bottom) < min(piece.size, last.size):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [_ordered(row) for row in rows]


def _ordered(row: Row) -> Row:
    """From left to right, or from right to left where most of the letters are read so."""
    if len(row) < 2:
        return row
    leftwards = sum(len(_LEFTWARDS.findall(piece.text)) for piece in row)
    letters = sum(1 for piece in row for letter in piece.text if letter.isalpha())
    return sorted(row, key=lambda piece: piece.left, reverse=2 * leftwards > letters)


def cells(rows: Sequence[Row]) -> list[list[str]]:
    """The texts of rows of a grid, by column: where the pieces of all rows leave white from top to bottom."""
    starts: list[float] = []
    end = float("-inf")
    for left, right in sorted((piece.left, piece.right) for row in rows for piece in row):
        if left > end:
            starts.append(left)
        end = max(end, right)
    table = [[""] * len(starts) for _ in rows]
    for texts, row in zip(table, rows, strict=True):
        for piece in row:
            column = sum(1 for start in starts if start <= piece.left) - 1
            texts[column] = f"{texts[column]} {piece.text}".strip()
    return table
