"""Hostile PDFs: some by ReportLab, some written by hand, since no library would make them."""

import io
import zlib
from itertools import chain

from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas


def plain(text: str) -> bytes:
    """One page, with the text on lines of 80 characters."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    lines = canvas.beginText(72, 760)
    for start in range(0, len(text), 80):
        lines.textLine(text[start : start + 80])
    canvas.drawText(lines)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def encrypted() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt="a password", invariant=True)
    canvas.drawString(72, 700, "Secret words")
    canvas.save()
    return buffer.getvalue()


def scanned(pages: int = 3, *, with_text: frozenset[int] = frozenset()) -> bytes:
    """Pages that are pictures, but for those in `with_text`."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    picture = ImageReader(Image.new("L", (40, 40), 200))
    for number in range(1, pages + 1):
        if number in with_text:
            canvas.drawString(72, 700, f"Words on page {number}")
        else:
            canvas.drawImage(picture, 50, 50, 400, 600)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def half_scanned() -> bytes:
    return scanned(with_text=frozenset({1, 3}))


def many_pages(count: int = 10_000) -> bytes:
    """Pages of a line each, written by hand: a library takes half a minute for ten thousand."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(count))
    pages = (
        (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>"
            % (3 + 2 * number),
            stream(b"BT /F 12 Tf 20 200 Td (This is page %d) Tj ET" % number),
        )
        for number in range(1, count + 1)
    )
    return document(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, kids),
        FONT,
        *chain.from_iterable(pages),
    )


def unmapped_font() -> bytes:
    """Characters whose font has neither names nor a map to Unicode for them."""
    font = (
        b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[<</Type/Font/Subtype/CIDFontType2"
        b"/BaseFont/X/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>]>>"
    )
    return one_page(stream(b"BT /F 12 Tf 20 200 Td <000100020003000400050006> Tj ET"), font)


def circular() -> bytes:
    """A page tree whose branch is its own root."""
    return document(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]/Parent 2 0 R>>")


def bomb() -> bytes:
    """A page whose content is 128 MiB of drawing nothing, packed three times over."""
    packed = zlib.compress(zlib.compress(zlib.compress(b" " * 2**27, 9), 9), 9)
    content = b"<</Length %d/Filter[/FlateDecode/FlateDecode/FlateDecode]>>\nstream\n%s\nendstream" % (
        len(packed),
        packed,
    )
    return one_page(content, FONT)


def deep() -> bytes:
    """Arrays in arrays, a hundred thousand deep, where the content should be."""
    return one_page(b"[" * 100_000 + b"]" * 100_000, FONT)


FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def one_page(content: bytes, font: bytes) -> bytes:
    return document(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[4 0 R]>>",
        font,
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Resources<</Font<</F 3 0 R>>>>/Contents 5 0 R>>",
        content,
    )


def stream(content: bytes) -> bytes:
    return b"<</Length %d>>\nstream\n%s\nendstream" % (len(content), content)


def document(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1, the first being the catalog."""
    parts, places, place = [b"%PDF-1.7\n"], list[int](), 9
    for number, content in enumerate(objects, 1):
        places.append(place)
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, content))
        place += len(parts[-1])
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    parts += [b"%010d 00000 n \n" % one for one in places]
    parts.append(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, place))
    return b"".join(parts)
