"""A Word document as blocks: what it shows, in the order in which it shows it, with the numbers that Word writes by itself."""

import re
from collections.abc import Iterator
from typing import Any

from zhuli.knowledge.documents.markdown_table import flat_table, markdown_table
from zhuli.knowledge.documents.office_drawings import drawing_blocks
from zhuli.knowledge.documents.word_numbering import MAX_CHAIN, WORD, Numbering, val
from zhuli.knowledge.documents.word_text import said_in
from zhuli.types.knowledge.document import Block

_HEADING = re.compile(r"^(?:heading|标题|標題|überschrift|titre|título|titolo|rubrik|kop)\s*(\d)$", re.IGNORECASE)
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""What is in here, like a text box, is there once more in the form of newer programs."""
AROUND = frozenset(f"{WORD}{name}" for name in "sdt sdtContent customXml ins moveTo smartTag".split())
"""What may stand around paragraphs, rows and cells."""
NOTES = ("footnotes", "endnotes")
MAX_DEPTH = 50
"""Of content controls, boxes and tables in each other."""
MAX_SPAN = 100


class WordDocument:
    """parts: the XML of "numbering", "footnotes", "endnotes" and "comments", as far as they are there; related: by ids."""

    def __init__(self, body: Any, styles: Any, parts: dict[str, Any], related: Any) -> None:
        for twice in list(body.iter(FALLBACK)):
            twice.getparent().remove(twice)
        self._body = body
        self._styles = {style.get(f"{WORD}styleId"): style for style in styles.iter(f"{WORD}style")}
        self._levels = {name: level for name in self._styles if (level := self._style_level(name))}
        self._hidden = {
            name for name, style in self._styles.items() if style.find(f"{WORD}rPr/{WORD}vanish") is not None
        }
        self._numbering = Numbering(parts.get("numbering"), styles)
        self._notes = [parts[name] for name in NOTES if name in parts]
        comments = parts.get("comments")
        found = [] if comments is None else comments.iter(f"{WORD}comment")
        self._comments = {comment.get(f"{WORD}id"): comment for comment in found}
        self._related = related

    def blocks(self) -> Iterator[Block]:
        """The body, then the notes as [1] …"""
        yield from self._in(self._body, 0)
        for notes in self._notes:
            for note in notes:
                if note.get(f"{WORD}type") is None:  # the others are lines that separate
                    yield Block(f"[{note.get(f'{WORD}id')}] {self._words(note)}")

    def _style_level(self, name: str) -> int:
        """Of the headings that are set in the style, by its name or outline level or those of what it is based on."""
        for _ in range(MAX_CHAIN):
            style = self._styles.get(name)
            if style is None:
                return 0
            called, outline = val(style, "name"), val(style, "pPr/outlineLvl")
            if named := _HEADING.match(called):
                return min(max(int(named[1]), 1), 6)
            if called == "Title":
                return 1
            if outline:
                return int(outline) + 1 if outline < "6" else 0
            name = val(style, "basedOn")
        return 0

    def _in(self, parent: Any, depth: int) -> Iterator[Block]:
        for element in parent:
            if element.tag == f"{WORD}p":
                yield from self._paragraph(element, depth)
            elif element.tag == f"{WORD}tbl" and depth < MAX_DEPTH:
                yield from self._table(element, depth)
            elif element.tag in AROUND and depth < MAX_DEPTH:
                yield from self._in(element, depth + 1)

    def _paragraph(self, paragraph: Any, depth: int) -> Iterator[Block]:
        """The paragraph, then what is placed beside it: boxes, drawings, comments."""
        style = val(paragraph, "pPr/pStyle")
        outline = val(paragraph, "pPr/outlineLvl")
        level = int(outline) + 1 if outline and outline < "6" else self._levels.get(style, 0)
        said = said_in(paragraph, self._hidden)
        text = said.text
        if text.strip():
            mark = self._numbering.mark(paragraph)
            if level:
                yield Block(f"{mark} {text}" if mark.strip("-") else text, "heading", level)
            else:
                mark = mark or ("-" if style.startswith("ListBullet") else "")
                yield Block(f"{mark} {text}" if mark else text)
        for box in said.boxes:
            if depth < MAX_DEPTH:
                yield from self._in(box, depth + 1)
        yield from drawing_blocks(paragraph, self._related)
        for name in said.comments:
            if (comment := self._comments.get(name)) is not None:
                author = comment.get(f"{WORD}author")
                yield Block(f"Comment{f' by {author}' if author else ''}: {self._words(comment)}")

    def _words(self, element: Any) -> str:
        return " ".join(said_in(paragraph, self._hidden).text for paragraph in element.iter(f"{WORD}p")).strip()

    def _table(self, table: Any, depth: int) -> Iterator[Block]:
        """As rows, each cell that is merged said in every place; one of a single column is a frame around text."""
        rows = list(_inner(table, f"{WORD}tr"))
        cells = [list(_inner(row, f"{WORD}tc")) for row in rows]
        if max(map(len, cells), default=0) < 2:
            for cell in (cell for row in cells for cell in row):
                yield from self._in(cell, depth + 1)
            return
        besides: list[Block] = []
        texts: list[list[str]] = []
        for row, own in zip(rows, cells, strict=True):
            if row.find(f"{WORD}trPr/{WORD}del") is None:
                texts.append(self._row(row, own, texts[-1] if texts else [], besides, depth))
        yield Block(markdown_table(texts), "table")
        yield from besides

    def _row(self, row: Any, cells: list[Any], above: list[str], besides: list[Block], depth: int) -> list[str]:
        before = val(row, "trPr/gridBefore")
        texts = [""] * min(int(before) if before.isdecimal() else 0, MAX_SPAN)
        for cell in cells:
            merged = cell.find(f"{WORD}tcPr/{WORD}vMerge")
            if merged is not None and merged.get(f"{WORD}val", "continue") == "continue" and len(texts) < len(above):
                text = above[len(texts)]
            else:
                text = self._cell(cell, besides, depth)
            span = val(cell, "tcPr/gridSpan", "1")
            texts += [text] * min(int(span) if span.isdecimal() else 1, MAX_SPAN)
        return texts

    def _cell(self, cell: Any, besides: list[Block], depth: int) -> str:
        """The words in the cell, those of tables in it too; what is remarked in it stands behind the table."""
        words: list[str] = []
        for block in self._in(cell, depth + 1):
            if block.text.startswith(("Comment by ", "Comment: ")):
                besides.append(block)
            else:
                words.append(flat_table(block.text) if block.kind == "table" else block.text)
        return " ".join(words)


def _inner(parent: Any, tag: str, depth: int = 0) -> Iterator[Any]:
    """The rows of a table or the cells of a row, also in content controls, and without what is deleted."""
    for element in parent:
        if element.tag == tag:
            yield element
        elif element.tag in AROUND and depth < MAX_DEPTH:
            yield from _inner(element, tag, depth + 1)
