"""HTML files. How a page becomes blocks is documents.html_page's part."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from zhuli.types.knowledge.document import Block


class Plugin:
    """Pages as browsers save them; the encoding is what the page declares, if it does."""

    extensions: Sequence[str] = (".html", ".htm", ".xhtml")

    def parse(self, path: Path) -> Iterator[Block]:
        from zhuli.knowledge.documents.html_page import decode_page, page_blocks  # imports an HTML parser

        return page_blocks(decode_page(path.read_bytes()))
