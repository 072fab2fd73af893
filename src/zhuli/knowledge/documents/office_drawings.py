"""What drawings in office documents say: the data of a chart as a table, the words of a diagram. No library's objects here."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from zhuli.knowledge.documents.markdown_table import markdown_table
from zhuli.knowledge.documents.xml_part import parsed
from zhuli.types.knowledge.document import Block

CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
MAX_POINTS = 5_000
"""Of a series."""
MAX_SERIES = 100


def drawing_blocks(element: Any, parts: Any, page: int | None = None) -> Iterator[Block]:
    """The charts and diagrams that are drawn in here; `parts` is what the library calls the related parts, by their ids."""
    for place in element.iter(f"{CHART}chart", f"{DIAGRAM}relIds"):
        name = "id" if place.tag == f"{CHART}chart" else "dm"
        try:
            root = parsed(parts[place.get(f"{RELATION}{name}")].blob)
        except (KeyError, AttributeError, SyntaxError):
            continue  # what stands around it is still read
        yield from _chart(root, page) if name == "id" else _diagram(root, page)


def _chart(root: Any, page: int | None) -> Iterator[Block]:
    """Its title, and a row for each category with the values of all series."""
    title = root.find(f"{CHART}chart/{CHART}title")
    words = "".join(part.text or "" for part in title.iter(f"{DRAWING}t")) if title is not None else ""
    if words.strip():
        yield Block(f"Chart: {words.strip()}", page=page)
    series = list(root.iter(f"{CHART}ser"))[:MAX_SERIES]
    if not series:
        return
    categories = next((found for one in series if (found := _points(one, "cat") or _points(one, "xVal"))), [])
    names = [_name(one, number) for number, one in enumerate(series, 1)]
    values = [_points(one, "val") or _points(one, "yVal") for one in series]
    rows = zip_longest(categories, *values, fillvalue="")
    yield Block(markdown_table([["", *names], *(list(row) for row in rows)]), "table", page=page)


def _name(series: Any, number: int) -> str:
    words = [part.text or "" for part in series.iterfind(f"{CHART}tx//{CHART}v")]
    return " ".join(words) or f"Series {number}"


def _points(series: Any, kind: str) -> list[str]:
    """The values of one axis at their places, as the chart keeps them; levels of categories are joined."""
    source = series.find(f"{CHART}{kind}")
    if source is None:
        return []
    levels: Sequence[Any] = list(source.iter(f"{CHART}lvl")) or [source]
    shown: dict[int, list[str]] = {}
    for level in reversed(levels):
        for point in level.iter(f"{CHART}pt"):
            place, value = point.get("idx", ""), point.find(f"{CHART}v")
            if place.isdecimal() and int(place) < MAX_POINTS and value is not None:
                shown.setdefault(int(place), []).append(_short(value.text or ""))
    return [" ".join(shown.get(place, [])) for place in range(max(shown, default=-1) + 1)]


def _short(value: str) -> str:
    """A number without what binary arithmetic has left at its end, as 4.4000000000000004."""
    try:
        return f"{float(value):.15g}" if "." in value else value
    except ValueError:
        return value


def _diagram(root: Any, page: int | None) -> Iterator[Block]:
    for point in root.iter(f"{DIAGRAM}pt"):
        if words := "".join(part.text or "" for part in point.iter(f"{DRAWING}t")).strip():
            yield Block(f"- {words}", page=page)
