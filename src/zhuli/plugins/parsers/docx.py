"""Word documents (.docx): headings, paragraphs, lists and tables in their order, then the notes. Headers are left out."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zhuli.knowledge.documents.markdown_table import markdown_table
from zhuli.knowledge.documents.office_package import open_package
from zhuli.types.knowledge.document import Block

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"^(?:heading|标题|標題|überschrift|titre|título)\s*(\d)$", re.IGNORECASE)
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""What is in here, like a text box, is there once more in the form of newer programs."""
NOTES = ("footnotes", "endnotes")
MAX_DEPTH = 50
"""Of content controls and tables in each other."""


class Plugin:
    """Insertions that are tracked count as accepted, deletions as gone. Notes stand at the end, as [1] …"""

    extensions: Sequence[str] = (".docx", ".docm", ".dotx")

    def parse(self, path: Path) -> Iterator[Block]:
        import docx  # python-docx and lxml

        document = open_package(docx.Document, path, "Word document")
        for twice in list(document.element.body.iter(FALLBACK)):
            twice.getparent().remove(twice)
        levels = _heading_levels(document)
        yield from _blocks(document.element.body, levels, 0)
        yield from _notes(document)


def _heading_levels(document: Any) -> dict[str, int]:
    """Style id → level, by the style's outline level or its name."""
    levels = {}
    for style in document.styles.element.iter(f"{WORD}style"):
        name = style.find(f"{WORD}name")
        outline = style.find(f"{WORD}pPr/{WORD}outlineLvl")
        named = _HEADING.match(name.get(f"{WORD}val", "")) if name is not None else None
        if named or (name is not None and name.get(f"{WORD}val") == "Title"):
            levels[style.get(f"{WORD}styleId")] = int(named[1]) if named else 1
        elif outline is not None and outline.get(f"{WORD}val", "9") < "6":
            levels[style.get(f"{WORD}styleId")] = int(outline.get(f"{WORD}val")) + 1
    return levels


def _blocks(parent: Any, levels: dict[str, int], depth: int) -> Iterator[Block]:
    for element in parent:
        if element.tag == f"{WORD}p":
            yield _paragraph(element, levels)
        elif element.tag == f"{WORD}tbl":
            yield Block(markdown_table(_rows(element)), "table")
        elif element.tag in {f"{WORD}sdt", f"{WORD}sdtContent", f"{WORD}customXml", f"{WORD}ins"} and depth < MAX_DEPTH:
            yield from _blocks(element, levels, depth + 1)


def _paragraph(paragraph: Any, levels: dict[str, int]) -> Block:
    style = paragraph.find(f"{WORD}pPr/{WORD}pStyle")
    level = levels.get(style.get(f"{WORD}val"), 0) if style is not None else 0
    text = _text(paragraph)
    if level:
        return Block(text, "heading", min(level, 6))
    numbered = paragraph.find(f"{WORD}pPr/{WORD}numPr") is not None
    is_list = numbered or (style is not None and style.get(f"{WORD}val", "").startswith("List"))
    return Block(f"- {text}" if is_list and text.strip() else text)


def _text(element: Any) -> str:
    """Everything that is written in here, text boxes too, without what is deleted."""
    words = []
    for part in element.iter():
        if part.tag == f"{WORD}t":
            words.append(part.text or "")
        elif part.tag == f"{WORD}tab":
            words.append("\t" if part.getparent().tag == f"{WORD}r" else "")
        elif part.tag in {f"{WORD}br", f"{WORD}cr"}:
            words.append("\n")
        elif part.tag in {f"{WORD}footnoteReference", f"{WORD}endnoteReference"}:
            words.append(f"[{part.get(f'{WORD}id')}]")
    return "".join(words)


def _rows(table: Any) -> list[list[str]]:
    """A cell that spans columns is followed by empty ones; a table in a cell is text of that cell."""
    rows = []
    for row in table.iterchildren(f"{WORD}tr"):
        cells: list[str] = []
        for cell in row.iter(f"{WORD}tc"):
            if cell.getparent() is not row and cell.getparent().tag == f"{WORD}tr":
                continue
            span = cell.find(f"{WORD}tcPr/{WORD}gridSpan")
            paragraphs = [_text(paragraph) for paragraph in cell.iter(f"{WORD}p")]
            width = int(span.get(f"{WORD}val", "1")) if span is not None else 1
            cells += [" ".join(paragraphs)] + [""] * min(width - 1, 100)
        rows.append(cells)
    return rows


def _notes(document: Any) -> Iterator[Block]:
    """Footnotes and endnotes; python-docx gives their parts as bytes."""
    from docx.oxml import parse_xml

    for part in document.part.package.iter_parts():
        if part.partname.filename.removesuffix(".xml") in NOTES:
            for note in parse_xml(part.blob):
                if note.get(f"{WORD}type") is None:  # the others are lines that separate
                    yield Block(
                        f"[{note.get(f'{WORD}id')}] {' '.join(_text(p) for p in note.iter(f'{WORD}p')).strip()}"
                    )
