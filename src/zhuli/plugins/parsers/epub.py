"""Electronic books (.epub): the title, then the chapters in the order in which they are read. Pages have no numbers in them."""

import posixpath
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from zhuli.core.errors import Unreadable
from zhuli.knowledge.documents.xml_part import DAMAGED, parsed
from zhuli.types.knowledge.document import Block

MAX_CHAPTERS = 5_000
MAX_CHAPTER = 32 * 1024 * 1024
"""Bytes of one chapter."""
PAGES = ("application/xhtml+xml", "text/html")


class Plugin:
    """EPUB 2 and 3 (OCF 3.3, Packages 3.3). A book with protected chapters is refused."""

    extensions: Sequence[str] = (".epub",)

    def parse(self, path: Path) -> Iterator[Block]:
        try:
            with zipfile.ZipFile(path) as book:
                yield from _book(book)
        except DAMAGED as error:
            raise Unreadable("The file is a damaged book. Get it again where it came from.") from error


def _book(book: zipfile.ZipFile) -> Iterator[Block]:
    from zhuli.knowledge.documents.html_page import decode_page, page_blocks  # imports an HTML parser

    container = parsed(book.read("META-INF/container.xml"))
    root = next(element.get("full-path", "") for element in container.iter() if _name(element) == "rootfile")
    package = parsed(book.read(root))
    title = next((element.text for element in package.iter() if _name(element) == "title" and element.text), None)
    if title:
        yield Block(title.strip(), "heading", 1)
    locked = _locked(book)
    for name in list(_chapters(package, posixpath.dirname(root)))[:MAX_CHAPTERS]:
        if name in locked:
            raise Unreadable("The book is protected. Get it without copy protection.")
        if name in book.namelist():
            with book.open(name) as chapter:
                yield from page_blocks(decode_page(chapter.read(MAX_CHAPTER)), with_title=False)


def _chapters(package: Any, folder: str) -> Iterator[str]:
    """The members of the archive that the spine names, in its order."""
    items = {element.get("id"): element for element in package.iter() if _name(element) == "item"}
    for reference in (element for element in package.iter() if _name(element) == "itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and item.get("media-type") in PAGES and "nav" not in (item.get("properties") or ""):
            yield posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))


def _locked(book: zipfile.ZipFile) -> frozenset[str]:
    """What is encrypted; of many books only the fonts are."""
    if "META-INF/encryption.xml" not in book.namelist():
        return frozenset()
    uris = (element.get("URI", "") for element in parsed(book.read("META-INF/encryption.xml")).iter())
    return frozenset(posixpath.normpath(unquote(uri)) for uri in uris if uri)


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
