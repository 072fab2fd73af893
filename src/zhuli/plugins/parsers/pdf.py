"""PDF: text in the order in which a page is read, columns and all; tables as rows; pages that are only images are named.

How a page is read is documents.pdf_page's part, how its lines become blocks that of documents.paragraphs. There is no
recognition of characters in images.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zhuli.core.errors import Unreadable
from zhuli.knowledge.documents.paragraphs import Type, page_blocks
from zhuli.knowledge.documents.pdf_page import SCANNED, UNMAPPED, Page, read_page
from zhuli.knowledge.documents.pdf_tables import RuledTables
from zhuli.knowledge.documents.running_lines import without_running_lines
from zhuli.types.knowledge.document import Block

LAYOUT_PAGES = 1_000
"""A longer document is read in the order of its file."""
PASSWORD = 4
"""FPDF_ERR_PASSWORD of PDFium's fpdfview.h."""


class Plugin:
    """Pages count from 1 in the file, whatever is printed on them."""

    extensions: Sequence[str] = (".pdf",)

    def parse(self, path: Path) -> Iterator[Block]:
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
            pages = _pages(document)
        finally:
            document.close()
        return _blocks(pages)


def _pages(document: Any) -> list[Page]:
    numbers = range(1, len(document) + 1)
    if len(document) > LAYOUT_PAGES:
        return [read_page(document, number, None) for number in numbers]
    ruled = RuledTables()
    return [read_page(document, number, ruled) for number in numbers]


def _blocks(pages: list[Page]) -> Iterator[Block]:
    if not any(page.rows for page in pages):
        raise _nothing(pages)
    texts = without_running_lines([(page.rows, page.height) for page in pages])
    kind = Type(texts)
    for number, (page, rows) in enumerate(zip(pages, texts, strict=True), 1):
        if page.missing:
            yield Block(f"[Page {number} {page.missing}.]", page=number)
        yield from page_blocks(rows, kind, number, page.tables)


def _nothing(pages: list[Page]) -> Unreadable:
    if images := [number for number, page in enumerate(pages, 1) if page.missing == SCANNED]:
        return Unreadable(f"The PDF has no text: {_numbers(images)} scanned images. Run OCR on it first.")
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
