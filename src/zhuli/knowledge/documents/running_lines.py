"""Lines that a document says on page after page, above and below its text: they are read where they stand first."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from zhuli.knowledge.documents.page_layout import Row

ZONE = 0.15
"""Of the page's height, above and below, in which such lines stand."""
OUTERMOST = 3
"""Lines at each end that are looked at."""
APART = 0.8
"""White between such lines and the text, in heights of a line."""
MIN_PAGES = 3
WITHIN = 4
"""Pages in which the next one with the line must come: left and right pages differ, and so do chapters."""

_NUMBER = re.compile(r"\d+|\b[ivxl]+\b", re.IGNORECASE)


def without_running_lines(pages: Sequence[tuple[list[Row], float]]) -> list[list[Row]]:
    """The rows of pages (with their heights in points), those that run left out on all pages but their first.

    A line runs when it stands near the edge of at least MIN_PAGES pages, the same but for numbers.
    """
    seen: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, (rows, height) in enumerate(pages):
        for place in set(_outer(rows, height)):
            if said := _said(rows[place]):
                seen[said].append((number, place))
    dropped = {place for places in seen.values() for place in _running(places)}
    return [
        [row for place, row in enumerate(rows) if (number, place) not in dropped]
        for number, (rows, _) in enumerate(pages)
    ]


def _outer(rows: Sequence[Row], height: float) -> Iterator[int]:
    """Which rows stand at the edges of the page."""
    order = sorted(
        (place for place, row in enumerate(rows) if row[0].block is None), key=lambda place: rows[place][0].top
    )
    above = [place for place in order[:OUTERMOST] if rows[place][0].bottom < ZONE * height]
    below = [place for place in reversed(order[-OUTERMOST:]) if rows[place][0].top > (1 - ZONE) * height]
    for outer, inwards in ((above, order), (below, order[::-1])):
        while outer and len(outer) < len(inwards) and not _is_apart(rows[outer[-1]], rows[inwards[len(outer)]]):
            outer.pop()
        yield from outer


def _is_apart(row: Row, other: Row) -> bool:
    """Whether there is white between two rows, as there is between the text and what runs above or below it."""
    upper, lower = sorted((row[0], other[0]), key=lambda piece: piece.top)
    return lower.top - upper.bottom > APART * upper.size


def _said(row: Row) -> str:
    return " ".join(_NUMBER.sub("#", " ".join(piece.text for piece in row)).lower().split())


def _running(places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """All but the first of each stretch of pages that have the line."""
    stretch: list[tuple[int, int]] = []
    for place in places:
        if stretch and place[0] - stretch[-1][0] > WITHIN:
            yield from _rest(stretch)
            stretch = []
        stretch.append(place)
    yield from _rest(stretch)


def _rest(stretch: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    return stretch[1:] if len(stretch) >= MIN_PAGES else ()
