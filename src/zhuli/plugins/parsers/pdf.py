"""PDF: text in the order in which a page is read, columns and all; tables as rows; pages that are only images are named.

How a page is read is documents.pdf_page's part, how its lines become blocks that of documents.paragraphs. There is no
recognition of characters here: a scanned page is handed on as a picture, for a server that has OCR.
"""

import io
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

from zhuli.core.errors import Unreadable
from zhuli.knowledge.documents.paragraphs import Type, page_blocks
from zhuli.knowledge.documents.pdf_page import SCANNED, UNMAPPED, Page, read_page
from zhuli.knowledge.documents.pdf_tables import RuledTables
from zhuli.knowledge.documents.running_lines import without_running_lines
from zhuli.types.knowledge.document import Block, Enclosed

LAYOUT_PAGES = 1_000
"""A longer document is read in the order of its file."""
DOTS = 300
"""An inch, as Tesseract wants it."""
MAX_PIXELS = 25_000_000
PASSWORD = 4
"""FPDF_ERR_PASSWORD of PDFium's fpdfview.h."""


class Plugin:
    """Pages count from 1 in the file, whatever is printed on them."""

    extensions: Sequence[str] = (".pdf",)

    def parse(self, path: Path) -> Iterator[Block | Enclosed]:
        import pypdfium2

        try:
            in_memory = not path.resolve().exists()  # a file in a file, whose path is but a descriptor
            document = pypdfium2.PdfDocument(path.read_bytes() if in_memory else path)
        except pypdfium2.PdfiumError as error:
            if error.err_code == PASSWORD:
                raise Unreadable("The PDF is encrypted. Save it without a password.") from error
            raise Unreadable("The PDF is damaged or truncated: it can't be opened.") from error
        try:
            if document.get_formtype():
                document.init_forms()
            yield from _blocks(_pages(document), document)
        finally:
            document.close()


def _pages(document: Any) -> list[Page]:
    numbers = range(1, len(document) + 1)
    if len(document) > LAYOUT_PAGES:
        return [read_page(document, number, None) for number in numbers]
    ruled = RuledTables()
    return [read_page(document, number, ruled) for number in numbers]


def _blocks(pages: list[Page], document: Any) -> Iterator[Block | Enclosed]:
    texts = without_running_lines([(page.rows, page.height) for page in pages])
    kind = Type(texts)
    for number, (page, rows) in enumerate(zip(pages, texts, strict=True), 1):
        if page.missing == SCANNED:
            said = f"[Page {number} {page.missing}: it needs OCR, a setting of the server.]"
            yield Enclosed(f"page-{number}.png", partial(_picture, document, number), number, said)
        elif page.missing:
            yield Block(f"[Page {number} {page.missing}.]", page=number)
        yield from page_blocks(rows, kind, number, page.tables)

    if not any(page.rows for page in pages):
        raise _nothing(pages)


def _picture(document: Any, number: int) -> IO[bytes]:
    """The page as a picture in grey, as large as recognition needs it."""
    page = document[number - 1]
    scale = min(DOTS / 72, (MAX_PIXELS / max(1.0, page.get_width() * page.get_height())) ** 0.5)
    picture = io.BytesIO()
    page.render(scale=scale, grayscale=True).to_pil().save(picture, "PNG")
    page.close()
    picture.seek(0)
    return picture


def _nothing(pages: list[Page]) -> Unreadable:
    if images := [number for number, page in enumerate(pages, 1) if page.missing == SCANNED]:
        return Unreadable(
            f"The PDF has no text: {_numbers(images)} scanned images. Run OCR on it first, or set 'ocr' on the server."
        )
    if unmapped := [number for number, page in enumerate(pages, 1) if page.missing == UNMAPPED]:
        return Unreadable(f"The PDF's fonts don't say which characters they have: {_numbers(unmapped)} not readable.")
    return Unreadable(f"The PDF has no text on its {len(pages)} pages.")


def _numbers(pages: list[int]) -> str:
    """ "page 3 is", "pages 1, 2 and 7 are", and for many of them "pages 1 to 90 are"."""
    if len(pages) == 1:
        return f"page {pages[0]} is"
    if pages[-1] - pages[0] == len(pages) - 1:
        return f"pages {pages[0]} to {pages[-1]} are"
    return f"pages {', '.join(map(str, pages[:20]))}{' …' if len(pages) > 20 else ''} are"
