"""In which order the shapes of a slide are read: columns one after the other, else from top to bottom. Geometry only.

Recursive cuts as for the pages of a PDF (documents.page_layout), but a shape is a whole box of text: two that stand one
above the other are a column already.
"""

from collections.abc import Sequence
from typing import NamedTuple

MIN_COLUMN = 2
"""Shapes."""
MAX_SHAPES = 2_000


class Placed(NamedTuple):
    """A shape by its number in the file, and where it is; any unit, from the left and from the top."""

    number: int
    left: int
    top: int
    right: int
    bottom: int


def slide_order(shapes: Sequence[Placed]) -> list[int]:
    """The numbers of the shapes as one reads them."""
    order: list[int] = []
    waiting = [list(shapes)] if shapes else []
    while waiting:
        region = waiting.pop()
        parts = None if len(region) > MAX_SHAPES else _columns(region) or _bands(region)
        if parts is None:
            order += [shape.number for shape in sorted(region, key=lambda shape: (shape.top, shape.left))]
        else:
            waiting += reversed(parts)
    return order


def _columns(region: list[Placed]) -> list[list[Placed]] | None:
    parts = _cut(region, across=True)
    return parts if len(parts) > 1 and min(map(len, parts)) >= MIN_COLUMN else None


def _bands(region: list[Placed]) -> list[list[Placed]] | None:
    parts = _cut(region, across=False)
    if len(parts) > 1:
        return parts
    parts = _cut(region, across=True)
    return parts if len(parts) > 1 else None


def _cut(region: list[Placed], *, across: bool) -> list[list[Placed]]:
    """Groups between which nothing lies, from left to right or from top to bottom."""
    spans = [(shape.left, shape.right, shape) if across else (shape.top, shape.bottom, shape) for shape in region]
    parts: list[list[Placed]] = []
    end = 0
    for start, stop, shape in sorted(spans):
        if not parts or start >= end:
            parts.append([])
            end = stop
        parts[-1].append(shape)
        end = max(end, stop)
    return parts
