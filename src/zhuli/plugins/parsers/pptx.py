"""PowerPoint (.pptx and its sisters): a slide is a page, its title a heading; then its texts, tables, charts and notes."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from zhuli.knowledge.documents.markdown_table import markdown_table
from zhuli.knowledge.documents.office_drawings import DRAWING, drawing_blocks
from zhuli.knowledge.documents.office_math import MATH, latex
from zhuli.knowledge.documents.office_package import open_package
from zhuli.knowledge.documents.slide_order import Placed, slide_order
from zhuli.knowledge.documents.xml_part import parsed
from zhuli.types.knowledge.document import Block

MAX_DEPTH = 20
"""Of groups in each other."""
RUNNING = frozenset(("sldNum", "dt", "ftr", "hdr"))
"""Placeholders that say the same on every slide."""
COMPATIBLE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"


class Plugin:
    """Shapes as one reads a slide, columns one after the other; the file has them in the order of their making."""

    extensions: Sequence[str] = (".pptx", ".pptm", ".potx", ".ppsx", ".potm", ".ppsm")

    def parse(self, path: Path) -> Iterator[Block]:
        for page, slide in enumerate(open_package(_opened, path, "presentation").slides, 1):
            yield from _slide(slide, page)


def _opened(file: BinaryIO) -> Any:
    from pptx.opc.package import PartFactory  # python-pptx and lxml
    from pptx.package import Package
    from pptx.parts.presentation import PresentationPart

    for kind in ("slideshow", "template"):
        PartFactory.part_type_for[f"application/vnd.ms-powerpoint.{kind}.macroEnabled.main+xml"] = PresentationPart
    return Package.open(file).presentation_part.presentation


def _slide(slide: Any, page: int) -> Iterator[Block]:
    _choose(slide.shapes._spTree)
    title = slide.shapes.title
    if title is not None:
        yield Block(" ".join(_text(title.text_frame._txBody).split()), "heading", 1, page)
    yield from _shapes(slide.shapes, page, 0, None if title is None else title.shape_id)
    if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None and notes.text.strip():
        yield Block(f"Notes: {notes.text}", page=page)
    yield from _comments(slide.part, page)


def _choose(tree: Any) -> None:
    """Where a shape is there in several forms, like a formula, take the first."""
    for several in list(tree.iter(f"{COMPATIBLE}AlternateContent")):
        choice, parent = several.find(f"{COMPATIBLE}Choice"), several.getparent()
        for chosen in [] if choice is None else list(choice):
            several.addprevious(chosen)
        parent.remove(several)


def _shapes(shapes: Any, page: int, depth: int, title: int | None) -> Iterator[Block]:
    found = [shape for shape in shapes if (depth or shape.shape_id != title) and not _is_running(shape)]
    for number in slide_order([_placed(number, shape) for number, shape in enumerate(found)]):
        yield from _shape(found[number], page, depth)


def _is_running(shape: Any) -> bool:
    return any(place.get("type") in RUNNING for place in shape._element.iter() if str(place.tag).endswith("}ph"))


def _placed(number: int, shape: Any) -> Placed:
    left, top = shape.left or 0, shape.top or 0
    return Placed(number, left, top, left + (shape.width or 0), top + (shape.height or 0))


def _shape(shape: Any, page: int, depth: int) -> Iterator[Block]:
    if hasattr(shape, "shapes"):  # a group
        if depth < MAX_DEPTH:
            yield from _shapes(shape.shapes, page, depth + 1, None)
    elif shape.has_text_frame:
        yield Block(_text(shape.text_frame._txBody), page=page)
    elif getattr(shape, "has_table", False):
        yield Block(markdown_table(_rows(shape.table._tbl)), "table", page=page)
    else:
        yield from drawing_blocks(shape._element, _Related(shape.part), page)
        yield Block(_alternative(shape), page=page)


class _Related:
    """The parts that a slide refers to, by their ids."""

    def __init__(self, part: Any) -> None:
        self._part = part

    def __getitem__(self, name: str) -> Any:
        return self._part.related_part(name)


def _alternative(shape: Any) -> str:
    """What the author wrote in place of a picture; not the name of its file, which programs put there."""
    properties = next((one for one in shape._element.iter() if str(one.tag).endswith("}cNvPr")), None)
    text = "" if properties is None else properties.get("descr", "").strip()
    return "" if " " not in text and "." in text else text


def _rows(table: Any) -> list[list[str]]:
    """Cells that are merged say the same in every place."""
    rows: list[list[str]] = []
    for row in table.iterchildren(f"{DRAWING}tr"):
        texts: list[str] = []
        for cell in row.iterchildren(f"{DRAWING}tc"):
            if cell.get("hMerge") in {"1", "true"} and texts:
                texts.append(texts[-1])
            elif cell.get("vMerge") in {"1", "true"} and rows and len(texts) < len(rows[-1]):
                texts.append(rows[-1][len(texts)])
            else:
                texts.append(_text(cell))
        rows.append(texts)
    return rows


def _text(body: Any) -> str:
    return "\n".join(_line(paragraph) for paragraph in body.iter(f"{DRAWING}p"))


def _line(paragraph: Any) -> str:
    """Its text; deeper levels are set in, as a list."""
    words = []
    formulas = {part for formula in paragraph.iter(f"{MATH}oMath") for part in formula.iter()}
    for part in paragraph.iter():
        if part.tag == f"{MATH}oMath":
            words.append(f"${latex(part)}$")
        elif part.tag == f"{DRAWING}t" and part not in formulas:
            words.append(part.text or "")
        elif part.tag == f"{DRAWING}br":
            words.append("\n")
        elif part.tag == f"{DRAWING}tab":
            words.append("\t" if part.getparent().tag == f"{DRAWING}r" else "")
    properties = paragraph.find(f"{DRAWING}pPr")
    level = "0" if properties is None else properties.get("lvl", "0")
    deep = int(level) if level.isdecimal() else 0
    return f"{'  ' * min(deep - 1, 8)}- {''.join(words)}" if deep else "".join(words)


def _comments(part: Any, page: int) -> Iterator[Block]:
    """What people remarked on the slide, in the old form and in the new one."""
    for relation in part.rels.values():
        if relation.is_external or not relation.reltype.endswith("/comments"):
            continue
        for comment in parsed(relation.target_part.blob):
            words = [element.text or "" for element in comment.iter() if str(element.tag).endswith(("}text", "}t"))]
            if text := " ".join(words).strip():
                yield Block(f"Comment: {text}", page=page)
