"""PDFs with what real ones have and simple ones don't: each function says what is on its pages."""

import io

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = A4


class Paper:
    """A canvas that is drawn on from the top of an A4 page."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self.canvas = Canvas(self._buffer, pagesize=A4, invariant=True)

    def write(self, text: str, left: float, top: float, *, size: float = 10, font: str = "Helvetica") -> None:
        self.canvas.setFont(font, size)
        self.canvas.drawString(left, HEIGHT - top, text)

    def rules(self, lefts: list[float], tops: list[float]) -> None:
        self.canvas.grid(lefts, [HEIGHT - top for top in tops])

    def done(self) -> bytes:
        self.canvas.save()
        return self._buffer.getvalue()


def overflowing() -> bytes:
    """A ruled table: a cell over two columns, one over two rows, and a number that reaches over its rule."""
    paper = Paper()
    canvas = paper.canvas
    xs, ys = [60.0, 160, 260, 360], [100.0, 120, 140, 160]
    for y in ys:
        left = xs[1] if y == ys[2] else xs[0]
        canvas.line(left, HEIGHT - y, xs[3], HEIGHT - y)
    for x in xs:
        canvas.line(x, HEIGHT - (ys[1] if x == xs[2] else ys[0]), x, HEIGHT - ys[3])
    for text, left, top in [
        ("Region", 64, 114),
        ("Sales", 164, 114),
        ("North", 64, 134),
        ("first", 164, 134),
        ("second", 264, 134),
        ("1,234,567.89", 204, 154),
        ("next", 300, 154),
    ]:
        paper.write(text, left, top)
    return paper.done()


def framed() -> bytes:
    """A page with a frame and a rule around two long texts: no table."""
    paper = Paper()
    paper.rules([50, 500], [50, 100, 700])
    paper.write("A framed title", 60, 80)
    for line in range(30):
        paper.write(f"Line {line} of a text that fills the frame and goes on for a while.", 60, 120 + 14 * line)
    return paper.done()


def running() -> bytes:
    """Five pages with a head and a foot that has the page's number, and a line in the text that is on each of them."""
    paper = Paper()
    for page in range(1, 6):
        paper.write("Annual Report 2024 – Example Ltd", 60, 40)
        paper.write(f"Page {page} of 5 | Confidential", 60, HEIGHT - 30)
        for line in range(20):
            paper.write(f"Text {line} of page {page} goes on here with some words.", 60, 100 + 14 * line)
        paper.write("This sentence is said on each page.", 60, 100 + 14 * 20)
        paper.canvas.showPage()
    return paper.done()


def large_type() -> bytes:
    """Body text, a heading, and large type that is none: a sentence, a number, a word of a sentence."""
    paper = Paper()
    top = 60.0
    for size, text in [
        (18, "Our markets"),
        (18, "We grew in every market that we serve."),
        (24, "12.5%"),
        (18, "and in others"),
    ]:
        paper.write(text, 60, top, size=size)
        top += 60
        for line in range(6):
            paper.write(f"Body text in line {line} that tells what there is to tell.", 60, top + 13 * line)
        top += 120
    return paper.done()


def form() -> bytes:
    """A form: a name that is filled in, a box that is checked, one that is not."""
    paper = Paper()
    fields = paper.canvas.acroForm
    paper.write("Name:", 60, 100)
    fields.textfield(name="name", value="Ada Lovelace", x=120, y=HEIGHT - 105, width=200, height=16)
    paper.write("Member:", 60, 140)
    fields.checkbox(name="member", checked=True, x=120, y=HEIGHT - 145, size=14)
    paper.write("Guest:", 60, 180)
    fields.checkbox(name="guest", checked=False, x=120, y=HEIGHT - 185, size=14)
    return paper.done()


def margin() -> bytes:
    """A text with a line beside it that is read from below, and a stamp across the page."""
    paper = Paper()
    for line in range(20):
        paper.write(f"Line {line} of the text is upright.", 100, 100 + 20 * line)
    canvas = paper.canvas
    canvas.saveState()
    canvas.translate(60, 300)
    canvas.rotate(90)
    canvas.drawString(0, 0, "A note in the margin")
    canvas.restoreState()
    canvas.translate(200, 300)
    canvas.rotate(40)
    canvas.setFont("Helvetica", 40)
    canvas.drawString(0, 0, "CONFIDENTIAL")
    return paper.done()


def sideways() -> bytes:
    """A page of which all is set at a right angle, a table too, as programs print wide tables."""
    paper = Paper()
    canvas = paper.canvas
    canvas.translate(WIDTH, 0)
    canvas.rotate(90)
    canvas.drawString(60, 500, "A wide table")
    canvas.grid([60, 200, 340], [400, 420, 440])
    for text, left, up in [("City", 64, 426), ("People", 204, 426), ("Oslo", 64, 406), ("700,000", 204, 406)]:
        canvas.drawString(left, up, text)
    return paper.done()


def downwards() -> bytes:
    """Two columns of Chinese from right to left, each read downwards. PDFium passes single letters by; a space helps."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    paper = Paper()
    for column, text in enumerate(("春眠不觉晓处处闻啼鸟", "夜来风雨声花落知多少")):
        for place, letter in enumerate(text):
            paper.write(f"{letter} ", 300 - 30 * column, 100 + 14 * place, size=12, font="STSong-Light")
    return paper.done()
