"""Office documents as people make them, by the libraries that write them: what is in them is told in the functions."""

import io
from datetime import datetime
from typing import Any

import docx
import pptx
import xlsxwriter
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from pptx.util import Inches


def letter() -> bytes:
    """Word: a title, headings of two levels, a list, a table between two paragraphs, a deletion and an insertion."""
    document = docx.Document()
    document.add_heading("Annual report", 0)
    document.add_heading("Sales", 1)
    document.add_paragraph("Sales grew by a third.")
    document.add_paragraph("North", style="List Bullet")
    document.add_paragraph("South", style="List Bullet")
    document.add_heading("By city", 2)
    table = document.add_table(rows=2, cols=3)
    for row, texts in zip(table.rows, [("City", "Units", "Note"), ("Oslo", "12", "new | old")], strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    changed = document.add_paragraph("The price is ")
    for tag, inside, text in (("del", "delText", "10"), ("ins", "t", "12 euros")):
        run = f'<w:{tag} {nsdecls("w")} w:id="1" w:author="x"><w:r><w:{inside}>{text}</w:{inside}></w:r></w:{tag}>'
        changed._p.append(parse_xml(run))
    document.add_heading("附录", 1)
    document.add_paragraph("这是最后一段。")
    return _saved(document)


def slides() -> bytes:
    """PowerPoint: two slides; on the first a box that was made last stands first, on the second a table and notes."""
    deck = pptx.Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[5])
    first.shapes.title.text = "Welcome"
    first.shapes.add_textbox(Inches(1), Inches(5), Inches(4), Inches(1)).text_frame.text = "Lower words"
    first.shapes.add_textbox(Inches(1), Inches(3), Inches(4), Inches(1)).text_frame.text = "Upper words"
    second = deck.slides.add_slide(deck.slide_layouts[5])
    second.shapes.title.text = "Numbers"
    table = second.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for place, text in {(0, 0): "Year", (0, 1): "Profit", (1, 0): "2025", (1, 1): "7"}.items():
        table.cell(*place).text = text
    second.notes_slide.notes_text_frame.text = "Speak slowly here."
    return _saved(deck)


def workbook() -> bytes:
    """Excel: a sheet with a header, a number, a day and an empty row; an empty sheet; a sheet of 100 rows."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    stock = book.add_worksheet("Stock")
    stock.write_row(0, 0, ["Part", "Count", "Since"])
    stock.write_row(1, 0, ["Bolt", 3])
    stock.write_datetime(1, 2, datetime(2024, 5, 17))
    stock.write_row(3, 0, ["Nut", 2.5])
    book.add_worksheet("Nothing")
    long = book.add_worksheet("长表")
    long.write_row(0, 0, ["编号", "名称"])
    for number in range(1, 101):
        long.write_row(number, 0, [number, f"零件{number}"])
    book.close()
    return buffer.getvalue()


def _saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()
