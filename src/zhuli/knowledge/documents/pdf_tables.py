"""Ruled tables of a PDF: what PDFium says is drawn on the page, made cells by pdfplumber's geometry. No text is read here.

The search is an extra, and slow on pages full of drawings: it has a budget of processor time for a whole file and is given up
behind that, while the text is still read.
"""

import ctypes
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Box = tuple[float, float, float, float]
"""left, top, right, bottom in points, from the left and from the top of the page as it is read."""

SECONDS = 6.0
"""Of processor time for the tables of one file."""
MAX_OBJECTS = 3_000
"""Paths on a page; with more it is a drawing."""
MAX_SEGMENTS = 60
"""Of a path; more draw a curve or a letter."""
MAX_EDGES = 1_200
MAX_POINTS = 2_500
"""Where edges cross."""
MAX_DEPTH = 4
"""Of forms in forms."""
THIN = 3.0
"""Points; a filled box that is no wider is a line."""
NEAR = 3.0
"""Points within which edges are one, and cross."""
LONG_CELL, FRAME = 600, 0.6
"""Characters of a cell, and its share of all, from which on the rules are a frame around text."""

Matrix = tuple[float, float, float, float, float, float]
UNIT: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(frozen=True)
class Grid:
    """A table's cells. places: for each row and column between `rights` and `bottoms`, the number of the cell there, or -1."""

    box: Box
    rights: list[float]
    bottoms: list[float]
    places: list[list[int]]
    cells: int

    def cell_at(self, across: float, down: float) -> int:
        """The number of the cell at a place, -1 for none."""
        left, top, right, bottom = self.box
        if not (left <= across <= right and top <= down <= bottom):
            return -1
        row, column = bisect_right(self.bottoms, down), bisect_right(self.rights, across)
        return self.places[row][column] if row < len(self.places) and column < len(self.places[row]) else -1

    def rows(self, texts: Sequence[str]) -> list[list[str]]:
        """The texts of the cells in their places; one that spans some says its text in each, one that spans the row once."""
        return [
            [texts[row[0]] if row[0] >= 0 else "", *[""] * (len(row) - 1)]
            if len(set(row)) == 1
            else [texts[place] if place >= 0 else "" for place in row]
            for row in self.places
        ]

    def is_table(self, texts: Sequence[str]) -> bool:
        """Whether it has cells of data: in two rows and two columns, and not most of the text in one."""
        filled = {place for place, text in enumerate(texts) if text}
        rows = sum(1 for row in self.places if filled.intersection(row))
        columns = sum(1 for column in zip(*self.places, strict=True) if filled.intersection(column))
        longest, everything = max(map(len, texts), default=0), sum(map(len, texts))
        return rows > 1 and columns > 1 and not (longest > LONG_CELL and longest > FRAME * everything)


class RuledTables:
    """The tables of one file, as long as its budget lasts."""

    def __init__(self) -> None:
        self._left = SECONDS

    def on_page(self, page: Any, placed: Callable[[Box], Box]) -> list[Grid]:
        """Of PDFium's `page`; `placed` turns PDF's left, bottom, right, top into a place on the page as it is read."""
        if self._left <= 0:
            return []
        began = time.process_time()
        try:
            return _grids([placed(box) for box in _edges(page)])
        finally:
            self._left -= time.process_time() - began


def _grids(boxes: Sequence[Box]) -> list[Grid]:
    if len(boxes) < 4 or len(boxes) > 4 * MAX_OBJECTS:
        return []
    from pdfplumber import table as geometry  # slow to import: only for pages that have rules

    edges = geometry.merge_edges([_edge(box) for box in boxes], NEAR, NEAR, NEAR, NEAR)
    edges = [edge for edge in edges if max(edge["width"], edge["height"]) >= NEAR]
    if len(edges) > MAX_EDGES:
        return []
    points = geometry.edges_to_intersections(edges, NEAR, NEAR)
    if len(points) > MAX_POINTS:
        return []
    tables = geometry.cells_to_tables(geometry.intersections_to_cells(points))
    return [_grid(cells) for cells in tables if len(cells) > 2]


def _edge(box: Box) -> dict[str, Any]:
    left, top, right, bottom = box
    lies = right - left >= bottom - top
    if lies:
        top = bottom = (top + bottom) / 2
    else:
        left = right = (left + right) / 2
    sides = {"x0": left, "top": top, "x1": right, "bottom": bottom, "width": right - left, "height": bottom - top}
    return sides | {"object_type": "line", "orientation": "h" if lies else "v"}


def _grid(cells: Sequence[Box]) -> Grid:
    rights = sorted({cell[2] for cell in cells} | {cell[0] for cell in cells})[1:]
    bottoms = sorted({cell[3] for cell in cells} | {cell[1] for cell in cells})[1:]
    left, top = min(cell[0] for cell in cells), min(cell[1] for cell in cells)
    places = [[-1] * len(rights) for _ in bottoms]
    for number, (x0, y0, x1, y1) in enumerate(cells):
        for row in range(bisect_right(bottoms, y0), bisect_right(bottoms, y1 - 0.01) + 1):
            for column in range(bisect_right(rights, x0), bisect_right(rights, x1 - 0.01) + 1):
                places[row][column] = number
    return Grid((left, top, rights[-1], bottoms[-1]), rights, bottoms, places, len(cells))


def _edges(page: Any) -> list[Box]:
    """Lines, sides of boxes, and boxes that are as thin as lines; in PDF's left, bottom, right, top."""
    from pypdfium2 import raw

    edges: list[Box] = []
    objects = [(raw.FPDFPage_GetObject(page, number), UNIT, 0) for number in range(raw.FPDFPage_CountObjects(page))]
    seen = 0
    while objects and seen <= MAX_OBJECTS:
        one, matrix, depth = objects.pop()
        kind = raw.FPDFPageObj_GetType(one)
        if kind == raw.FPDF_PAGEOBJ_PATH:
            seen += 1
            edges += _sides(one, _times(_matrix(one), matrix))
        elif kind == raw.FPDF_PAGEOBJ_FORM and depth < MAX_DEPTH:
            inner = _times(_matrix(one), matrix)
            count = min(raw.FPDFFormObj_CountObjects(one), MAX_OBJECTS)
            objects += [(raw.FPDFFormObj_GetObject(one, number), inner, depth + 1) for number in range(count)]
    return edges if seen <= MAX_OBJECTS else []


def _sides(path: Any, matrix: Matrix) -> Iterator[Box]:
    from pypdfium2 import raw

    count = raw.FPDFPath_CountSegments(path)
    if not 1 < count <= MAX_SEGMENTS or not _is_drawn(path):
        return
    points, start = list[tuple[float, float]](), 0
    across, down = ctypes.c_float(), ctypes.c_float()
    for number in range(count):
        segment = raw.FPDFPath_GetPathSegment(path, number)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_BEZIERTO:
            return
        if kind == raw.FPDF_SEGMENT_MOVETO:
            yield from _lines(points[start:])
            start = len(points)
        raw.FPDFPathSegment_GetPoint(segment, ctypes.byref(across), ctypes.byref(down))
        points.append(_moved(across.value, down.value, matrix))
        if raw.FPDFPathSegment_GetClose(segment):
            points.append(points[start])
    yield from _lines(points[start:])


def _lines(points: Sequence[tuple[float, float]]) -> Iterator[Box]:
    if len(points) < 2:
        return
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    box = min(xs), min(ys), max(xs), max(ys)
    if min(box[2] - box[0], box[3] - box[1]) <= THIN:
        yield box
        return
    for (x0, y0), (x1, y1) in pairwise(points):
        if min(abs(x1 - x0), abs(y1 - y0)) <= 1:
            yield min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _is_drawn(path: Any) -> bool:
    """Whether there is something to see: a line, or a filling that is not white."""
    from pypdfium2 import raw

    fill, stroke = ctypes.c_int(), ctypes.c_int()
    if not raw.FPDFPath_GetDrawMode(path, ctypes.byref(fill), ctypes.byref(stroke)):
        return False
    if stroke.value or not fill.value:
        return bool(stroke.value)
    colours = [ctypes.c_uint() for _ in range(4)]
    known = raw.FPDFPageObj_GetFillColor(path, *map(ctypes.byref, colours))
    return not known or (colours[3].value > 0 and any(colour.value < 250 for colour in colours[:3]))


def _matrix(one: Any) -> Matrix:
    from pypdfium2 import raw

    found = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(one, ctypes.byref(found)):
        return UNIT
    return found.a, found.b, found.c, found.d, found.e, found.f


def _times(inner: Matrix, outer: Matrix) -> Matrix:
    """First `inner`, then `outer` (ISO 32000-1, 8.3.4)."""
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u


def _moved(across: float, down: float, matrix: Matrix) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * across + c * down + e, b * across + d * down + f
