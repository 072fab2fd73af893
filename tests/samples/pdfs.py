"""PDFs as people make them, set by ReportLab: what is in them is told in the functions."""

import io

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    PageBreak,
    PageTemplate,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

STYLES = getSampleStyleSheet()
FILLING = "It goes on for a while so that lines have to be broken, as they are in any column of a paper. " * 3
CHINESE = (
    "中文文档的段落要足够长，这样一行写不下就会换到下一行。换行之后，字与字之间不应该有空格，句子仍然是完整的一句话。"
)


def two_columns() -> bytes:
    """A title across both columns, twelve numbered paragraphs in them, a heading after the sixth, page numbers below."""
    buffer = io.BytesIO()
    paper = BaseDocTemplate(buffer, pagesize=A4, invariant=True)
    frames = [Frame(60, 60, 225, 640), Frame(310, 60, 225, 640)]
    paper.addPageTemplates(PageTemplate(frames=frames, onPage=_furniture))
    story: list[Flowable] = []
    for number in range(1, 13):
        story.append(Paragraph(f"Paragraph {number} begins. {FILLING} Paragraph {number} ends.", STYLES["BodyText"]))
        if number == 6:
            story.append(Paragraph("Results", STYLES["Heading2"]))
    paper.build(story)
    return buffer.getvalue()


def _furniture(canvas: Canvas, _: BaseDocTemplate) -> None:
    canvas.setFont("Helvetica-Bold", 22)
    canvas.drawString(60, 760, "A Title across Two Columns")
    canvas.setFont("Helvetica", 10)
    canvas.drawCentredString(297, 30, str(canvas.getPageNumber()))


def tables() -> bytes:
    """A table with rules and one without, each between paragraphs."""
    ruled = Table([["City", "People"], ["Paris", "2,100,000"], ["Berlin", "3,700,000"]])
    ruled.setStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black)])
    plain = Table([["Fruit", "Price"], ["Apple", "1.20"], ["Pear", "2.10"], ["Plum", "0.90"]])
    body = STYLES["BodyText"]
    before = [
        Paragraph("Before the tables.", body),
        ruled,
        Paragraph(f"Between. {FILLING}", body),
        Spacer(1, 20),
        plain,
    ]
    after = [Spacer(1, 20), Paragraph("After the tables.", body)]
    return _built([*before, *after])


def chinese() -> bytes:
    """A heading and a paragraph of several lines on each of two pages, in a font that every reader of PDF has."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    body = ParagraphStyle("body", fontName="STSong-Light", fontSize=11, leading=16, wordWrap="CJK")
    heading = ParagraphStyle("heading", parent=body, fontSize=18, leading=26)
    first = [Paragraph("第一章", heading), Paragraph(CHINESE * 3, body), PageBreak()]
    return _built([*first, Paragraph("第二章", heading), Paragraph(CHINESE * 3, body)])


def turned(degrees: int) -> bytes:
    """Two lines that read well on a page that is shown turned."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(400, 400), invariant=True)
    canvas.setPageRotation(degrees)
    canvas.translate(200, 200)
    canvas.rotate(degrees)
    canvas.drawString(-150, 100, "The upper line of the page")
    canvas.drawString(-150, 50, "and the lower line of it")
    canvas.save()
    return buffer.getvalue()


def _built(story: list[Flowable]) -> bytes:
    buffer = io.BytesIO()
    SimpleDocTemplate(buffer, pagesize=A4, invariant=True).build(story)
    return buffer.getvalue()
