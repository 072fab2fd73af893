"""PowerPoint presentations (.pptx): a slide is a page, its title a heading; then its texts, tables and notes."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zhuli.knowledge.documents.markdown_table import markdown_table
from zhuli.knowledge.documents.office_package import open_package
from zhuli.types.knowledge.document import Block

MAX_DEPTH = 20
"""Of groups in each other."""


class Plugin:
    """Shapes from top to bottom and from left to right, as one reads a slide; the file has them in the order of their making."""

    extensions: Sequence[str] = (".pptx", ".pptm", ".potx", ".ppsx")

    def parse(self, path: Path) -> Iterator[Block]:
        import pptx  # python-pptx and lxml

        slides = open_package(pptx.Presentation, path, "presentation").slides
        for page, slide in enumerate(slides, 1):
            yield from _slide(slide, page)


def _slide(slide: Any, page: int) -> Iterator[Block]:
    title = slide.shapes.title
    if title is not None:
        yield Block(title.text_frame.text.replace("\v", " "), "heading", 1, page)
    for shape in sorted(slide.shapes, key=_place):
        if title is None or shape.shape_id != title.shape_id:
            yield from _shape(shape, page, 0)
    if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None and notes.text.strip():
        yield Block(f"Notes: {notes.text}", page=page)


def _place(shape: Any) -> tuple[int, int]:
    """In tenths of an inch, so that what stands side by side counts as one line."""
    return (shape.top or 0) // 91440, shape.left or 0


def _shape(shape: Any, page: int, depth: int) -> Iterator[Block]:
    if hasattr(shape, "shapes"):  # a group
        if depth < MAX_DEPTH:
            for part in sorted(shape.shapes, key=_place):
                yield from _shape(part, page, depth + 1)
    elif shape.has_text_frame:
        yield Block("\n".join(_line(paragraph) for paragraph in shape.text_frame.paragraphs), page=page)
    elif getattr(shape, "has_table", False):
        rows = ([cell.text for cell in row.cells] for row in shape.table.rows)
        yield Block(markdown_table(rows), "table", page=page)


def _line(paragraph: Any) -> str:
    """Deeper levels are set in, as a list."""
    return f"{'  ' * (paragraph.level - 1)}- {paragraph.text}" if paragraph.level else paragraph.text
