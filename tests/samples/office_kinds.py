"""Office documents with what real ones have and simple ones don't: each function says what is in its document."""

import io
import re
import zipfile
from typing import Any

import docx
import pptx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

W = nsdecls("w")
M = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def word(*paragraphs: str) -> bytes:
    """A document of these elements; w: and m: are their namespaces."""
    document = docx.Document()
    for paragraph in paragraphs:
        document.element.body.insert_element_before(parse_xml(paragraph.replace(">", f" {W} {M}>", 1)), "w:sectPr")
    return saved(document)


def numbered() -> bytes:
    """Two levels of headings that number themselves, a list by letters, and one that begins again at 3."""
    document = docx.Document()
    numbering = document.part.numbering_part.element
    levels = "".join(
        f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for level, (form, text) in enumerate([("decimal", "%1"), ("decimal", "%1.%2"), ("lowerLetter", "(%3)")])
    )
    for part in (
        f'<w:abstractNum {W} w:abstractNumId="90">{levels}</w:abstractNum>',
        f'<w:num {W} w:numId="90"><w:abstractNumId w:val="90"/></w:num>',
        f'<w:num {W} w:numId="91"><w:abstractNumId w:val="90"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/>'
        "</w:lvlOverride></w:num>",
    ):
        numbering.append(parse_xml(part))
    for text, style, level, number in [
        ("Scope", "Heading 1", 0, 90),
        ("Terms", "Heading 1", 0, 90),
        ("Price", "Heading 2", 1, 90),
        ("Tax", "Heading 2", 1, 90),
        ("first", None, 2, 90),
        ("second", None, 2, 90),
        ("Annex", "Heading 1", 0, 91),
    ]:
        paragraph = document.add_paragraph(text, style=style)
        properties = paragraph._p.get_or_add_pPr()
        properties.append(parse_xml(f'<w:numPr {W}><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'))
    return saved(document)


def commented() -> bytes:
    """A paragraph on which Ann remarked."""
    document = docx.Document()
    paragraph = document.add_paragraph("The price is 12 euros.")
    document.add_comment(paragraph.runs, text="Is it still?", author="Ann", initials="A")
    return saved(document)


def merged() -> bytes:
    """A table with a cell over two rows and one over two columns."""
    document = docx.Document()
    table = document.add_table(rows=3, cols=3)
    for row, texts in zip(table.rows, [("Dept", "Name", "Age"), ("Sales", "Ann", "31"), ("", "both", "")], strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(2, 1).merge(table.cell(2, 2))
    return saved(document)


def slides() -> bytes:
    """Two columns of boxes; a chart; a table with a merged cell, and a picture's text."""
    deck = pptx.Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[5])
    first.shapes.title.text = "Two columns"
    for column, side in ((5, "Right"), (0.5, "Left")):
        for row, what in ((2, "head"), (3, "one"), (4, "two")):
            box = first.shapes.add_textbox(Inches(column), Inches(row), Inches(4), Inches(0.5))
            box.text_frame.text = f"{side} {what}"
    second = deck.slides.add_slide(deck.slide_layouts[5])
    second.shapes.title.text = "Sales"
    data = CategoryChartData()
    data.categories = ["East", "West"]
    data.add_series("2024", (19.2, 21.4))
    data.add_series("2025", (20, 22))
    second.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(2), Inches(5), Inches(3), data)
    table = second.shapes.add_table(3, 2, Inches(1), Inches(6), Inches(4), Inches(1)).table
    for place, text in {(0, 0): "Dept", (0, 1): "Name", (1, 0): "Sales", (1, 1): "Ann", (2, 1): "Bob"}.items():
        table.cell(*place).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    return saved(deck)


def of_kind(document: bytes, main: str, kind: str) -> bytes:
    """The same package with its main part declared as another kind of document."""
    return _changed(document, lambda name, data: data.replace(main.encode(), kind.encode()))


def strict(document: bytes) -> bytes:
    """The document under the names of the strict form of the standard."""

    def renamed(name: str, data: bytes) -> bytes:
        if not name.endswith((".xml", ".rels")):
            return data
        usual = rb"http://schemas\.openxmlformats\.org/(wordprocessingml|presentationml|officeDocument|drawingml)/2006/"
        return re.sub(usual, rb"http://purl.oclc.org/ooxml/\1/", data)

    return _changed(document, renamed)


def _changed(document: bytes, change: Any) -> bytes:
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as archive, zipfile.ZipFile(changed, "w") as written:
        for entry in archive.infolist():
            written.writestr(entry.filename, change(entry.filename, archive.read(entry)))
    return changed.getvalue()


def saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()
