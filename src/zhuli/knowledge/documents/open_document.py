"""Texts and presentations of OpenDocument (ISO/IEC 26300, .odt and .odp) as blocks; spreadsheets are read by another library."""

from collections.abc import Iterator
from typing import Any

from zhuli.knowledge.documents.markdown_table import flat_table, markdown_table
from zhuli.knowledge.documents.slide_order import Placed, slide_order
from zhuli.types.knowledge.document import Block

_NAMES = "urn:oasis:names:tc:opendocument:xmlns:"
OFFICE, TEXT, TABLE, DRAW, STYLE, SHOW = (
    f"{{{_NAMES}{name}:1.0}}" for name in ("office", "text", "table", "drawing", "style", "presentation")
)
SVG = f"{{{_NAMES}svg-compatible:1.0}}"
LEFT_OUT = frozenset((f"{TEXT}tracked-changes", f"{TEXT}hidden-text", f"{OFFICE}forms", f"{TEXT}sequence-decls"))
MAX_DEPTH = 50
"""Of lists, boxes, tables and sections in each other."""
MAX_REPEATED = 1_000
"""Columns or rows that a cell or a row stands for."""
UNITS = {"cm": 28.35, "mm": 2.835, "in": 72.0, "pt": 1.0, "px": 0.75}


class OpenDocument:
    """content: the root of content.xml."""

    def __init__(self, content: Any) -> None:
        self._body = next(iter(content.iter(f"{OFFICE}text", f"{OFFICE}presentation")), None)
        self._numbered = {
            (style.get(f"{STYLE}name"), level.get(f"{TEXT}level"))
            for style in content.iter(f"{TEXT}list-style")
            for level in style.iter(f"{TEXT}list-level-style-number")
        }
        self._notes: list[Block] = []

    def blocks(self) -> Iterator[Block]:
        """The body in its order, a slide as a page; the notes at the end, as [1] …"""
        if self._body is None:
            return
        if self._body.tag == f"{OFFICE}presentation":
            for page, slide in enumerate(self._body.iterchildren(f"{DRAW}page"), 1):
                yield from self._slide(slide, page)
        else:
            yield from self._in(self._body, None, 0)
        yield from self._notes

    def _slide(self, slide: Any, page: int) -> Iterator[Block]:
        shapes = [shape for shape in slide if shape.tag not in {f"{SHOW}notes", f"{OFFICE}annotation"}]
        titles = [shape for shape in shapes if shape.get(f"{SHOW}class") == "title"]
        for title in titles:
            yield Block(
                " ".join(" ".join(self._text(part) for part in title.iter(f"{TEXT}p")).split()), "heading", 1, page
            )
        rest = [shape for shape in shapes if shape not in titles]
        for number in slide_order([_placed(number, shape) for number, shape in enumerate(rest)]):
            yield from self._in([rest[number]], page, 0)
        for notes in slide.iterchildren(f"{SHOW}notes"):
            if words := " ".join(self._text(part) for part in notes.iter(f"{TEXT}p")).strip():
                yield Block(f"Notes: {words}", page=page)

    def _in(self, parent: Any, page: int | None, depth: int) -> Iterator[Block]:
        if depth > MAX_DEPTH:
            return
        for element in parent:
            if element.tag in LEFT_OUT or element.get(f"{TEXT}display") == "none":
                continue
            if element.tag == f"{TEXT}h":
                level = element.get(f"{TEXT}outline-level", "1")
                yield Block(
                    self._text(element), "heading", min(max(int(level), 1), 6) if level.isdecimal() else 1, page
                )
            elif element.tag == f"{TEXT}p":
                yield Block(self._text(element), page=page)
                yield from self._beside(element, page, depth)
            elif element.tag == f"{TEXT}list":
                yield from self._list(element, page, depth, "", 1)
            elif element.tag == f"{TABLE}table":
                yield Block(markdown_table(self._rows(element)), "table", page=page)
            elif isinstance(element.tag, str):
                yield from self._in(element, page, depth + 1)

    def _beside(self, paragraph: Any, page: int | None, depth: int) -> Iterator[Block]:
        """Boxes that hang on the paragraph, and what people remarked."""
        for box in paragraph.iter(f"{DRAW}text-box"):
            yield from self._in(box, page, depth + 1)
        for remark in paragraph.iter(f"{OFFICE}annotation"):
            words = " ".join(self._text(part) for part in remark.iter(f"{TEXT}p"))
            author = next((part.text for part in remark.iter() if str(part.tag).endswith("}creator")), None)
            yield Block(f"Comment{f' by {author}' if author else ''}: {words}", page=page)

    def _list(self, element: Any, page: int | None, depth: int, style: str, level: int) -> Iterator[Block]:
        style = element.get(f"{TEXT}style-name") or style
        count = 0
        for item in element:
            mark = ""
            if item.tag == f"{TEXT}list-item" and depth < MAX_DEPTH:
                start = item.get(f"{TEXT}start-value", "")
                count = int(start) if start.isdecimal() else count + 1
                mark = f"{count}. " if (style, str(level)) in self._numbered else "- "
            for part in item:
                if part.tag == f"{TEXT}list":
                    yield from self._list(part, page, depth + 1, style, level + 1)
                    continue
                for block in self._in([part], page, depth + 1):
                    yield Block(mark + block.text, block.kind, block.level, page) if block.text.strip() else block
                    mark = "" if block.text.strip() else mark

    def _rows(self, table: Any) -> list[list[str]]:
        """A cell that spans some says its text in each place."""
        rows: list[list[str]] = []
        waiting: dict[int, tuple[str, int]] = {}
        for row in _rows_of(table, 0):
            cells: list[str] = []
            for cell in row.iterchildren(f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
                for _ in range(_count(cell, "number-columns-repeated")):
                    cells.append(self._cell(cell, len(cells), waiting))
            rows += [cells] * (_count(row, "number-rows-repeated") if any(cells) else 1)
        return rows

    def _cell(self, cell: Any, column: int, waiting: dict[int, tuple[str, int]]) -> str:
        """What stands there. waiting: by column, what cells that span say, and in how many places there they still do."""
        if cell.tag == f"{TABLE}covered-table-cell":
            said, left = waiting.pop(column, ("", 0))
            if left > 1:
                waiting[column] = said, left - 1
            return said
        blocks = self._in(cell, None, 1)
        said = " ".join(flat_table(block.text) if block.kind == "table" else block.text for block in blocks)
        across, down = _count(cell, "number-columns-spanned"), _count(cell, "number-rows-spanned")
        waiting[column] = said, down - 1
        waiting |= {column + more: (said, down) for more in range(1, across)}
        return said

    def _text(self, element: Any, depth: int = 0) -> str:
        words = [element.text or ""]
        for part in element:
            if part.tag == f"{TEXT}s":
                words.append(" " * min(int(part.get(f"{TEXT}c") or 1), 100))
            elif part.tag in {f"{TEXT}tab", f"{TEXT}line-break"}:
                words.append("\t" if part.tag == f"{TEXT}tab" else "\n")
            elif part.tag == f"{TEXT}note":
                words.append(self._note(part))
            elif part.tag in {f"{DRAW}frame", f"{DRAW}custom-shape"}:
                words += [f" {title.text} " for title in part.iter(f"{SVG}title") if title.text]
            elif part.tag not in LEFT_OUT | {f"{OFFICE}annotation", f"{DRAW}text-box"} and depth < MAX_DEPTH:
                words.append(self._text(part, depth + 1) if isinstance(part.tag, str) else "")
            words.append(part.tail or "")
        return "".join(words)

    def _note(self, note: Any) -> str:
        mark = f"[{len(self._notes) + 1}]"
        words = " ".join(self._text(part) for part in note.iterfind(f"{TEXT}note-body//{TEXT}p"))
        self._notes.append(Block(f"{mark} {words}"))
        return mark


def _rows_of(table: Any, depth: int) -> Iterator[Any]:
    """The rows of a table, in groups and headers too; none of tables in it."""
    for element in table:
        if element.tag == f"{TABLE}table-row":
            yield element
        elif depth < MAX_DEPTH and str(element.tag).startswith(TABLE):
            yield from _rows_of(element, depth + 1)


def _count(element: Any, name: str) -> int:
    text = element.get(f"{TABLE}{name}", "1")
    return min(int(text), MAX_REPEATED) if text.isdecimal() else 1


def _placed(number: int, shape: Any) -> Placed:
    left, top, width, height = (_points(shape.get(f"{SVG}{name}", "0")) for name in ("x", "y", "width", "height"))
    return Placed(number, left, top, left + width, top + height)


def _points(length: str) -> int:
    try:
        return int(float(length[:-2]) * UNITS.get(length[-2:], 1.0))
    except ValueError:
        return 0
